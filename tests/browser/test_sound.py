"""What comes out of the deck in a real browser: crossfades, odd formats, loudness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from browsers import DEMO_S, FOREIGN, pick, play_whole, plays, until
from playwright.sync_api import expect

if TYPE_CHECKING:
    from browsers import Home, Visit
    from playwright.sync_api import Page

CROSSFADE_S = DEMO_S / 3
"""A crossfade takes at most a third of what is played of a track."""

WATCH = """() => {
    window.watched = [];
    window.watching = setInterval(() => {
        const decks = [...document.querySelectorAll("audio")];
        const now = decks.map(({ src, paused, volume, currentTime }) =>
            ({ src, isPlaying: !paused, volume, time: currentTime }));
        window.watched.push({ at: performance.now() / 1000, decks: now });
    }, 20);
}"""

WATCHED = """() => {
    clearInterval(window.watching);
    return window.watched;
}"""

SOUNDING = """[...document.querySelectorAll("audio")].filter((deck) => !deck.paused)"""


@dataclass(frozen=True)
class Moment:
    """What the two elements do, in the order of the page."""

    at_s: float
    volumes: tuple[float, float]
    times_s: tuple[float, float]
    playing: tuple[bool, bool]
    addresses: tuple[str, str]


def moments(page: Page) -> list[Moment]:
    """Return what was seen since it was begun to watch."""
    return [
        Moment(
            each["at"],
            *(
                tuple(deck[name] for deck in each["decks"])
                for name in ("volume", "time", "isPlaying", "src")
            ),
        )
        for each in page.evaluate(WATCHED)
    ]


def streams(page: Page) -> list[str]:
    """Collect which sounds are asked for."""
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if "/stream" in request.url else None,
    )
    return asked


def volume(page: Page) -> float:
    """Return the volume of the only element that plays."""
    until(page, f"{SOUNDING}.length === 1")
    return float(page.evaluate(f"{SOUNDING}[0].volume"))


class TestCrossfade:
    def test_both_tracks_play_at_the_end_with_constant_power(
        self, visit: Visit
    ) -> None:
        page = visit.page
        pick(page, "Harbour")
        plays(page, "Harbour")
        page.evaluate(WATCH)
        expect(page.locator("#now-title")).not_to_have_text("Harbour")
        until(page, f"{SOUNDING}.length === 2")
        until(page, f"{SOUNDING}.length === 1")
        page.wait_for_timeout(200)
        seen = moments(page)

        was = seen[0].playing.index(True)
        now = 1 - was
        fading = [each for each in seen if all(each.playing) and each.volumes[now] > 0]
        assert len(fading) > 5
        for each in fading:
            power = sum(volume**2 for volume in each.volumes)
            assert power == pytest.approx(1.0, abs=0.02)
        falling = [each.volumes[was] for each in fading]
        rising = [each.volumes[now] for each in fading]
        assert falling == sorted(falling, reverse=True)
        assert rising == sorted(rising)
        # Nobody hears a step, neither at its begin nor at its end.
        assert falling[0] > 0.7
        assert rising[-1] > 0.7
        # Both go on while it lasts, for as long as is left of what is played.
        for which in (was, now):
            assert fading[-1].times_s[which] > fading[0].times_s[which] + 0.3
        assert fading[0].times_s[was] > DEMO_S - CROSSFADE_S - 0.1
        assert fading[-1].at_s - fading[0].at_s < 2 * CROSSFADE_S

        after = seen[-1]
        assert not after.playing[was]
        assert after.playing[now]
        assert after.volumes[now] == 1.0
        assert after.addresses[now] == fading[0].addresses[now]
        until(page, "deejai.player.state === 'playing'")


class TestFormats:
    @pytest.mark.parametrize("title", FOREIGN)
    def test_what_no_browser_plays_is_asked_for_as_wav(
        self, visit: Visit, title: str
    ) -> None:
        page = visit.page
        play_whole(page)
        asked = streams(page)
        pick(page, title)
        plays(page, title)
        ref = page.evaluate("deejai.player.current.ref")
        own = [address for address in asked if f"/tracks/{ref}/" in address]
        assert own
        assert all(address.endswith("?as=wav") for address in own)
        # It can be gone on with anywhere.
        page.evaluate("deejai.player.seek(12)")
        until(page, "deejai.player.time > 12.1")

    @pytest.mark.parametrize(("title", "suffix"), FOREIGN.items())
    def test_a_file_of_such_a_format_plays(
        self, visit: Visit, home: Home, title: str, suffix: str
    ) -> None:
        page = visit.page
        play_whole(page)
        asked = streams(page)
        page.set_input_files("#file", next(home.music.rglob(title + suffix)))
        plays(page, title)
        ref = page.evaluate("deejai.player.current.ref")
        assert ref[0] == "u"
        assert any(address.endswith(f"/{ref}/stream?as=wav") for address in asked)

    def test_what_the_browser_turns_out_not_to_play_is_asked_for_as_wav(
        self, visit: Visit
    ) -> None:
        page = visit.page
        page.route(
            "**/stream",
            lambda route: route.fulfill(body=b"no audio", content_type="audio/flac"),
        )
        play_whole(page)
        asked = streams(page)
        pick(page, "Concrete")
        plays(page, "Concrete")
        assert [address.rpartition("/")[2] for address in asked[:2]] == [
            "stream",
            "stream?as=wav",
        ]


class TestLoudness:
    def test_the_slider_and_the_button_change_it(self, visit: Visit) -> None:
        page = visit.page
        play_whole(page)
        pick(page, "Fog")
        plays(page, "Fog")
        assert volume(page) == 1.0
        page.locator("#volume").fill("0.3")
        assert volume(page) == pytest.approx(0.3)
        page.click("#mute")
        assert volume(page) == 0.0
        expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#volume")).to_have_value("0")
        page.click("#mute")
        assert volume(page) == pytest.approx(0.3)
        expect(page.locator("#mute")).to_have_attribute("aria-pressed", "false")

    def test_the_next_track_and_the_next_visit_are_as_loud(self, visit: Visit) -> None:
        page = visit.page
        play_whole(page)
        page.locator("#volume").fill("0.3")
        for title in ("Fog", "Neon"):
            pick(page, title)
            plays(page, title)
            assert volume(page) == pytest.approx(0.3)
        page.reload()
        expect(page.locator("#volume")).to_have_value("0.3")
        play_whole(page)
        pick(page, "Fog")
        plays(page, "Fog")
        assert volume(page) == pytest.approx(0.3)
