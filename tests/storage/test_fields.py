from __future__ import annotations

import base64

import numpy as np
import pytest
from beets.test.helper import IOMixin, PluginTestHelper
from hypothesis import given
from hypothesis import strategies as st

from beetsplug.deejai.storage.fields import VectorType, encode_vector


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=100))
def test_a_vector_survives_as_text(values: list[float]) -> None:
    text = encode_vector(np.array(values, dtype=np.float32))
    assert text == VectorType().normalize(values)
    back = np.frombuffer(base64.b64decode(text), dtype="<f4")
    assert np.array_equal(back, np.array(values, dtype=np.float32))


def test_text_is_left_as_it_is() -> None:
    assert VectorType().normalize("AAAA") == "AAAA"


class TestVectorOnItems(IOMixin, PluginTestHelper):
    plugin = "deejai"

    @pytest.fixture
    def vector(self) -> np.ndarray:
        return np.linspace(-1, 1, 100, dtype=np.float32)

    def test_an_array_is_stored_and_read_back(self, vector: np.ndarray) -> None:
        item = self.add_item(title="one")
        item["deejai_vector"] = vector
        item.store()
        text = self.lib.get_item(item.id)["deejai_vector"]
        assert len(text) == 536
        assert np.array_equal(np.frombuffer(base64.b64decode(text), "<f4"), vector)

    def test_modify_keeps_the_vector(self, vector: np.ndarray) -> None:
        item = self.add_item(title="one")
        item["deejai_vector"] = vector
        item.store()
        self.run_command("modify", "-y", "-W", "-M", "title:one", "title=two")
        assert self.lib.items("title:two")[0]["deejai_vector"] == encode_vector(vector)

    def test_items_with_a_vector_are_found_by_their_model(self) -> None:
        self.add_item(title="without")
        item = self.add_item(title="with")
        item["deejai_model"] = "compact-0"
        item.store()
        output = self.run_with_output("ls", "-f", "$title", "deejai_model::.")
        assert output == "with\n"
