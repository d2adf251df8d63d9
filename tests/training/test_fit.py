"""Fitting, its checkpoints, and the whole of a run, on tiny networks and tones."""

from __future__ import annotations

import resource
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sounds import clicks, noise, tone, write_sound

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.embedding.encoder import load_encoder
from beetsplug.deejai.embedding.keras_encoder import KerasEncoder
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.training import last_layer
from beetsplug.deejai.training.checkpoint import Progress, save_checkpoint
from beetsplug.deejai.training.dataset import Spectrograms, Track, build_spectrograms
from beetsplug.deejai.training.fit import Recipe, fit, save_encoder
from beetsplug.deejai.training.last_layer import solve_last_layer
from beetsplug.deejai.training.lessons import Lessons
from beetsplug.deejai.training.networks import compact
from beetsplug.deejai.training.objective import Objective
from beetsplug.deejai.training.sources import find_music
from beetsplug.deejai.training.targets import Targets
from beetsplug.deejai.training.validation import Validation

if TYPE_CHECKING:
    from pathlib import Path

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")

TINY: dict[str, Any] = {"stem_filters": 4, "filters": (8,)}
RECIPE = Recipe(
    objective=Objective(spare_group=False), n_steps=20, n_tracks=6, validate_every=10
)


@pytest.fixture(scope="module")
def spectrograms(tmp_path_factory: pytest.TempPathFactory) -> Spectrograms:
    folder = tmp_path_factory.mktemp("music")
    for name, wave in {
        "chords/low.wav": tone(110, seconds=21),
        "chords/high.wav": tone(880, seconds=21),
        "rhythms/slow.wav": clicks(seconds=21, per_second=2),
        "rhythms/fast.wav": clicks(seconds=21, per_second=9),
        "noises/white.wav": noise(seconds=21),
        "noises/and tone.wav": noise(seconds=21, seed=1) + tone(300, seconds=21),
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        write_sound(path, wave)
    return build_spectrograms(find_music(folder), folder / "work")


def nothing(spectrograms: Spectrograms) -> Validation:
    return Validation(spectrograms, [])


def test_training_lowers_the_loss_and_writes_an_encoder(
    spectrograms: Spectrograms, tmp_path: Path
) -> None:
    said: list[str] = []
    output = tmp_path / "new" / "tiny.keras"
    fit(
        compact(**TINY),
        spectrograms,
        train=spectrograms.tracks,
        validation=Validation(spectrograms, spectrograms.tracks),
        output=output,
        recipe=replace(RECIPE, n_steps=30),
        report=said.append,
    )
    losses = [float(line.split("loss")[1].split()[0]) for line in said]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert "nearest" in said[0]
    assert [path.name for path in output.parent.iterdir()] == ["tiny.keras"]
    assert load_encoder(output).vector_size == 100


def test_a_run_that_was_broken_off_goes_on_as_if_it_had_not_been(
    spectrograms: Spectrograms, tmp_path: Path
) -> None:
    def run(name: str, said: list[str], *, stop_after: int = 99) -> None:
        def report(line: str) -> None:
            said.append(line)
            if len(said) > stop_after:
                raise KeyboardInterrupt

        fit(
            compact(**TINY),
            spectrograms,
            train=spectrograms.tracks,
            validation=nothing(spectrograms),
            output=tmp_path / f"{name}.keras",
            recipe=RECIPE,
            checkpoint=tmp_path / f"{name}.npz",
            run="the same",
            report=report,
        )

    whole: list[str] = []
    run("whole", whole)
    broken: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        # The second measurement is said before its checkpoint is written.
        run("broken", broken, stop_after=1)
    rest: list[str] = []
    run("broken", rest)
    assert rest[0] == "going on after step 10"
    slices = np.random.default_rng(0).random((3, N_MELS, N_FRAMES), dtype=np.float32)
    one, other = (
        load_encoder(tmp_path / f"{name}.keras").encode(slices)
        for name in ("whole", "broken")
    )
    np.testing.assert_allclose(one, other, rtol=0.02, atol=0.02)
    assert whole[-1].split("loss")[1] == rest[-1].split("loss")[1]


def test_a_checkpoint_of_another_run_is_not_gone_on_from(
    spectrograms: Spectrograms, tmp_path: Path
) -> None:
    said: list[str] = []
    for run in ("one", "another"):
        fit(
            compact(**TINY),
            spectrograms,
            train=spectrograms.tracks,
            validation=nothing(spectrograms),
            output=tmp_path / "a.keras",
            recipe=replace(RECIPE, n_steps=1),
            checkpoint=tmp_path / "checkpoint.npz",
            run=run,
            report=said.append,
        )
    assert not any("going on" in line for line in said)
    assert said[1].startswith("the checkpoint is damaged or of another run")


def test_an_encoder_that_is_gone_is_written_again(
    spectrograms: Spectrograms, tmp_path: Path
) -> None:
    output = tmp_path / "a.keras"
    for _ in range(2):
        progress = fit(
            compact(**TINY),
            spectrograms,
            train=spectrograms.tracks,
            validation=Validation(spectrograms, spectrograms.tracks),
            output=output,
            recipe=replace(RECIPE, n_steps=1),
            checkpoint=tmp_path / "checkpoint.npz",
        )
        assert progress.best_step == 1
        assert load_encoder(output).vector_size == 100
        output.unlink()


def test_a_disk_that_is_full_at_a_checkpoint_is_told(tmp_path: Path) -> None:
    model = compact(**TINY)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(FatalError, match=r"cannot write .*a\.npz"):
            save_checkpoint(
                tmp_path / "a.npz", Progress(), run="", model=model, optimizer=model
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.iterdir())


def test_halves_are_measured_where_every_track_is_its_own_group(
    spectrograms: Spectrograms,
) -> None:
    tracks = [replace(track, group=track.path) for track in spectrograms.tracks]
    encoder = KerasEncoder(compact(**TINY), model_id="untrained")
    assert set(Validation(spectrograms, tracks).retrieval(encoder)) == {"halves"}
    assert Validation(spectrograms, tracks[:1]).retrieval(encoder) == {}


def test_targets_of_unheard_tracks_are_learnt(tmp_path: Path) -> None:
    for k in range(4):
        low = tone(180 + 20 * k, seconds=21)
        fast = clicks(seconds=21, per_second=4 + k)
        write_sound(tmp_path / f"low {k}.wav", low)
        write_sound(tmp_path / f"fast {k}.wav", fast)
    music = build_spectrograms(find_music(tmp_path), tmp_path / "work")
    kinds = [
        [0.0, 1.0] if "low" in track.path else [1.0, 0.0] for track in music.tracks
    ]
    targets = Targets([track.path for track in music.tracks], np.array(kinds))
    unheard = [track for track in music.tracks if "2" in track.path[-6:]]
    train = [track for track in music.tracks if track not in unheard]
    lessons = Lessons(targets, music.tracks, fitted_to=train)
    validation = Validation(music, unheard, lessons)
    progress = fit(
        compact(**TINY | {"filters": (8, 8)}, vector_size=2),
        music,
        train=train,
        validation=validation,
        output=tmp_path / "a.keras",
        recipe=replace(
            RECIPE,
            objective=Objective(target_size=2, contrast=0),
            discriminant=False,
            n_steps=40,
            learning_rate=0.01,
        ),
        lessons=lessons,
    )
    assert progress.untrained is not None
    assert progress.best_score is not None
    constant = validation.constant_similarity()
    assert constant == pytest.approx(2**-0.5, abs=0.01)
    assert progress.best_score > max(constant, progress.untrained) + 0.1


def test_training_ends_early_when_it_no_longer_helps(
    spectrograms: Spectrograms, tmp_path: Path
) -> None:
    said: list[str] = []
    progress = fit(
        compact(**TINY),
        spectrograms,
        train=spectrograms.tracks,
        # One track in a group of its own is always found: no better score can come.
        validation=Validation(
            spectrograms, [replace(t, group="one") for t in spectrograms.tracks[:2]]
        ),
        output=tmp_path / "a.keras",
        recipe=replace(RECIPE, n_steps=50, validate_every=1, patience=2),
        report=said.append,
    )
    assert progress.step < 50
    assert said[-1].startswith("no better for 2 measurements")


def test_an_error_while_drawing_ends_the_training(
    spectrograms: Spectrograms, tmp_path: Path
) -> None:
    missing = Track("soul/a.flac", "soul", shard=99, start=0, stop=N_FRAMES)
    with pytest.raises(KeyError):
        fit(
            compact(**TINY),
            spectrograms,
            train=[missing],
            validation=nothing(spectrograms),
            output=tmp_path / "a.keras",
            recipe=Recipe(n_steps=1),
        )


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FatalError, match="cannot write"):
        save_encoder(compact(**TINY), tmp_path / "file" / "a.keras")


def test_the_last_layer_is_solved_for_the_tracks(
    spectrograms: Spectrograms, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = compact(**TINY)
    solve_last_layer(model, spectrograms, spectrograms.tracks)
    vectors = [
        np.asarray(model(spectrograms.slices(track)[..., None]))
        for track in spectrograms.tracks
    ]
    together = np.concatenate(vectors)
    # Six tracks differ in five directions.
    assert np.any(together, axis=0).sum() == 5
    spread_within = np.mean([part.var(axis=0)[:5].sum() for part in vectors])
    assert spread_within < 0.2 * together.var(axis=0)[:5].sum()
    monkeypatch.setattr(last_layer, "SOLVED_TRACKS", 3)
    solve_last_layer(model, spectrograms, spectrograms.tracks)
    some = np.asarray(model(spectrograms.slices(spectrograms.tracks[0])[..., None]))
    assert np.any(some, axis=0).sum() == 2
