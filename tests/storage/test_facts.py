from __future__ import annotations

import numpy as np
from beets.library import Item
from beets.test.helper import IOMixin, PluginTestHelper
from libraries import add_made_tracks, circle, current_model

from beetsplug.deejai.storage.facts import load_facts
from beetsplug.deejai.storage.library import load_vectors


class TestFacts(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    def add(self, *tracks: dict[str, object]) -> np.ndarray:
        for number, fields in enumerate(tracks):
            Item(path=f"/nowhere/{number}".encode(), **fields).add(self.lib)
        return np.sort([item.id for item in self.lib.items()])

    def test_what_is_the_same_has_the_same_code(self) -> None:
        ids = self.add(
            {"artist": "Beatles", "album": "Help!", "mb_trackid": "AB"},
            {"artist": "The Beatles feat. Billy Preston", "mb_trackid": "ab"},
            {"artist": "Various Artists", "album": "help!", "albumartist": "Beatles"},
            {"artist": "Wings", "album": "Help!"},
            {},
        )
        facts = load_facts(self.lib, ids)
        assert facts.artists.tolist() == [0, 0, -1, 1, -1]
        assert facts.albums.tolist() == [0, -1, 0, 1, -1]
        assert facts.recording_ids.tolist() == [0, 0, -1, -1, -1]
        assert list(facts.artist_names.codes) == ["beatles", "wings"]
        item = Item(artist="Wings ft. Somebody", album="HELP!", mb_trackid="aB")
        assert facts.codes_of(item) == (1, 1, 0)
        assert facts.codes_of(Item(artist="Abba")) == (-1, -1, -1)

    def test_titles_and_lengths_are_those_of_the_tracks_asked_for(self) -> None:
        ids = self.add(
            {"title": "One", "length": 60.0},
            {"title": "Two", "length": -1.0},
            {"title": "", "length": 0.0},
            {"title": "Four", "length": 90.5},
        )
        with self.lib.transaction() as tx:
            tx.mutate("UPDATE items SET title = NULL, length = NULL WHERE id = 3")
        facts = load_facts(self.lib, ids)
        assert facts.titles == ["One", "Two", "", "Four"]
        assert facts.lengths_s.tolist() == [60.0, 0.0, 0.0, 90.5]
        assert load_facts(self.lib, ids[[1, 3]]).titles == ["Two", "Four"]
        # A vector may be left behind by an item that is gone.
        facts = load_facts(self.lib, np.array([ids[3], 99]))
        assert facts.titles == ["Four", ""]
        assert facts.artists.tolist() == [-1, -1]

    def test_there_may_be_none(self) -> None:
        facts = load_facts(self.lib, np.zeros(0, dtype=np.int64))
        assert facts.titles == []
        assert facts.artists.shape == facts.lengths_s.shape == (0,)


class TestVectors(IOMixin, PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    def test_vectors_of_others_and_what_is_none_are_left_out_and_counted(self) -> None:
        items = add_made_tracks(self.lib, circle(7))
        with self.lib.transaction() as tx:
            for item, key, value in [
                (items[1], "deejai_model", "another"),
                (items[2], "deejai_vector", "x" * 536),
                (items[3], "deejai_vector", ""),
                (items[4], "deejai_vector", "AAAA"),
                (items[5], "deejai_vector", "A" * 534 + "=="),
            ]:
                tx.mutate(
                    "UPDATE item_attributes SET value = ? WHERE entity_id = ?"
                    " AND key = ?",
                    (value, item.id, key),
                )
        stored = load_vectors(self.lib, current_model())
        assert stored.item_ids.tolist() == [items[0].id, items[6].id]
        assert np.allclose(stored.vectors, circle(7)[[0, 6]], atol=1e-6)
        assert stored.counts == {"another": 1, current_model(): 5}
