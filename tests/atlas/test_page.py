from __future__ import annotations

import base64
import hashlib
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.atlas.columns import Columns, group
from beetsplug.deejai.atlas.faithfulness import Faithfulness
from beetsplug.deejai.atlas.fields import map_fields
from beetsplug.deejai.atlas.page import SCRIPT, map_page
from beetsplug.deejai.atlas.regions import Region
from beetsplug.deejai.atlas.shown import Shown
from beetsplug.deejai.evaluation.overrepresented import Excess, Tag
from beetsplug.deejai.output.standalone import STATIC, bundle, embedded_json

HOSTILE = "</script><img src=x onerror=alert(1)><!--"


def page(text: str = "a") -> str:
    columns = Columns(
        np.arange(2),
        [text, "b"],
        [text, ""],
        [text, "b.mp3"],
        group([text, ""]),
        group([text, ""]),
        np.array([0, 1999]),
    )
    positions = np.array([[0, 0.123456], [1, 1]], dtype=np.float32)
    excess = Excess(Tag("genre", text), 1, 1, 1, 2, 0.01)
    regions = [Region(np.array([1]), 1.0, 0.123456, excess)]
    faithfulness = Faithfulness(15, 0.93, 0.95, 6.5, 2)
    fields = map_fields(Shown(columns, positions, regions, faithfulness))
    fields |= {"path": columns.paths, "album": columns.albums, "way": [], "by": "genre"}
    return map_page(fields, title=text).decode()


def data_in(html: str) -> dict[str, list[object]]:
    found = re.search(
        r'<script type="application/json" id="map-data">(.*?)</script>', html
    )
    assert found
    data: dict[str, list[object]] = json.loads(found[1])
    return data


def test_the_page_holds_the_tracks() -> None:
    data = data_in(page())
    assert data["title"] == ["a", "b"]
    assert data["y"] == [0.12346, 1.0]
    assert [data["years"][row] for row in data["year"]] == [None, 1999]  # type: ignore[call-overload]
    assert data["genres"] == ["a", ""]
    assert data["path"] == ["a", "b.mp3"]


def test_the_page_holds_the_regions_and_how_faithful_the_map_is() -> None:
    data = data_in(page("Jazz"))
    assert data["regions"] == [
        {
            "name": "Jazz",
            "x": 1.0,
            "y": 0.12346,
            "n_tracks": 1,
            "evidence": "genre of 1 of 1 tracks here, of none elsewhere",
        }
    ]
    assert data["region"] == [-1, 0]
    assert data["faithfulness"]["continuity"] == 0.95  # type: ignore[call-overload]
    assert "Trustworthiness 0.93, continuity 0.95" in str(data["caption"])


def test_hostile_tags_stay_text() -> None:
    html = page(HOSTILE)
    assert "<img" not in html
    assert html.count("</script>") == 2
    assert data_in(html)["title"] == [HOSTILE, "b"]
    assert "<title>&lt;/script&gt;" in html


@given(st.text())
def test_no_text_leaves_its_string(text: str) -> None:
    written = embedded_json([text])
    assert json.loads(written) == [text]
    assert written.isascii()
    assert not set("<>&") & set(written)


def test_halves_of_surrogates_can_be_written() -> None:
    assert data_in(page("\ud800"))["title"] == ["\ud800", "b"]


def test_only_the_script_and_the_style_of_the_page_may_run() -> None:
    html = page().replace("&#x27;", "'")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    for kind, tag in (("script", '<script type="module">'), ("style", "<style>")):
        [content] = re.findall(re.escape(tag) + r"(.*?)</" + kind, html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]


def test_nothing_is_loaded_from_anywhere() -> None:
    html = page()
    assert not re.search(r"<(link|img|iframe|object)\b|\ssrc=|@import|url\(", html)
    allowed = "http://www.w3.org/2000/svg"
    assert set(re.findall(r"https?://[\w./-]+", html)) <= {allowed}


def test_modules_come_once_and_after_what_they_import() -> None:
    script = bundle(SCRIPT)
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert script.count("class MapPanel") == script.count("function createPainter") == 1
    assert script.index("function createPainter") < script.index("class MapPanel")


@pytest.mark.parametrize("path", sorted(STATIC.glob("map*.js")), ids=lambda p: p.name)
def test_scripts_can_stand_in_a_page_and_put_no_markup_into_it(path: object) -> None:
    source = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert "</script" not in source
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", source
    )
