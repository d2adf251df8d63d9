from __future__ import annotations

import numpy as np
import pytest

from beetsplug.deejai.evaluation.labels import Alike, Labels, continuations, values_of


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("rock", {"rock"}),
        (7, {"7"}),
        (["rock", "pop", ""], {"rock", "pop"}),
        (("rock", ("pop",)), {"rock", "pop"}),
        ("", set()),
        (None, set()),
        ([], set()),
    ],
)
def test_a_label_may_have_one_value_or_several_or_none(
    label: object, values: set[str]
) -> None:
    assert values_of(label) == values


def test_tracks_that_share_any_value_are_listed_once_and_in_order() -> None:
    labels = Labels([{"rock", "pop"}, "jazz", "pop", "rock", ["pop", "rock"], ""])
    assert labels.sharing(0).tolist() == [0, 2, 3, 4]
    assert labels.sharing([1, 2]).tolist() == [0, 1, 2, 4]
    assert labels.sharing(5).tolist() == []
    assert labels.known.tolist() == [True] * 5 + [False]
    assert labels.of([4, 1]).values == [{"pop", "rock"}, {"jazz"}]


def test_a_query_is_a_track_that_has_another_one_alike() -> None:
    questions = Alike(Labels(["a", "a", "b", "", ""]))
    assert questions.rows.tolist() == [0, 1]
    assert questions[1].right.tolist() == [0]
    assert questions[1].left_out.tolist() == [1]


def test_tracks_to_keep_apart_are_left_out_and_so_is_the_query_itself() -> None:
    artists = Labels(["x", "x", "x", "y"])
    questions = Alike(artists, apart=Labels(["one", "one", "", "one"]))
    assert questions.rows.tolist() == [0, 1, 2]
    assert questions[0].right.tolist() == [2]
    assert questions[0].left_out.tolist() == [0, 1, 3]
    assert questions[2].right.tolist() == [0, 1]
    assert questions[2].left_out.tolist() == [2]


def test_labels_to_keep_apart_belong_to_the_same_tracks() -> None:
    with pytest.raises(ValueError, match="apart"):
        Alike(Labels(["a", "a"]), apart=Labels(["b"]))


def test_queries_can_be_drawn() -> None:
    questions = Alike(Labels(["a"] * 9))
    questions.draw(4, np.random.default_rng(0))
    assert len(questions) == len(set(questions.rows.tolist())) == 4
    assert questions[0].right.size == 8


def test_playlists_are_parted_in_the_middle_and_repeats_dropped() -> None:
    seeds, questions = continuations(
        [np.array(rows) for rows in ([5, 1, 5, 2, 0, 1], [3, 3], [4])]
    )
    assert [rows.tolist() for rows in seeds] == [[5, 1]]
    assert questions[0].right.tolist() == [2, 0]
    assert questions[0].left_out.tolist() == [5, 1]
