"""A real browser, and a real deck for it."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
import soundfile
from browsers import (
    COVER_PIXELS,
    COVERED,
    DEMO_S,
    FOREIGN,
    QUIET,
    Home,
    Visit,
    chromium,
)
from mediafile import Image as Picture
from mediafile import MediaFile
from PIL import Image
from playwright.sync_api import sync_playwright
from sounds import write_sound

from beetsplug.deejai.quickstart.tour import configuration, write_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Playwright


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    chromium()
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    opened = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
    yield opened
    opened.close()


def rewrite(path: Path, suffix: str) -> None:
    """Put a file of another format in the place of a FLAC file."""
    samples, rate = soundfile.read(path, dtype="float32")
    codec = "alac" if suffix == ".m4a" else None
    written = path.with_suffix(suffix)
    write_sound(written, samples.mean(axis=1), rate=rate, layout="stereo", codec=codec)
    source, tags = MediaFile(path), MediaFile(written)
    tags.update({name: getattr(source, name) for name in ("title", "artist", "album")})
    tags.save()
    path.unlink()


def put_cover(path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", COVER_PIXELS, "teal").save(picture, "PNG")
    tags = MediaFile(path)
    tags.images = [Picture(picture.getvalue())]
    tags.save()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A library of twelve made pieces in four styles, heard for real.

    One has a cover inside, and some are in formats that no browser plays.
    """
    chromium()
    base = tmp_path_factory.mktemp("deck")
    made = Home(base, base / "pieces")
    made.music.mkdir()
    write_pieces(made.music)
    for title, suffix in FOREIGN.items():
        rewrite(next(made.music.rglob(f"{title}.flac")), suffix)
    put_cover(next(made.music.rglob(f"{COVERED}.flac")))
    (base / "config.yaml").write_text(configuration(base), encoding="utf-8")
    made.run("import", "-A", "-q", str(made.music))
    # Nobody's tags can be trusted.
    hostile = "title=<img src=x onerror=alert(1)>"
    made.run("modify", "-y", "-W", "-M", "title:Night", hostile)
    return made


@pytest.fixture(scope="session")
def deck(home: Home) -> Iterator[str]:
    """The address of a deck that plays some seconds of each track."""
    command = ("deejai", "web", "--port", "0", "--demo", str(DEMO_S))
    with home.start(*command) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        else:
            pytest.fail("the deck did not start: " + "".join(lines))
        yield found[0]
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 800})
    yield opened
    opened.close()


@pytest.fixture
def visit(context: BrowserContext, deck: str) -> Iterator[Visit]:
    """The deck's page; a test fails when anything goes wrong in it."""
    visited = Visit(context.new_page())
    page = visited.page
    page.on("pageerror", lambda error: visited.errors.append(str(error)))
    page.on("console", visited.note)
    page.goto(deck)
    # From then on it takes keys.
    page.locator("#results > li").first.wait_for()
    yield visited
    assert not visited.errors
