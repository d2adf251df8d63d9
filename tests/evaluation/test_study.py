"""The whole study on a made world of sounds that follow artist, album and genre."""

from __future__ import annotations

import json

import numpy as np
import pytest

from beetsplug.deejai.evaluation import tasks
from beetsplug.deejai.evaluation.bootstrap import Estimate
from beetsplug.deejai.evaluation.figures import (
    CHANCE,
    MFCC,
    SAME_GENRE,
    UNTRAINED,
    Facts,
    Figure,
    make_figure,
)
from beetsplug.deejai.evaluation.labels import Labels
from beetsplug.deejai.evaluation.made_lists import average_lists
from beetsplug.deejai.evaluation.report import figure_table, figures_as_data
from beetsplug.deejai.evaluation.space import Space
from beetsplug.deejai.evaluation.study import study

N = 120


def world() -> tuple[Space, Facts]:
    """Make 6 genres of 4 artists with 5 tracks each, on two albums."""
    rng = np.random.default_rng(0)
    genre, artist = np.arange(N) // 20, np.arange(N) // 5
    centre = rng.standard_normal((6, 24))[genre]
    centre = centre + 0.7 * rng.standard_normal((24, 24))[artist]

    def heard() -> np.ndarray:
        return (centre + 0.4 * rng.standard_normal((N, 24))).astype("f4")

    facts = Facts(
        artists=Labels(artist.tolist()),
        albums=Labels(f"{a}/{i % 2}" for i, a in enumerate(artist)),
        genres=Labels([f"g{g}", f"g{g}b"] for g in genre),
        halved=np.arange(N),
        playlists=[np.arange(10 * g, 10 * g + 8) for g in range(12)],
    )
    return Space(heard(), heard(), heard()), facts


def noise(seed: int) -> Space:
    vectors = np.random.default_rng(seed).standard_normal((3, N, 24)).astype("f4")
    return Space(*vectors)


def by_key(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.key: figure for figure in figures}


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    space, facts = world()
    rivals = {UNTRAINED: [noise(1), noise(2)], MFCC: [space]}
    result = study(space, facts, rivals=rivals)
    assert result.left_out == []
    return by_key(result.figures)


def test_every_measure_is_there(figures: dict[str, Figure]) -> None:
    assert list(figures) == [
        "halves_mrr",
        *(
            f"{k}_{m}"
            for k in ("artist", "album", "genre")
            for m in ("p1", "p5", "hit5")
        ),
        "playlist_hit10",
        "playlist_r_precision",
        "cohesion_artist",
        "cohesion_genre",
        "genre_entropy",
        "artist_variety",
        "diversity",
    ]
    assert figures["halves_mrr"].n_queries == N
    assert figures["playlist_hit10"].n_queries == 12
    assert "other album" in figures["artist_p1"].title


def test_one_that_hears_is_ahead_of_chance_and_of_noise(
    figures: dict[str, Figure],
) -> None:
    for key in ("halves_mrr", "artist_p1", "genre_p5", "playlist_r_precision"):
        assert figures[key].comparisons[CHANCE].verdict == "+"
        assert figures[key].comparisons[UNTRAINED].verdict == "+"


def test_the_same_space_is_neither_ahead_nor_behind(
    figures: dict[str, Figure],
) -> None:
    for figure in figures.values():
        same = figure.comparisons[MFCC]
        assert same.ahead == Estimate(0.0, 0.0, 0.0)
        assert same.verdict in ("=", "")
        assert same.score == figure.score


def test_noise_scores_chance_on_average_and_mostly_within_the_interval() -> None:
    _, facts = world()
    made, _ = tasks.make_tasks(facts, np.random.default_rng(0))
    ahead = [
        [
            figure.comparisons[CHANCE].ahead
            for task in made
            for figure in tasks.rank(task, noise(seed), rivals={}, seed=0)
        ]
        for seed in range(12)
    ]
    means = np.array([[one.value for one in row] for row in ahead])
    error = means.std(axis=0, ddof=1) / np.sqrt(len(means))
    assert (np.abs(means.mean(axis=0)) < 3.5 * error).all()
    # Not in 95 %: of two tracks that are near by chance each finds the other, so the
    # queries are not independent. The documentation says so.
    holds = [one.low <= 0.0 <= one.high for row in ahead for one in row]
    assert np.mean(holds) > 0.75


def test_same_genre_beats_chance_and_is_no_comparison_for_genres(
    figures: dict[str, Figure],
) -> None:
    for key in ("genre_p1", "genre_hit5", "cohesion_genre"):
        assert SAME_GENRE not in figures[key].comparisons
    artist = figures["artist_p1"].comparisons
    # 2 or 3 of the 17 others of a genre, instead of those of 118 or so.
    assert artist[SAME_GENRE].score.value == pytest.approx(2.4 / 17.2, abs=0.01)
    assert artist[CHANCE].score.value == pytest.approx(2.4 / 117.2, abs=0.005)


def test_distances_of_all_lists_are_measured_in_one_space() -> None:
    space, facts = world()
    stretched = Space(space.tracks + 100, space.first, space.second)
    rivals = {MFCC: [stretched], UNTRAINED: [noise(1)]}
    diversity = by_key(study(space, facts, rivals=rivals).figures)["diversity"]
    # In its own space all tracks are nearly the same, and in noise all unrelated.
    assert diversity.comparisons[MFCC].score.value > 0.2
    chance = diversity.comparisons[CHANCE].score.value
    assert diversity.comparisons[UNTRAINED].score.value == pytest.approx(
        chance, abs=0.05
    )


def test_there_is_no_verdict_where_more_is_not_better(
    figures: dict[str, Figure],
) -> None:
    for key in ("genre_entropy", "artist_variety", "diversity"):
        assert {c.verdict for c in figures[key].comparisons.values()} == {""}


def test_the_same_seed_gives_the_same_figures() -> None:
    space, facts = world()
    assert study(space, facts, rivals={}, seed=4) == study(
        space, facts, rivals={}, seed=4
    )


def test_what_the_tags_do_not_allow_is_left_out_and_said() -> None:
    space, facts = world()
    blank = Labels([""] * N)
    bare = Facts(
        artists=Labels([str(i) for i in range(N)]),
        albums=blank,
        genres=blank,
        halved=np.zeros(0, dtype=np.int64),
        playlists=[np.array([4])],
    )
    none = np.zeros((0, 24), dtype="f4")
    result = study(Space(space.tracks, none, none), bare, rivals={})
    assert list(by_key(result.figures)) == [
        "cohesion_artist",
        "artist_variety",
        "diversity",
    ]
    assert [line.partition(":")[0] for line in result.left_out] == [
        "second half",
        "artist",
        "album",
        "genre",
        "playlists",
    ]
    assert SAME_GENRE not in result.figures[0].comparisons
    one_album = Facts(facts.artists, facts.artists, facts.genres, facts.halved)
    result = study(space, one_album, rivals={})
    assert result.left_out == ["artist: no two tracks on different albums share one"]


def test_of_many_tracks_some_are_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MAX_QUERIES", 30)
    space, facts = world()
    result = by_key(study(space, facts, rivals={}).figures)
    assert {result[k].n_queries for k in ("halves_mrr", "artist_p1", "genre_p1")} == {
        30
    }
    full = Estimate(1.0, 1.0, 1.0)
    assert result["genre_hit5"].score == full


@pytest.mark.parametrize(
    ("own", "n", "verdict"),
    [(0.9, 20, "+"), (0.1, 20, "-"), (0.5, 20, "="), (0.9, 9, "?")],
)
def test_verdicts_follow_the_interval_of_the_difference(
    own: float, n: int, verdict: str
) -> None:
    other = np.full(n, 0.5) + np.linspace(-0.1, 0.1, n)
    figure = make_figure("k", "t", "tracks", np.full(n, own), {"x": other}, seed=0)
    assert figure.comparisons["x"].verdict == verdict


def test_the_table_fits_a_terminal(figures: dict[str, Figure]) -> None:
    lines = figure_table(list(figures.values())).splitlines()
    assert len(lines) == 1 + len(figures)
    assert max(len(line) for line in lines) <= 100
    assert lines[0].split() == [
        "measure",
        "n",
        "encoder",
        "chance",
        "untrained",
        "MFCC",
        "same",
        "genre",
    ]
    row = next(line for line in lines if line.startswith("second half"))
    assert row.split()[5] == str(N)
    assert row.endswith("+")


def test_figures_can_be_written_as_json(figures: dict[str, Figure]) -> None:
    data = json.loads(
        json.dumps(figures_as_data(list(figures.values())), allow_nan=False)
    )
    first = data[0]
    assert first["key"] == "halves_mrr"
    assert first["low"] <= first["value"] <= first["high"]
    against = first["compared_with"][CHANCE]
    assert against["ahead"]["value"] == pytest.approx(first["value"] - against["value"])
    assert data[-1]["compared_with"][CHANCE]["verdict"] is None


def test_given_playlists_are_described_as_made_ones_are() -> None:
    space, facts = world()
    yours = average_lists(
        [np.array([0, 1]), np.array([0, 20]), np.array([3])], space=space, facts=facts
    )
    assert yours["cohesion_artist"] == pytest.approx(0.5)
    assert yours["cohesion_genre"] == pytest.approx(0.5)
    assert average_lists([], space=space, facts=facts) == {}
