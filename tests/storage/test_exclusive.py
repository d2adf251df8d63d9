"""One process at a time in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.storage.exclusive import exclusive

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_one_is_refused_until_the_first_is_done(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    with exclusive(folder, doing="mending"):
        with (
            pytest.raises(FatalError, match=r"mending is at work in .*here already"),
            exclusive(folder, doing="mending"),
        ):
            pytest.fail("both are in it")
        with exclusive(tmp_path, doing="mending"):
            pass
    with exclusive(folder, doing="mending"):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(FatalError, match="cannot write"),
        exclusive(tmp_path / "file", doing="mending"),
    ):
        pytest.fail("there is no folder")
