"""The library in memory, and how it is kept up with."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import beets
from command_line import CommandLine
from libraries import add_made_tracks, circle

from beetsplug.deejai.candidates import Limits
from beetsplug.deejai.session import Session
from beetsplug.deejai.web.readonly import ReadOnlyLibrary
from beetsplug.deejai.web.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen within 4 s")


class TestShelf(CommandLine):
    def shelf(self, *, reload_s: float = 0.0) -> Shelf:
        lib = ReadOnlyLibrary(self.lib.path, self.lib.directory)
        session = Session(lib, beets.config["deejai"])
        return Shelf(session, logging.getLogger("shelf"), Limits(), reload_s=reload_s)

    def test_what_is_added_later_is_seen_without_waiting_for_it(self) -> None:
        shelf = self.shelf()
        assert shelf.contents().candidates is None
        assert "beet import" in shelf.contents().reason
        add_made_tracks(self.lib, circle(5))
        wait_for(lambda: shelf.contents().candidates is not None)
        assert len(shelf.contents().order) == 5
        assert shelf.contents().reason == ""

    def test_what_is_removed_is_gone(self) -> None:
        items = add_made_tracks(self.lib, circle(5))
        shelf = self.shelf()
        assert items[2].id in shelf.contents().order
        items[2].remove()
        wait_for(lambda: items[2].id not in shelf.contents().order)

    def test_an_unchanged_library_is_not_read_again(self) -> None:
        add_made_tracks(self.lib, circle(5))
        shelf = self.shelf()
        assert shelf.contents() is shelf.contents()

    def test_a_library_in_motion_is_read_now_and_then_only(self) -> None:
        add_made_tracks(self.lib, circle(5))
        shelf = self.shelf(reload_s=1000.0)
        before = shelf.contents()
        add_made_tracks(self.lib, circle(5))
        assert shelf.contents() is before

    def test_order_is_by_artist_album_and_track(self) -> None:
        tags = [("", "z", 1), ("b", "x", 1), ("A", "y", 2), ("A", "y", 1)]
        for artist, album, track in tags:
            self.add_item(artist=artist, albumartist=artist, album=album, track=track)
        # Who is not known comes last.
        assert self.shelf().contents().order.tolist() == [4, 3, 2, 1]
