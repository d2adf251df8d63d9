"""Networks, pairs, loss, fitting and the command, on tiny networks and tones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest
from sounds import clicks, noise, tone, write_sound

from beetsplug.deejai.audio.constants import N_FRAMES, N_MELS
from beetsplug.deejai.embedding.encoder import load_encoder
from beetsplug.deejai.training.__main__ import main
from beetsplug.deejai.training.dataset import Spectrograms, Track, build_spectrograms
from beetsplug.deejai.training.fit import Recipe, fit, nt_xent, solve_last_layer
from beetsplug.deejai.training.networks import (
    TRUNK,
    compact,
    fold_batch_norm,
    trunk,
    with_head,
)
from beetsplug.deejai.training.pairs import draw_pairs, equalise, mask

if TYPE_CHECKING:
    from pathlib import Path

# Keras' own saving does not know NumPy 2's copy keyword yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")

TINY = {"stem_filters": 4, "filters": (8, 8)}


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
    return folder


@pytest.fixture(scope="module")
def spectrograms(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Spectrograms:
    return build_spectrograms(music, tmp_path_factory.mktemp("spectrograms"))


def some_slices(n: int = 5) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.random((n, N_MELS, N_FRAMES), dtype=np.float32)


def test_the_network_maps_slices_to_vectors_with_built_in_layers() -> None:
    model = compact(**TINY)
    assert model.input_shape == (None, N_MELS, N_FRAMES, 1)
    assert model.output_shape == (None, 100)
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)


def test_the_same_seed_gives_the_same_network() -> None:
    slices = some_slices()[..., None]
    first, same, other = (compact(**TINY, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first(slices), same(slices))
    assert not np.allclose(first(slices), other(slices))


def test_folding_batch_norm_changes_no_vector() -> None:
    model = compact(**TINY)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.startswith("norm_"):
            layer.set_weights(
                [rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()]
            )
    folded = fold_batch_norm(model)
    assert not any("norm" in layer.name for layer in folded.layers)
    slices = some_slices()[..., None]
    np.testing.assert_allclose(folded(slices), model(slices), rtol=1e-3, atol=1e-3)


def test_the_head_is_trained_on_the_trunk_of_the_encoder() -> None:
    model, slices = compact(**TINY), some_slices()[..., None]
    learner = with_head(model, n_hidden=4)
    assert learner.output_shape == (None, 128)
    layer = model.get_layer("conv_0")
    assert learner.get_layer("conv_0") is layer
    before = np.asarray(trunk(model)(slices))
    layer.set_weights([weights + 1 for weights in layer.get_weights()])
    assert not np.allclose(trunk(model)(slices), before)
    assert before.shape == (5, model.get_layer(TRUNK).output.shape[1])


def test_pairs_are_two_slices_of_each_of_several_tracks(
    spectrograms: Spectrograms,
) -> None:
    rng = np.random.default_rng(0)
    slices, labels = draw_pairs(spectrograms, spectrograms.tracks, n_tracks=4, rng=rng)
    assert slices.shape == (8, N_MELS, N_FRAMES)
    assert slices.dtype == np.float32
    assert slices.min() >= 0
    assert slices.max() <= 1
    np.testing.assert_array_equal(labels[:4], labels[4:])
    assert len(set(labels[:4, 0])) == 4
    assert not np.array_equal(slices[:4], slices[4:])


def test_the_same_generator_draws_the_same_pairs(spectrograms: Spectrograms) -> None:
    drawn = [
        draw_pairs(
            spectrograms,
            spectrograms.tracks,
            n_tracks=3,
            rng=np.random.default_rng(5),
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(drawn[0][0], drawn[1][0])


def test_a_batch_is_no_larger_than_the_music(spectrograms: Spectrograms) -> None:
    rng = np.random.default_rng(0)
    slices, _ = draw_pairs(spectrograms, spectrograms.tracks, n_tracks=99, rng=rng)
    assert len(slices) == 12


def test_an_equaliser_is_constant_over_time() -> None:
    flat = np.zeros((3, N_MELS, N_FRAMES), dtype=np.float32)
    coloured = equalise(flat, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(coloured, coloured[:, :, :1].repeat(N_FRAMES, 2))
    assert coloured.std(axis=1).min() > 0.1


def test_masks_silence_at_most_their_extent() -> None:
    ones = np.ones((20, N_MELS, N_FRAMES), dtype=np.float32)
    masked = mask(ones, rng=np.random.default_rng(0), max_frames=10, max_bands=3)
    silent_frames = (masked.max(axis=1) == 0).sum(axis=1)
    silent_bands = (masked.max(axis=2) == 0).sum(axis=1)
    assert silent_frames.max() <= 10
    assert silent_bands.max() <= 3
    assert silent_frames.any()
    assert silent_bands.any()


def plain_nt_xent(vectors: np.ndarray, tracks: list[int], ignored: np.ndarray) -> list:
    """Compute the loss by its formula, one row at a time."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    losses = []
    for i, track in enumerate(tracks):
        scores = {
            j: np.exp(unit[i] @ unit[j] / 0.5)
            for j in range(len(tracks))
            if j != i and not ignored[i, j]
        }
        partner = next(j for j in scores if tracks[j] == track)
        losses.append(-np.log(scores[partner] / sum(scores.values())))
    return losses


@pytest.mark.parametrize("spare_group", [False, True])
def test_the_loss_is_that_of_the_formula(spare_group: bool) -> None:
    vectors = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    tracks, groups = [0, 1, 2, 0, 1, 2], np.array([0, 0, 1, 0, 0, 1])
    same_track = np.equal.outer(tracks, tracks)
    ignored = np.equal.outer(groups, groups) & ~same_track & spare_group
    loss = nt_xent(temperature=0.5, spare_group=spare_group)
    np.testing.assert_allclose(
        loss(np.stack([tracks, groups], axis=1), vectors),
        plain_nt_xent(vectors, tracks, ignored),
        rtol=1e-4,
    )


def test_training_lowers_the_loss_and_writes_an_encoder(
    spectrograms: Spectrograms, tmp_path: Path
) -> None:
    said: list[str] = []
    output = tmp_path / "new" / "tiny.keras"
    encoder = fit(
        compact(**TINY),
        spectrograms,
        train=spectrograms.tracks,
        validation=spectrograms.tracks,
        output=output,
        recipe=Recipe(n_steps=30, n_tracks=6, spare_group=False),
        validate_every=10,
        report=said.append,
    )
    losses = [float(line.split("loss")[1].split()[0]) for line in said]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert "nearest" in said[0]
    assert [path.name for path in output.parent.iterdir()] == ["tiny.keras"]
    slices = some_slices()
    np.testing.assert_allclose(
        load_encoder(output).encode(slices), encoder.encode(slices), atol=1e-5
    )


def test_an_error_while_drawing_ends_the_training(
    spectrograms: Spectrograms, tmp_path: Path
) -> None:
    missing = Track("soul/a.flac", "soul", shard=99, start=0, stop=1)
    with pytest.raises(IndexError):
        fit(
            compact(**TINY),
            spectrograms,
            train=[missing],
            output=tmp_path / "a.keras",
            recipe=Recipe(n_steps=1),
        )


def test_the_last_layer_is_solved_for_the_tracks(spectrograms: Spectrograms) -> None:
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


def test_the_command_trains_on_a_folder(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mine.keras"
    held_out = str(music / "noises")
    arguments = [str(music), "-o", str(output), "--hold-out", held_out]
    assert main([*arguments, "--steps", "1", "--tracks", "2"]) == 0
    out = capsys.readouterr().out
    assert "4 tracks to learn from, 2 held out" in out
    assert load_encoder(output).vector_size == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/no/such/folder", "-o", "a.keras"], "is not a folder"),
        (["{music}", "-o", "a.h5"], "ends in .keras"),
        (["{music}", "-o", "a.keras", "--steps", "0"], "--steps"),
        (["{music}", "-o", "a.keras", "--hold-out", "jazz"], "no such folder"),
    ],
)
def test_mistakes_are_told_in_one_line(
    music: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert main([part.format(music=music) for part in arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_help_names_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["-h"])
    assert "--hold-out" in capsys.readouterr().out


def test_networks_need_no_layer_of_ours(tmp_path: Path) -> None:
    compact(**TINY).save(tmp_path / "a.keras")
    assert keras.saving.load_model(tmp_path / "a.keras", safe_mode=True)
