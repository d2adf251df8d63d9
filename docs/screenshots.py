"""Take the pictures of the web deck: ``python docs/screenshots.py BEETSDIR``.

BEETSDIR is a configuration of beets with a scanned library. Needs Chromium, and what
the tests need (``pip install '.[test]'``).
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

HERE = Path(__file__).parent

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 740}

PLAYED = ("Eruption", "Second Birth")
WAYPOINTS = ("Megtört Álom", "Forest Dance", "Offshore")
"""Titles of Debian's game music, from which the pictures in these pages were made."""


def choose(page: Page, field: str, title: str) -> None:
    """Search for a track in one of the two fields, and take it."""
    page.fill(field, title)
    row = page.locator(".view:not([hidden]) button.row-body", has_text=title)
    row.first.click()


def play_something(page: Page) -> None:
    """Let some tracks play, and the next be chosen."""
    page.goto(f"{page.url.split('#')[0]}#deck")
    for title in PLAYED:
        choose(page, "#search", title)
        page.locator("#next-title:not(:empty)").wait_for()
        page.wait_for_timeout(1500)
    page.locator("#like").click()
    page.fill("#search", "")
    page.locator("#skip").click()
    page.wait_for_timeout(3000)
    page.evaluate("scrollTo(0, 0)")


def lay_out(page: Page) -> None:
    """Show the way between three tracks."""
    page.goto(f"{page.url.split('#')[0]}#journey")
    for title in WAYPOINTS:
        choose(page, "#waypoint-search", title)
    page.fill("#waypoint-search", "")
    page.fill("#way-steps", "4")
    page.click("#show-way")
    page.locator("#way > li").nth(3).wait_for()
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)


def draw(page: Page) -> None:
    """Show the map, made if need be."""
    page.goto(f"{page.url.split('#')[0]}#map")
    make = page.get_by_role("button", name="Make the map")
    page.wait_for_timeout(1500)
    if make.is_visible():
        make.click()
    page.locator("#map canvas").first.wait_for(timeout=300_000)
    page.wait_for_timeout(3000)


def save(page: Page, name: str) -> None:
    """Save what is seen, in the few colours that it has."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = picture.quantize(200, dither=Image.Dither.NONE)
    few.save(HERE / f"{name}.png", optimize=True)


def main(home: str) -> None:
    """Start a deck, and take a picture of each view, large and small."""
    views: dict[str, Callable[[Page], None]] = {
        "deck": play_something,
        "deck-journey": lay_out,
        "deck-map": draw,
    }
    server = subprocess.Popen(
        [
            sys.executable,
            "-u",
            "-m",
            "beets",
            "deejai",
            "web",
            "--port",
            "0",
            "--from",
            "artist::.",
        ],
        env=os.environ | {"BEETSDIR": home},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    found = next(
        filter(None, (re.search(r"http://\S+", line) for line in server.stdout))
    )
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
            )
            for size, suffix, scheme in (
                (DESKTOP, "", "dark"),
                (PHONE, "-phone", "light"),
            ):
                context = browser.new_context(
                    viewport=size,  # type: ignore[arg-type]
                    color_scheme=scheme,  # type: ignore[arg-type]
                    device_scale_factor=1 if suffix == "" else 2,
                )
                page = context.new_page()
                page.set_default_timeout(15_000)
                page.goto(found[0])
                for name, show in views.items():
                    show(page)
                    save(page, f"{name}{suffix}")
                context.close()
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1])
