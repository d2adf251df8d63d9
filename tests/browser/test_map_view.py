"""The deck's map in a real browser: made, played from, lassoed and saved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from browsers import until

if TYPE_CHECKING:
    from browsers import Visit
    from playwright.sync_api import Page


@pytest.fixture
def page(visit: Visit) -> Page:
    """The map view, with the map made."""
    opened: Page = visit.page
    opened.goto(opened.url.partition("#")[0] + "#map")
    ready = opened.locator("#map .map-canvas")
    button = opened.get_by_role("button", name="Make the map")
    ready.or_(button).wait_for()
    if button.count():
        button.click()
    ready.wait_for()
    until(opened, "document.querySelector('.map-canvas').width > 300")
    return opened


def track_under_pointer(page: Page) -> tuple[str, float, float]:
    """Move the pointer to any track, and return its title and where it is."""
    box = page.locator(".map-canvas").bounding_box()
    assert box
    data = page.evaluate("fetch('/api/v1/map').then((answer) => answer.json())")
    xs, ys = data["x"], data["y"]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    scale = 0.9 * min(box["width"] / width, box["height"] / height)
    x = box["x"] + box["width"] / 2 + (xs[0] - (min(xs) + max(xs)) / 2) * scale
    y = box["y"] + box["height"] / 2 + (ys[0] - (min(ys) + max(ys)) / 2) * scale
    page.mouse.move(x, y)
    return data["title"][0], x, y


def playing(page: Page) -> dict[str, Any]:
    until(page, "deejai.player.state === 'playing'")
    now: dict[str, Any] = page.evaluate(
        "({ title: deejai.player.current.title, n: deejai.player.queue.length })"
    )
    return now


def lasso_everything(page: Page) -> None:
    box = page.locator(".map-canvas").bounding_box()
    assert box
    page.get_by_role("button", name="Lasso").click()
    left, top = box["x"] + 3, box["y"] + 3
    # The buttons to zoom lie at the right.
    right, bottom = box["x"] + box["width"] - 70, box["y"] + box["height"] - 3
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    page.locator(".map-bar").wait_for(state="visible")


def test_hovering_tells_and_a_click_plays(page: Page) -> None:
    title, x, y = track_under_pointer(page)
    assert page.locator(".map-tip strong").text_content() == title
    page.mouse.click(x, y)
    assert playing(page)["title"] == title
    assert title in (page.locator(".map-near-track").first.text_content() or "")


def test_a_lasso_is_played_as_a_list(page: Page) -> None:
    lasso_everything(page)
    assert page.locator(".map-bar [role=status]").text_content() == "12 tracks"
    page.get_by_role("button", name="Play these").click()
    assert playing(page)["n"] == 11
    smooth, played = page.evaluate(
        """async () => {
            const map = await (await fetch('/api/v1/map')).json();
            const { tracks } = await (await fetch('/api/v1/map/tracks', {
                method: 'POST',
                headers: { 'Content-Type': 'application/json', 'X-Deejai': '1' },
                body: JSON.stringify({ tracks: map.refs }),
            })).json();
            const { current, queue } = deejai.player;
            const lists = [tracks, [current, ...queue]];
            return lists.map((list) => list.map(({ ref }) => ref));
        }"""
    )
    assert played == smooth
    assert page.locator(".map-bar").is_hidden()


def test_a_lasso_is_saved_as_a_playlist(page: Page) -> None:
    lasso_everything(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as M3U").click()
    assert download.value.suggested_filename.endswith(".m3u8")
    lines = download.value.path().read_text().splitlines()
    assert len([line for line in lines if line and line[0] != "#"]) == 12


def test_escape_gives_the_lasso_up(page: Page) -> None:
    lasso_everything(page)
    page.locator(".map-canvas").focus()
    page.keyboard.press("Escape")
    page.locator(".map-bar").wait_for(state="hidden")


def test_a_journey_is_drawn(page: Page) -> None:
    painted = """() => document.querySelector('.map-overlay').getContext('2d')
        .getImageData(0, 0, 3000, 2000).data.some((value) => value)"""
    page.mouse.move(1, 1)
    page.wait_for_timeout(100)
    assert not page.evaluate(painted)
    page.evaluate(
        """async () => {
            const detail = await (await fetch('/api/v1/map')).json();
            window.dispatchEvent(new CustomEvent('deejai-journey', { detail }));
        }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate(painted)


def test_picking_a_track_from_the_list_plays_it(page: Page) -> None:
    _, x, y = track_under_pointer(page)
    page.mouse.click(x, y)
    other = page.locator(".map-near-track").nth(1)
    name = other.text_content() or ""
    other.click()
    until(page, f"{json.dumps(name)}.endsWith(deejai.player.current.title)")
    assert playing(page)
