"""The deck listens to a microphone, in a real browser."""

from __future__ import annotations

import os
import re
import wave
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import QUIET, Home, chromium
from playwright.sync_api import expect

from beetsplug.deejai.output.m3u import read_m3u
from beetsplug.deejai.quickstart.synthesis import RATE, compose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import (
        Browser,
        Locator,
        Page,
        Playwright,
        Route,
        ViewportSize,
    )

TITLE = "Extra Life"
"""What plays in the room."""

FIRST_MS = 60_000
"""Five seconds of sound, and the encoder is loaded."""

SILENT_DB = -70

WINDOW: ViewportSize = {"width": 1280, "height": 800}

INSECURE = "http://deck.example"


@pytest.fixture(scope="module")
def listening(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser whose microphone hears one of the pieces, quietly, over and over."""
    path = tmp_path_factory.mktemp("microphone") / "room.wav"
    piece = next(sound for _, title, sound in compose() if title == TITLE)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(8000 * piece).astype("<i2").tobytes())
    opened = playwright.chromium.launch(
        executable_path=chromium(),
        args=[
            *QUIET,
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={path}",
        ],
    )
    yield opened
    opened.close()


@contextmanager
def live_view(listening: Browser, deck: str) -> Iterator[Page]:
    """Open the view in a browser that has a microphone."""
    context = listening.new_context(viewport=WINDOW)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(f"{deck}/#live")
    yield opened
    context.close()
    assert not errors


@pytest.fixture
def page(listening: Browser, deck: str) -> Iterator[Page]:
    """The view, before it listens."""
    with live_view(listening, deck) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(listening: Browser, deck: str) -> Iterator[Page]:
    with live_view(listening, deck) as opened:
        listen(opened)
        yield opened


@pytest.fixture
def hearing(shared: Page) -> Iterator[Page]:
    """The view while it listens, for tests that leave it as it was."""
    yield shared
    shared.set_viewport_size(WINDOW)
    shared.mouse.move(5, 5)
    shared.evaluate("document.activeElement.blur()")


def proposals(page: Page) -> Locator:
    return page.locator("#proposals .row")


def listen(page: Page) -> Locator:
    """Start to listen, and wait for the first proposals."""
    page.get_by_role("button", name="Listen").click()
    rows = proposals(page)
    expect(rows.first).to_be_visible(timeout=FIRST_MS)
    return rows


def level_of(page: Page) -> float:
    return float(page.locator("#level").get_attribute("aria-valuenow") or "nan")


def titles(rows: Locator) -> list[str]:
    return rows.locator(".row-title").all_inner_texts()


def test_what_plays_in_the_room_is_among_the_first_three(hearing: Page) -> None:
    rows = proposals(hearing)
    assert TITLE in titles(rows)[:3]
    expect(rows).to_have_count(5)
    expect(hearing.locator("#announcer")).to_contain_text("Could follow:")
    expect(hearing.locator("#live-state")).to_contain_text(" dB")
    assert -60 < level_of(hearing) < 0


def test_it_goes_on_listening_in_other_views_until_it_is_stopped(page: Page) -> None:
    listen(page)
    page.get_by_role("link", name="Deck", exact=True).click()
    page.wait_for_event(
        "request", lambda request: "/api/v1/live?" in request.url, timeout=10_000
    )
    expect(page.locator("body[data-listening]")).to_have_count(1)
    page.get_by_role("link", name="Live", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("body[data-listening]")).to_have_count(0)
    expect(page.get_by_role("button", name="Listen")).to_be_visible()
    page.wait_for_timeout(500)
    assert level_of(page) == SILENT_DB


def test_a_proposal_plays_and_is_not_proposed_again(page: Page) -> None:
    rows = listen(page)
    first = titles(rows)[0]
    rows.first.locator("button.row-body").click()
    expect(page.locator("#player")).to_contain_text(first)
    page.mouse.move(5, 5)
    expect(rows.locator(".row-title").first).not_to_have_text(first, timeout=15_000)
    assert first not in titles(rows)


def test_what_was_proposed_first_is_saved_as_a_playlist(
    hearing: Page, home: Home, tmp_path: Path
) -> None:
    hearing.locator("summary", has_text="Proposed first").click()
    first = hearing.locator("#firsts .row-title").first.inner_text()
    with hearing.expect_download() as download:
        hearing.locator("#save-live").click()
    saved = tmp_path / "saved.m3u8"
    download.value.save_as(saved)
    (entry, *_) = read_m3u(os.fsencode(saved))
    assert entry.title.endswith(f" - {first}")
    assert os.fsdecode(entry.path).startswith(str(home.music))


def test_the_list_stays_while_somebody_chooses(hearing: Page) -> None:
    rows = proposals(hearing)
    rows.first.locator("button").last.focus()
    hearing.keyboard.press("Tab")
    before = rows.first.element_handle()
    expect(hearing.locator("#live-state")).to_contain_text("stays", timeout=10_000)
    assert rows.first.evaluate("(row, before) => row === before", before)


def test_nothing_serious_is_found_by_axe_on_a_phone(hearing: Page) -> None:
    hearing.set_viewport_size({"width": 360, "height": 740})
    found = Axe().run(hearing).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    width = hearing.evaluate("document.querySelector('#live').scrollWidth")
    assert width <= 360


def test_without_a_microphone_that_is_told(browser: Browser, deck: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{deck}/#live")
    page.get_by_role("button", name="Listen").click()
    # A machine that has one does not allow it.
    expect(page.locator("#live-state")).to_have_text(
        re.compile("^(No microphone is found|The microphone is not allowed).*again.$")
    )
    expect(page.get_by_role("button", name="Listen")).to_be_visible()
    context.close()


def test_a_microphone_that_is_not_allowed_is_told(
    playwright: Playwright, deck: str
) -> None:
    opened = playwright.chromium.launch(
        executable_path=chromium(),
        args=[*QUIET, "--use-fake-device-for-media-stream"],
    )
    page = opened.new_page()
    page.goto(f"{deck}/#live")
    page.get_by_role("button", name="Listen").click()
    expect(page.locator("#live-state")).to_contain_text("The microphone is not allowed")
    expect(page.locator("#announcer")).to_contain_text("The microphone is not allowed")
    opened.close()


def test_on_an_insecure_page_the_way_out_is_told(browser: Browser, deck: str) -> None:
    context = browser.new_context()
    page = context.new_page()

    def from_deck(route: Route) -> None:
        address = route.request.url.replace(INSECURE, deck)
        headers = {"accept": "*/*"}
        route.fulfill(response=page.request.get(address, headers=headers))

    page.route(f"{INSECURE}/**", from_deck)
    page.goto(f"{INSECURE}/#live")
    page.get_by_role("button", name="Listen").click()
    expect(page.locator("#live-state")).to_contain_text(
        "Open the deck on its own machine as http://localhost, or through HTTPS."
    )
    # The deck may still be loading the encoder for it.
    page.unroute_all(behavior="ignoreErrors")
    context.close()
