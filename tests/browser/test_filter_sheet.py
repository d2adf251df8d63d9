"""The page that `beet deejai filters --sheet` writes, opened from the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from beets.library import Item
from browsers import until
from sounds import clicks, tone, write_sound

from beetsplug.deejai.evaluation.overrepresented import Excess, Tag
from beetsplug.deejai.filters.layers import Layer
from beetsplug.deejai.filters.report import Filter, Report, Top
from beetsplug.deejai.filters.sheet import make_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

HOSTILE = "</script><img src=x onerror=alert(1)>"

NAMES = ["Choir", HOSTILE, "", "合唱 " * 60]


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sheet")
    tops = [
        Top(Item(path=str(path).encode(), title=title, artist=artist), value, 1.2, 1.5)
        for path, title, artist, value in (
            (write_sound(folder / "low.wav", tone(110)), HOSTILE, "Ada", 5.0),
            (write_sound(folder / "high.wav", tone(1760)), "High " * 50, "", 4.5),
            (write_sound(folder / "beat.wav", clicks()), "Beat", "Ben", 0.25),
        )
    ]
    filters = [
        Filter(
            number,
            False,
            (tops + tops)[number % 3 : number % 3 + 2],
            [Excess(Tag("genre", name), 3, 3, 5, 90, 1e-3 / (number + 1))]
            if name
            else [],
        )
        for number, name in enumerate(NAMES)
    ]
    report = Report(
        layer=Layer(0, "conv_0", "Conv2D", 5, is_last=False),
        by="max",
        seen_s=0.1,
        n_tracks=90,
        filters=[*filters, Filter(4, True, [], [])],
        failures=[],
        n_unknown=0,
    )
    kernels = np.random.default_rng(0).standard_normal((5, 5, 5)).astype(np.float32)
    path = folder / "filters.html"
    made = make_sheet(report, kernels, encoder="made", n_threads=2)
    path.write_bytes(made.page)
    return path


in_every_look = pytest.mark.parametrize(
    "page",
    [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")],
    ids=lambda one: f"{one[0]}-{one[1]}",
    indirect=True,
)


@pytest.fixture
def page(browser: Browser, sheet: Path, request: Any) -> Iterator[Page]:
    width, scheme = getattr(request, "param", (1280, "light"))
    context = browser.new_context(
        offline=True, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("dialog", lambda dialog: errors.append("a dialog"))
    opened.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type in ("error", "warning")
            else None
        ),
    )
    opened.goto(sheet.as_uri())
    opened.wait_for_selector(".filter")
    yield opened
    context.close()
    assert not errors


def headings(page: Page) -> list[str]:
    return [text.strip() for text in page.locator(".filter h2").all_text_contents()]


@in_every_look
def test_filters_are_named_as_text_and_axe_finds_nothing(page: Page) -> None:
    named = headings(page)
    assert named[:3] == ["Filter 0: Choir", f"Filter 1: {HOSTILE}", "Filter 2"]
    assert page.locator(".filters-silent").text_content() == (
        "1 filter silent, the same for every track: 4"
    )
    width = page.viewport_size
    assert width
    assert page.evaluate("document.documentElement.scrollWidth") == width["width"]
    page.locator("summary").click()
    found = Axe().run(page).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found]


def test_what_the_search_hides_plays_on_no_longer(page: Page) -> None:
    everything = page.locator(".filter-all").first
    everything.click()
    assert everything.text_content() == "Stop"
    assert everything.get_attribute("aria-label") == "Stop playing filter 0"
    page.locator("input[type=search]").fill("filter 3")
    assert len(headings(page)) == 1
    page.locator("input[type=search]").fill("")
    assert everything.text_content() == "Play all"
    assert page.locator("p.for-readers[role=status]").text_content() == ""


@pytest.mark.parametrize("page", [(1280, "light"), (360, "dark")], indirect=True)
def test_a_clip_plays_and_stops(page: Page) -> None:
    button = page.locator(".filter-play").first
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    said = page.locator("p.for-readers[role=status]")
    assert said.text_content() == f"Playing {HOSTILE} by Ada"
    # It lasts three seconds.
    until(page, "document.querySelector('[aria-pressed=true]') === null")
    button.click()
    page.keyboard.press("Escape")
    assert button.get_attribute("aria-pressed") == "false"


def test_all_clips_of_a_filter_play_one_after_another(page: Page) -> None:
    all_of_it = page.locator(".filter-all").first
    all_of_it.click()
    second = page.locator(".filter").first.locator(".filter-play").nth(1)
    until(
        page,
        "document.querySelectorAll('.filter-play')[1].ariaPressed === 'true'",
    )
    all_of_it.click()
    assert second.get_attribute("aria-pressed") == "false"
    assert all_of_it.text_content() == "Play all"


def test_words_and_names_choose_filters_and_their_order(page: Page) -> None:
    find = page.get_by_label("Find a tag, a track or a number")
    find.fill("CHOIR")
    assert headings(page) == ["Filter 0: Choir"]
    assert page.locator(".filters-found").text_content() == "1 filter, 1 with a name"
    find.fill("")
    page.get_by_label("only those with a name").check()
    page.get_by_label("Order").select_option("telling")
    numbers = page.locator(".filter .filter-number").all_text_contents()
    assert numbers == ["Filter 3", "Filter 1", "Filter 0"]


@in_every_look
def test_drawings_are_drawn(page: Page) -> None:
    colours = """(of) => {
        const canvas = document.querySelector(of);
        const { width, height } = canvas;
        const copy = new OffscreenCanvas(width, height).getContext('2d');
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, width, height);
        const found = new Set();
        for (let i = 0; i < data.length; i += 4) found.add(data.slice(i, i + 3).join());
        return found.size;
    }"""
    assert page.evaluate(colours, ".filter-kernel") > 10
    assert page.evaluate(colours, ".filter-patch canvas") > 50
    page.get_by_label("draw what sets each apart").check()
    assert page.evaluate(colours, ".filter-patch canvas") > 50
