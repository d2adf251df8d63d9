"""A browser for tests, a library that it can look at, and what it saw."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import ConsoleMessage, Page

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
"""Chromium asks nobody outside, and runs as root, as in a container."""

DEMO_S = 4

COVERED = "Harbour"
"""The piece that has a cover inside."""

COVER_PIXELS = (300, 200)

FOREIGN = {"Old Road": ".aiff", "Level Two": ".m4a"}
"""Pieces that no browser plays as they are, and their files: the M4A is lossless."""


def chromium() -> str:
    """Return where Chromium is; without it tests are skipped, or fail if it must be."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    if os.environ.get("DEEJAI_NEEDS_CHROMIUM"):
        pytest.fail("Chromium is not installed")
    pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")


@dataclass(frozen=True)
class Home:
    """A configuration of beets, and the music of its library."""

    folder: Path
    music: Path

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "beets", *command],
            env=os.environ
            | {"BEETSDIR": str(self.folder), "KERAS_HOME": str(self.folder / "keras")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> str:
        with self.start(*command) as process:
            output, _ = process.communicate()
        assert process.returncode == 0, output
        return output


def until(page: Page, condition: str, *, within_s: float = 15.0) -> None:
    """Wait until something holds on a page.

    Playwright's own way to wait makes code of text in the page, which the page's policy
    forbids.
    """
    deadline = time.monotonic() + within_s
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"never: {condition}"
        page.wait_for_timeout(50)


def time_of(page: Page) -> float:
    return float(page.evaluate("deejai.player.time"))


def plays(page: Page, title: str) -> None:
    """Wait until a track plays, and its time goes on."""
    expect(page.locator("#now-title")).to_have_text(title)
    until(page, "deejai.player.state === 'playing'")
    until(page, f"deejai.player.time > {time_of(page)}")


def search(page: Page, words: str) -> None:
    page.fill("#search", words)
    expect(page.locator("#search-note")).to_contain_text("found")


def pick(page: Page, title: str) -> None:
    """Search for a track, and play it."""
    search(page, title)
    page.locator("#results button.row-body", has_text=title).first.click()


def play_whole(page: Page) -> None:
    """Play tracks to their ends, so that what a slow test looks at does not change."""
    page.evaluate("deejai.player.demo_s = null")


@dataclass
class Visit:
    """A page, and what went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        """Remember an error, unless it is that a file has no picture inside."""
        if message.type == "error" and not message.location["url"].endswith("/cover"):
            self.errors.append(f"{message.text} {message.location['url']}")
