"""The page of filters: what is on it, and what may run there."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64decode
from typing import TYPE_CHECKING

import numpy as np
import pytest
from beets.library import Item
from sounds import clicks, tone, write_sound

from beetsplug.deejai.evaluation.overrepresented import Excess, Tag
from beetsplug.deejai.filters import sheet as filter_sheet
from beetsplug.deejai.filters.layers import Layer
from beetsplug.deejai.filters.report import Filter, Report, Top
from beetsplug.deejai.filters.sheet import make_sheet, n_moments
from beetsplug.deejai.output.standalone import STATIC

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

HOSTILE = "</script><img src=x onerror=alert(1)>"


def made_report(folder: Path, names: Sequence[str]) -> Report:
    """Make filters that fire at three sounds, the last of them nowhere."""
    paths = [
        write_sound(folder / "low.wav", tone(110)),
        write_sound(folder / "high.wav", tone(1760)),
        write_sound(folder / "beat.wav", clicks()),
    ]
    tops = [
        Top(Item(path=str(path).encode(), title=f"{path.stem} {HOSTILE}"), 5 - i, i, i)
        for i, path in enumerate(paths)
    ]
    filters = [
        Filter(
            number,
            False,
            tops[number % 3 :] + tops[: number % 3],
            [Excess(Tag("genre", name), 3, 3, 5, 90, 1e-4)] if name else [],
        )
        for number, name in enumerate(names)
    ]
    return Report(
        layer=Layer(0, "conv_0", "Conv2D", len(names) + 1, is_last=False),
        by="max",
        seen_s=0.1,
        n_tracks=90,
        filters=[*filters, Filter(len(names), True, [], [])],
        failures=[],
        n_unknown=0,
    )


def data_in(page: bytes) -> dict[str, Any]:
    found = re.search(r'id="filters-data">(.*?)</script>', page.decode())
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_a_moment_of_several_filters_is_on_the_page_once(tmp_path: Path) -> None:
    report = made_report(tmp_path, ["", "", "", ""])
    assert n_moments(report) == 3
    done: list[int] = []
    sheet = make_sheet(report, None, encoder="e", n_threads=2, on_progress=done.append)
    assert done == [1, 2, 3]
    assert (sheet.n_clips, sheet.n_failed) == (3, 0)
    data = data_in(sheet.page)
    places = [[top["clip"] for top in one["tops"]] for one in data["filters"]]
    assert places == [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2], []]
    for clip in data["clips"]:
        assert b64decode(clip)[:3] == b"ID3"


def test_the_drawing_is_the_mean_of_all_moments(tmp_path: Path) -> None:
    data = data_in(
        make_sheet(made_report(tmp_path, [""]), None, encoder="e", n_threads=1).page
    )
    n_mels, n_columns, _ = data["patch"]
    drawing = np.frombuffer(b64decode(data["filters"][0]["patch"]), np.uint8)
    bands = drawing.reshape(n_mels, n_columns).mean(axis=1)
    # 110 and 1760 Hz are louder than what lies between and above.
    assert bands[3] > bands[20] + 40
    assert bands[45] > bands[38] + 20
    assert data["filters"][1] == {
        "number": 1,
        "name": "",
        "silent": True,
        "tags": [],
        "tops": [],
        "patch": None,
        "kernel": None,
    }


def test_weights_keep_their_sign(tmp_path: Path) -> None:
    kernels = np.array([[[0, 1], [-2, 0.5]], [[0, 0], [0, 0]]], np.float32)
    sheet = make_sheet(made_report(tmp_path, [""]), kernels, encoder="e", n_threads=1)
    data = data_in(sheet.page)
    assert data["kernel"] == [2, 2]
    packed = [list(b64decode(one["kernel"])) for one in data["filters"]]
    assert packed == [[128, 192, 1, 160], [128] * 4]


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ((("genre", "Rock"), ("mood", "Rock"), ("style", "Prog")), "Rock, Prog"),
        ((("mood", "calm"), ("decade", "1990s"), ("album", "B")), "calm"),
        ((("decade", "1990s"), ("artist", "A")), "1990s"),
        ((("artist", "A"), ("album", "B")), "A, B"),
        ((), ""),
    ],
)
def test_a_filter_is_named_by_genres_before_decades_and_artists(
    tags: Sequence[tuple[str, str]], name: str
) -> None:
    excesses = [Excess(Tag(kind, value), 3, 3, 5, 90, 1e-4) for kind, value in tags]
    assert Filter(0, False, [], excesses).name == name


def test_clips_are_shared_out_among_the_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_sheet, "MAX_CLIPS", 1)
    sheet = make_sheet(made_report(tmp_path, [""]), None, encoder="e", n_threads=1)
    places = [top["clip"] for top in data_in(sheet.page)["filters"][0]["tops"]]
    assert places == [0, None, None]


def test_a_file_that_vanished_has_no_clip(tmp_path: Path) -> None:
    report = made_report(tmp_path, [""])
    (tmp_path / "low.wav").unlink()
    sheet = make_sheet(report, None, encoder="e", n_threads=1)
    assert (sheet.n_clips, sheet.n_failed) == (2, 1)
    tops = data_in(sheet.page)["filters"][0]["tops"]
    assert [top["clip"] for top in tops] == [None, 0, 1]


def test_giving_up_leaves_no_thread_behind(tmp_path: Path) -> None:
    def give_up(n_done: int) -> None:
        raise KeyboardInterrupt

    report = made_report(tmp_path, ["", ""])
    with pytest.raises(KeyboardInterrupt):
        make_sheet(report, None, encoder="e", n_threads=2, on_progress=give_up)
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("deejai-clips")]


def test_hostile_names_stay_text_and_nothing_is_loaded(tmp_path: Path) -> None:
    report = made_report(tmp_path, [HOSTILE, "κ" * 3000])
    html = make_sheet(report, None, encoder=HOSTILE, n_threads=1).page.decode()
    assert "<img" not in html
    assert html.count("</script>") == 2
    assert not re.search(r"<(link|img|iframe|object)\b|@import|url\(", html)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "media-src data:" in policy[1]
    assert "unsafe" not in policy[1]
    names = [one["name"] for one in data_in(html.encode())["filters"]]
    assert names[0] == HOSTILE
    assert len(names[1]) <= 400


@pytest.mark.parametrize(
    "path", sorted(STATIC.glob("filter*.js")), ids=lambda path: path.name
)
def test_scripts_put_no_markup_into_the_page(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert "</script" not in source
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", source
    )
