"""What filters hear in a library, and what they are called."""

from __future__ import annotations

import numpy as np
from beets import config
from beets.test.helper import PluginTestHelper
from libraries import add_made_tracks
from made_genres import store_slices

from beetsplug.deejai.filters.layers import list_layers
from beetsplug.deejai.filters.report import keras_encoder, make_report
from beetsplug.deejai.session import Session


class TestVersions(PluginTestHelper):
    plugin = "deejai"
    db_on_disk = True

    def test_many_versions_of_a_few_recordings_make_no_other_tag_telling(self) -> None:
        rng = np.random.default_rng(0)
        recordings = np.repeat(np.arange(30), [10] * 6 + [1] * 24)
        slices = rng.standard_normal((30, 1, 100))[recordings]
        items = add_made_tracks(self.lib, slices[:, 0])
        for item, recording in zip(items, recordings.tolist(), strict=True):
            item["mb_trackid"] = f"recording {recording}"
            item["genres"] = ["Alpha"] if recording < 6 else ["Beta"]
            item.store()
        store_slices(self.lib, items, slices)
        session = Session(self.lib, config["deejai"])
        encoder = keras_encoder(session)
        layer = list_layers(encoder)[-1]
        report = make_report(
            *(session, encoder, layer, items), numbers=range(24), by="max", n_tops=10
        )
        for one in report.filters:
            titles = {top.item["mb_trackid"] for top in one.tops}
            assert len(titles) == len(one.tops) == 10
            assert one.tags == []
