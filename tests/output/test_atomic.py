from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.atomic import atomic_writer

if TYPE_CHECKING:
    from pathlib import Path


def test_the_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new"
    with atomic_writer(str(path)) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert os.listdir(tmp_path) == ["new"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, BrokenPipeError])
def test_an_error_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")

    def write_half() -> None:
        with atomic_writer(str(path)) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["old"]


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with atomic_writer(str(path)) as file:
        file.write(b"new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_permissions_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with atomic_writer(str(tmp_path / "new")):
        pass
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_stays_a_link_to_the_new_content(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    with atomic_writer(str(tmp_path / "link")) as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_the_longest_name_and_a_name_that_is_not_text_can_be_written(
    tmp_path: Path,
) -> None:
    folder = os.fsencode(tmp_path)
    for name in (b"x" * 255, b"caf\xe9"):
        with atomic_writer(os.path.join(folder, name)) as file:
            file.write(b"new")
        assert name in os.listdir(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(FatalError, match="nowhere does not exist"),
        atomic_writer(str(tmp_path / "nowhere" / "file")),
    ):
        pass


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="is a folder"), atomic_writer(str(tmp_path)):
        pass


def test_a_device_is_not_replaced() -> None:
    with (
        pytest.raises(FatalError, match="not a regular file"),
        atomic_writer(os.devnull),
    ):
        pass
    assert not os.path.isfile(os.devnull)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_protected_file_or_folder_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.touch(mode=0o444)
    with (
        pytest.raises(FatalError, match="write-protected"),
        atomic_writer(str(path)),
    ):
        pass
    tmp_path.chmod(0o555)
    with (
        pytest.raises(FatalError, match="Permission denied"),
        atomic_writer(str(tmp_path / "new")),
    ):
        pass
    tmp_path.chmod(0o755)
