"""The page that `beet deejai map` writes, opened from the disk without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from beetsplug.deejai.atlas.columns import Columns, group
from beetsplug.deejai.atlas.faithfulness import measure_faithfulness
from beetsplug.deejai.atlas.fields import map_fields
from beetsplug.deejai.atlas.page import map_page
from beetsplug.deejai.atlas.regions import Region
from beetsplug.deejai.atlas.shown import Shown
from beetsplug.deejai.evaluation.overrepresented import Excess, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

HOSTILE = "</script><img src=x onerror=alert(1)>"
CORNERS = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5]], dtype=np.float32)


def write_page(
    path: Path, positions: np.ndarray, *, regions: Sequence[Region] = (), **more: Any
) -> Path:
    n = len(positions)
    titles = [HOSTILE, *(f"track {i}" for i in range(1, n))]
    columns = Columns(
        np.arange(n),
        titles,
        [f"album {i}" for i in range(n)],
        [f"a/{i}.mp3" for i in range(n)],
        group(["Ada", *("Ben" for _ in range(n - 1))]),
        group([("Jazz", "Rock", "")[i % 3] for i in range(n)]),
        np.arange(n) % 40 + 1980,
    )
    faithfulness = measure_faithfulness(positions, positions)
    shown = Shown(columns, positions, list(regions), faithfulness)
    fields = map_fields(shown) | {"path": columns.paths}
    fields |= {"album": columns.albums, "way": [], "by": "genre", **more}
    path.write_bytes(map_page(fields, title=f"{n} tracks: {HOSTILE}"))
    return path


class Opened:
    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)
        page.on("dialog", lambda dialog: self.errors.append("a dialog"))
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelector('.map-canvas')?.width > 300")

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def spot(self, x: float, y: float) -> tuple[float, float]:
        """Return where a place of the map is; the map fills its frame to 0.9."""
        box = self.page.locator(".map-canvas").bounding_box()
        assert box
        side = 0.9 * min(box["width"], box["height"])
        return (
            box["x"] + box["width"] / 2 + (float(x) - 0.5) * side,
            box["y"] + box["height"] / 2 + (float(y) - 0.5) * side,
        )

    def colour_at(self, x: float, y: float) -> list[int]:
        colour: list[int] = self.page.evaluate(
            """([x, y]) => {
                const canvas = document.querySelector('.map-canvas');
                const box = canvas.getBoundingClientRect();
                const copy = document.createElement('canvas');
                copy.width = copy.height = 1;
                const context = copy.getContext('2d');
                context.drawImage(canvas, box.x - x, box.y - y, box.width, box.height);
                return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
            }""",
            list(self.spot(x, y)),
        )
        return colour


in_both_schemes = pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
"""For what depends on colours."""


@pytest.fixture
def context(browser: Browser, request: Any) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        offline=True,
        color_scheme=getattr(request, "param", "light"),
        viewport={"width": 1100, "height": 700},
    )
    yield opened
    opened.close()


@pytest.fixture
def visit(context: BrowserContext, tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(context.new_page(), write_page(tmp_path / "map.html", CORNERS))
    yield opened
    assert not opened.errors


@in_both_schemes
def test_points_are_drawn_where_they_lie(visit: Opened) -> None:
    ground = visit.colour_at(0.25, 0.5)
    colours = [visit.colour_at(x, y) for x, y in CORNERS]
    assert all(colour != ground for colour in colours)
    # Jazz, Rock, unknown, Jazz, Rock.
    assert colours[0] == colours[3]
    assert colours[1] == colours[4]
    assert len({tuple(colour) for colour in colours}) == 3


def test_hovering_tells_title_and_artist_as_text(visit: Opened) -> None:
    visit.page.mouse.move(*visit.spot(0, 0))
    tip = visit.page.locator(".map-tip")
    tip.wait_for(state="visible")
    assert tip.locator("strong").text_content() == HOSTILE
    assert tip.locator("span").text_content() == "Ada"
    visit.page.mouse.move(*visit.spot(0.25, 0.5))
    tip.wait_for(state="hidden")
    assert visit.page.title() == f"5 tracks: {HOSTILE}"


def test_clicking_shows_what_is_known_and_a_path_to_copy(visit: Opened) -> None:
    visit.page.mouse.click(*visit.spot(1, 1))
    details = visit.page.locator(".map-details")
    assert details.locator("h2").text_content() == "track 3"
    assert details.locator("dd").all_text_contents() == [
        "Ben",
        "album 3",
        "1983",
        "Jazz",
    ]
    assert details.locator("textarea").input_value() == "a/3.mp3"
    near = visit.page.locator(".map-near-track").all_text_contents()
    assert near[:2] == ["Ben - track 3", "Ben - track 4"]


def test_the_wheel_zooms_at_the_pointer_and_dragging_moves(visit: Opened) -> None:
    page = visit.page
    page.mouse.move(*visit.spot(1, 1))
    page.mouse.wheel(0, -800)
    tip = page.locator(".map-tip strong")
    # What was under the pointer still is.
    page.wait_for_timeout(100)
    assert tip.text_content() == "track 3"
    x, y = visit.spot(1, 1)
    page.mouse.down()
    page.mouse.move(x - 200, y - 100, steps=5)
    page.mouse.up()
    page.mouse.move(x - 200, y - 101)
    assert tip.text_content() == "track 3"
    assert not page.locator(".map-details h2").count()
    page.get_by_label("Show all").click()
    page.mouse.move(*visit.spot(0, 0))
    assert tip.text_content() == HOSTILE


@in_both_schemes
def test_searching_fades_all_others(visit: Opened) -> None:
    ground = visit.colour_at(0.25, 0.5)
    before, found = visit.colour_at(1, 0), visit.colour_at(1, 1)
    visit.page.get_by_label("Find on the map").fill("ALBUM 3 ben")
    visit.page.get_by_text("1 found").wait_for()
    visit.page.wait_for_timeout(100)
    after = visit.colour_at(1, 0)
    assert after not in (before, ground)
    assert visit.colour_at(1, 1) == found
    visit.page.get_by_label("Find on the map").press("Enter")
    assert "track 3" in visit.page.locator(".map-near-track").first.text_content()


@in_both_schemes
def test_the_legend_names_the_groups_and_picks_one_out(visit: Opened) -> None:
    names = visit.page.locator(".map-entry .map-name").all_text_contents()
    assert names == ["Jazz", "Rock", "unknown"]
    rock = visit.colour_at(1, 0)
    visit.page.locator(".map-entry").first.click()
    visit.page.wait_for_timeout(100)
    assert visit.colour_at(1, 0) != rock
    visit.page.locator(".map-by").select_option("year")
    assert visit.page.locator(".map-ramp span").all_text_contents() == ["1980", "1984"]


def test_a_lasso_lists_what_is_inside(visit: Opened) -> None:
    page = visit.page
    page.get_by_role("button", name="Lasso").click()
    page.mouse.move(*visit.spot(0.7, -0.02))
    page.mouse.down()
    for x, y in ((1.03, -0.02), (1.03, 1.03), (0.7, 1.03)):
        page.mouse.move(*visit.spot(x, y), steps=4)
    page.mouse.up()
    listed = page.locator(".map-listed li").all_text_contents()
    assert listed == ["Ben - track 1", "Ben - track 3"]
    assert page.locator(".map-details textarea").input_value() == "a/1.mp3\na/3.mp3"


def test_a_keyboard_moves_and_picks(visit: Opened) -> None:
    page = visit.page
    page.locator(".map-legend button").first.focus()
    page.locator(".map-canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert "track 4" in (page.locator("p[role=status]").first.text_content() or "")
    page.keyboard.press("Enter")
    assert page.locator(".map-details h2").text_content() == "track 4"
    for _ in range(6):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.keyboard.press("Enter")
    assert page.locator(".map-details h2").text_content() == "track 3"


@in_both_schemes
def test_a_way_is_drawn(context: BrowserContext, tmp_path: Path) -> None:
    path = write_page(tmp_path / "map.html", CORNERS, way=[0, 1, 3])
    opened = Opened(context.new_page(), path)
    painted = opened.page.evaluate(
        """() => document.querySelector('.map-overlay').getContext('2d')
            .getImageData(0, 0, 3000, 2000).data.some((value) => value)"""
    )
    assert painted
    assert not opened.errors


def test_a_phone_can_show_it(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(
        offline=True, viewport={"width": 360, "height": 740}, has_touch=True
    )
    opened = Opened(context.new_page(), write_page(tmp_path / "map.html", CORNERS))
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44
    x, y = opened.spot(1, 1)
    page.touchscreen.tap(x - 12, y + 12)
    assert page.locator(".map-details h2").text_content() == "track 3"
    assert not opened.errors
    context.close()


def a_region(name: str, *rows: int) -> Region:
    x, y = CORNERS[rows[0]].tolist()
    excess = Excess(Tag("genre", name), len(rows), len(rows), len(rows), 5, 0.01)
    return Region(np.array(rows), x, y, excess)


REGIONS = (a_region("日本の音楽", 3, 4), a_region("<img src=x onerror=alert(1)>", 0))


def test_on_a_phone_a_chosen_region_is_brought_into_sight(
    browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 500})
    path = write_page(tmp_path / "map.html", CORNERS, regions=REGIONS)
    opened = Opened(context.new_page(), path)
    entry = opened.page.locator(".map-regions .map-entry").last
    entry.scroll_into_view_if_needed()
    canvas = opened.page.locator(".map-canvas")
    before = canvas.bounding_box()
    assert before
    assert before["y"] < -100
    entry.click()
    after = canvas.bounding_box()
    assert after
    assert after["y"] > -1
    context.close()


@pytest.fixture
def named(context: BrowserContext, tmp_path: Path) -> Iterator[Opened]:
    path = write_page(tmp_path / "map.html", CORNERS, regions=REGIONS)
    opened = Opened(context.new_page(), path)
    yield opened
    assert not opened.errors


def shown_names(page: Page) -> list[str]:
    names = page.locator(".map-region-name:visible")
    return [name.text_content() or "" for name in names.all()]


@in_both_schemes
def test_regions_are_named_on_the_map_as_text(named: Opened) -> None:
    page = named.page
    assert shown_names(page) == [region.name for region in REGIONS]
    box = page.locator(".map-region-name").first.bounding_box()
    assert box
    x, y = named.spot(1, 1)
    assert box["y"] < y < box["y"] + box["height"]
    assert box["x"] < x < box["x"] + box["width"]
    # The name is not in the way of its track.
    page.mouse.click(x, y)
    assert page.locator(".map-details h2").text_content() == "track 3"
    assert REGIONS[0].evidence in page.locator(".map-details dl").inner_text()


def test_names_move_with_the_map_and_leave_it(named: Opened) -> None:
    page = named.page
    before = page.locator(".map-region-name").first.bounding_box()
    page.locator(".map-canvas").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(100)
    after = page.locator(".map-region-name").first.bounding_box()
    assert before
    assert after
    assert after["x"] == pytest.approx(before["x"] - 80, abs=1)
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(100)
    assert shown_names(page) == []


def test_names_that_would_collide_are_hidden(
    context: BrowserContext, tmp_path: Path
) -> None:
    crowd = [a_region(name, row) for name, row in (("Jazz", 3), ("Bebop", 3))]
    path = write_page(tmp_path / "map.html", CORNERS, regions=crowd)
    opened = Opened(context.new_page(), path)
    assert shown_names(opened.page) == ["Jazz"]
    listed = opened.page.locator(".map-regions .map-name").all_text_contents()
    assert listed == ["Jazz", "Bebop"]
    assert not opened.errors


def test_names_can_be_switched_off(named: Opened) -> None:
    switch = named.page.get_by_label("Names on the map")
    switch.uncheck()
    assert shown_names(named.page) == []
    switch.check()
    named.page.wait_for_timeout(100)
    assert len(shown_names(named.page)) == 2


def test_the_list_of_regions_goes_there_and_says_why(named: Opened) -> None:
    page = named.page
    entry = page.locator(".map-regions .map-entry").first
    entry.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(600)
    assert entry.get_attribute("aria-pressed") == "true"
    assert page.locator(".map-evidence:visible").text_content() == REGIONS[0].evidence
    said = page.locator("p[role=status]").text_content() or ""
    assert said == f"{REGIONS[0].name}: {REGIONS[0].evidence}"
    # Other colours are no other choice of tracks.
    page.locator(".map-by").select_option("artist")
    page.emulate_media(color_scheme="light")
    page.emulate_media(color_scheme="dark")
    assert entry.get_attribute("aria-pressed") == "true"
    # What is not of the region has left or is faint.
    page.locator(".map-legend .map-entry").first.click()
    assert entry.get_attribute("aria-pressed") == "false"
    assert page.locator(".map-evidence:visible").count() == 0


def test_names_that_are_written_to_the_left_turn_nothing_round(
    context: BrowserContext, tmp_path: Path
) -> None:
    region = a_region("\u202eambient", 3)
    path = write_page(tmp_path / "map.html", CORNERS, regions=[region])
    opened = Opened(context.new_page(), path)
    page = opened.page
    page.mouse.click(*opened.spot(1, 1))
    told = page.locator(".map-details dd").last
    name = told.locator("bdi").bounding_box()
    whole = told.locator("span").first.bounding_box()
    assert name
    assert whole
    assert name["x"] == pytest.approx(whole["x"], abs=1)
    listed = page.locator(".map-regions .map-name")
    assert listed.evaluate("node => getComputedStyle(node).textAlign") == "left"
    assert not opened.errors


def test_with_colours_of_the_systems_own_the_legend_keeps_its_own(
    browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(forced_colors="active")
    opened = Opened(context.new_page(), write_page(tmp_path / "map.html", CORNERS))
    swatches = opened.page.locator(".map-swatch")
    colour = "node => getComputedStyle(node).backgroundColor"
    assert len({swatch.evaluate(colour) for swatch in swatches.all()}) == 3
    opened.page.locator(".map-by").select_option("year")
    ramp = opened.page.locator(".map-ramp-bar")
    drawn = ramp.evaluate("node => getComputedStyle(node).backgroundImage")
    assert "gradient" in drawn
    context.close()


def test_a_map_without_regions_has_no_list_of_them(visit: Opened) -> None:
    assert visit.page.get_by_text("Regions").is_hidden()
    assert visit.page.locator(".map-caption").is_hidden()


def test_the_page_says_how_faithful_the_map_is(
    context: BrowserContext, tmp_path: Path
) -> None:
    positions = np.random.default_rng(0).random((40, 2), dtype=np.float32)
    path = write_page(tmp_path / "map.html", positions)
    opened = Opened(context.new_page(), path)
    caption = opened.page.locator(".map-caption").text_content() or ""
    assert "trustworthiness" in caption.lower()
    assert not opened.errors


@in_both_schemes
def test_nothing_serious_is_found_by_axe(named: Opened) -> None:
    named.page.locator(".map-regions .map-entry").first.click()
    found = Axe().run(named.page).response["violations"]
    serious = [
        (each["id"], each["nodes"][0]["html"])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("card", ["", "A Graphics Card"], ids=["pixels", "webgl"])
def test_both_painters_draw_the_same(
    browser: Browser, tmp_path: Path, card: str
) -> None:
    context = browser.new_context(viewport={"width": 1100, "height": 700})
    # What the browser says of its graphics decides which painter is taken.
    context.add_init_script(
        f"const told = {card!r};"
        """if (told) {
            const asked = WebGLRenderingContext.prototype.getParameter;
            WebGLRenderingContext.prototype.getParameter = function (name) {
                return name === 0x9246 ? told : asked.call(this, name);
            };
            const opened = HTMLCanvasElement.prototype.getContext;
            HTMLCanvasElement.prototype.getContext = function (kind, options) {
                const kept = { ...options, preserveDrawingBuffer: true };
                return opened.call(this, kind, kind === 'webgl' ? kept : options);
            };
        }"""
    )
    page = context.new_page()
    page.goto(write_page(tmp_path / "map.html", CORNERS).as_uri())
    page.wait_for_function("document.querySelector('.map-canvas')?.width > 300")
    painter = page.locator(".map-panel").get_attribute("data-painter")
    if card and painter != "webgl":
        pytest.skip("this browser has no WebGL at all")
    opened = Opened(page, tmp_path / "map.html")
    colours = [opened.colour_at(x, y) for x, y in CORNERS]
    assert colours[0] == [0x03, 0x79, 0xA6]
    assert colours[1] == [0x7C, 0x22, 0x03]
    assert colours[2] == [0xC4, 0xC4, 0xCC]
    assert opened.colour_at(0.25, 0.5) == [0xFF, 0xFD, 0xFB]
    context.close()


def test_points_are_sorted_once_when_the_page_opens(
    context: BrowserContext, tmp_path: Path
) -> None:
    context.add_init_script(
        """globalThis.nSorted = 0;
        const sort = Uint32Array.prototype.sort;
        Uint32Array.prototype.sort = function (...how) {
            globalThis.nSorted += 1;
            return sort.apply(this, how);
        };"""
    )
    opened = Opened(context.new_page(), write_page(tmp_path / "map.html", CORNERS))
    assert opened.page.evaluate("nSorted") == 1


def test_20_000_points_are_smooth(browser: Browser, tmp_path: Path) -> None:
    """A floor for a busy machine; the benchmark measures."""
    positions = np.random.default_rng(0).random((20_000, 2), dtype=np.float32)
    context = browser.new_context(viewport={"width": 1100, "height": 700})
    opened = Opened(context.new_page(), write_page(tmp_path / "map.html", positions))
    seconds = opened.page.evaluate(
        """() => new Promise((resolve) => {
            const canvas = document.querySelector('.map-canvas');
            const began = performance.now();
            let n = 0;
            const step = () => {
                canvas.dispatchEvent(new WheelEvent('wheel',
                    { deltaY: n % 20 < 10 ? -40 : 40, cancelable: true }));
                if (++n < 30) requestAnimationFrame(step);
                else resolve((performance.now() - began) / 1000);
            };
            requestAnimationFrame(step);
        })"""
    )
    assert 30 / seconds > 8
    context.close()
