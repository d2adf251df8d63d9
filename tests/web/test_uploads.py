from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mediafile import MediaFile
from odd_sounds import make_odd_sounds
from sounds import tone, write_sound

from beetsplug.deejai.embedding.outside import Outsider
from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.web.private_folder import PrivateFolder, remove_left_behind
from beetsplug.deejai.web.refusal import Refusal
from beetsplug.deejai.web.uploads import UploadLimits, Uploads, shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

VECTOR = np.eye(1, 100, dtype=np.float32)[0]
HEARD = Outsider(VECTOR, VECTOR, VECTOR, VECTOR[None])


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of this test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("sound")
    return write_sound(folder / "sound.mp3", tone(seconds=2)).read_bytes()


class Ear:
    """Hears at the pace that a test wants."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.paths: list[str] = []
        self.failure: Exception | str | None = None
        self.part = 0.5

    def __call__(
        self, names: Sequence[str], *, progress: Callable[[float], None]
    ) -> tuple[dict[str, Outsider], list[tuple[str, str]]]:
        self.paths += names
        progress(self.part)
        assert self.go_on.wait(10)
        progress(self.part)
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return {}, [(name, self.failure) for name in names]
        return dict.fromkeys(names, HEARD), []


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def make(ear: Ear) -> Iterator[Callable[..., Uploads]]:
    made = []

    def make(clock: Callable[[], float] = time.monotonic, **limits: Any) -> Uploads:
        made.append(Uploads(ear, limits=UploadLimits(**limits), clock=clock))
        return made[-1]

    yield make
    ear.go_on.set()
    for uploads in made:
        uploads.close()


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 5 s")


def add(uploads: Uploads, content: bytes, name: str = "sound.mp3") -> str:
    return uploads.add(io.BytesIO(content), name).ref


def refusal(uploads: Uploads, content: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        add(uploads, content)
    assert "\n" not in caught.value.message
    return caught.value


def files(folder: Path) -> list[Path]:
    """List what lies in private folders, but the lock."""
    return [path for path in folder.glob("*/*") if path.name != "in-use"]


def test_an_upload_is_kept_and_heard(
    make: Callable[..., Uploads], ear: Ear, sound: bytes, temporary: Path
) -> None:
    uploads = make()
    ear.go_on.clear()
    ref = add(uploads, sound, "folder/My song.mp3")
    upload = uploads.get(ref)
    assert upload.name == "My song.mp3"
    assert upload.item.title == "My song"
    assert upload.item.length == pytest.approx(2, abs=0.1)
    assert upload.item.id is None
    assert uploads.item(ref) is upload.item
    assert Path(os.fsdecode(upload.item.path)).read_bytes() == sound
    wait_for(lambda: upload.progress == 0.5)
    assert upload.state == "listening"
    assert uploads.heard(ref) is None
    ear.go_on.set()
    wait_for(lambda: upload.state == "ready")
    assert upload.progress == 1
    assert uploads.heard(ref) is HEARD


def test_tags_come_from_the_file_itself(
    make: Callable[..., Uploads], tmp_path: Path
) -> None:
    path = write_sound(tmp_path / "tagged.flac", tone(seconds=1))
    media = MediaFile(path)
    media.update({"title": "Title", "artist": "Artist", "album": "Album"})
    media.save()
    # Whatever its name claims.
    uploads = make()
    item = uploads.item(add(uploads, path.read_bytes(), "song.mp3"))
    assert item is not None
    assert (item.title, item.artist, item.album) == ("Title", "Artist", "Album")
    assert item.format == "FLAC"


def test_nobody_else_can_look_into_the_folder(
    make: Callable[..., Uploads], sound: bytes, temporary: Path
) -> None:
    uploads = make()
    path = Path(os.fsdecode(uploads.get(add(uploads, sound)).item.path))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.parent.parent == temporary


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "/absolute.mp3",
        "",
        ".",
        "..",
        "a" * 5000,
        "line\nbreak\x1b[31m.mp3",
        "half \ud800 of a pair.mp3",
        "CON.mp3",
    ],
)
def test_a_name_is_only_shown(
    make: Callable[..., Uploads], sound: bytes, temporary: Path, name: str
) -> None:
    uploads = make()
    ref = add(uploads, sound, name)
    upload = uploads.get(ref)
    (path,) = files(temporary)
    assert path.name == f"{ref}.mp3"
    shown = upload.name.encode()
    assert b"/" not in shown
    assert 0 < len(shown) < 300
    assert shown.decode().isprintable()
    assert upload.item.title


def test_names_are_told_without_folders() -> None:
    assert shown_name("C:\\Music\\a song.mp3") == "a song.mp3"
    assert shown_name("") == "file"


def test_what_is_empty_or_no_audio_is_refused(
    make: Callable[..., Uploads], temporary: Path
) -> None:
    uploads = make()
    assert refusal(uploads, b"").status == 422
    for content in (b"these are words\n" * 100, b"\x89PNG\r\n\x1a\n" + bytes(500)):
        assert refusal(uploads, content).status == 415
    assert files(temporary) == []


def test_a_playlist_makes_nobody_read_other_files(
    make: Callable[..., Uploads], tmp_path: Path
) -> None:
    other = write_sound(tmp_path / "secret.mp3", tone(seconds=2))
    uploads = make()
    for content in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{other}\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXTINF:2,\n{other.as_uri()}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {other}\n",
        "ffconcat version 1.0\nfile secret.mp3\n",
        f"[playlist]\nFile1={other}\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=audio 5004 RTP/AVP 0\n",
    ):
        assert refusal(uploads, content.encode()).status == 415


def test_any_sound_is_taken_however_odd_and_the_rest_is_refused(
    make: Callable[..., Uploads], tmp_path: Path
) -> None:
    uploads = make(n_files=1000)
    for odd in make_odd_sounds(tmp_path / "odd"):
        if not odd.path.is_file():
            continue
        content = odd.path.read_bytes()
        if odd.playable:
            assert add(uploads, content, odd.path.name), odd.kind
            continue
        with suppress(Refusal):
            add(uploads, content, odd.path.name)


def test_size_and_length_are_bounded(
    make: Callable[..., Uploads], sound: bytes, temporary: Path
) -> None:
    error = refusal(make(file_bytes=len(sound) - 1), sound)
    assert error.status == 413
    error = refusal(make(duration_s=1.0), sound)
    assert error.status == 413
    assert "0:01" in error.message
    assert files(temporary) == []
    assert add(make(file_bytes=len(sound)), sound)


def test_what_lasts_longer_than_it_declares_is_heard_no_further(
    make: Callable[..., Uploads], ear: Ear, sound: bytes
) -> None:
    ear.part = 100.0
    uploads = make(duration_s=60.0)
    upload = uploads.get(add(uploads, sound))
    wait_for(lambda: upload.state == "failed")
    assert upload.error == "cannot be heard: this file is longer than 1:00"


def test_number_and_size_of_all_are_bounded(
    make: Callable[..., Uploads], sound: bytes, temporary: Path
) -> None:
    now_s = 0.0

    def clock() -> float:
        nonlocal now_s
        now_s += 1
        return now_s

    uploads = make(clock, n_files=3)
    refs = [add(uploads, sound) for _ in range(3)]
    # The first was just played: the second goes.
    uploads.item(refs[0])
    newest = add(uploads, sound)
    assert [uploads.item(ref) is None for ref in refs] == [False, True, False]
    assert len(files(temporary)) == 3
    assert uploads.item(newest) is not None

    small = make(total_bytes=len(sound) * 2)
    refs = [add(small, sound) for _ in range(4)]
    assert [small.item(ref) is None for ref in refs] == [True, True, False, False]


def test_old_uploads_are_deleted(
    make: Callable[..., Uploads], sound: bytes, temporary: Path
) -> None:
    now_s = 0.0
    uploads = make(lambda: now_s, age_s=100.0)
    ref = add(uploads, sound)
    now_s = 99.0
    assert uploads.item(ref) is not None
    now_s = 100.0
    assert uploads.item(ref) is None
    assert uploads.heard(ref) is None
    assert files(temporary) == []
    with pytest.raises(Refusal) as caught:
        uploads.get(ref)
    assert caught.value.status == 404


def test_what_is_deleted_is_heard_no_further(
    make: Callable[..., Uploads], ear: Ear, sound: bytes, temporary: Path
) -> None:
    uploads = make()
    ear.go_on.clear()
    refs = [add(uploads, sound) for _ in range(3)]
    wait_for(lambda: len(ear.paths) == 1)
    uploads.remove(refs[0])
    uploads.remove(refs[1])
    assert len(files(temporary)) == 1
    ear.go_on.set()
    wait_for(lambda: uploads.get(refs[2]).state == "ready")
    assert [refs[1] in path for path in ear.paths] == [False, False]
    with pytest.raises(Refusal):
        uploads.remove(refs[0])


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("the track is silent", "cannot be heard: the track is silent"),
        (FatalError("the model is gone"), "cannot be heard: the model is gone"),
        (ValueError("odd\nthing"), "cannot be heard: ValueError: odd thing"),
    ],
)
def test_what_cannot_be_heard_is_told_in_one_line_and_the_next_is_heard(
    make: Callable[..., Uploads],
    ear: Ear,
    sound: bytes,
    failure: Exception | str,
    told: str,
) -> None:
    uploads = make()
    ear.failure = failure
    upload = uploads.get(add(uploads, sound))
    wait_for(lambda: upload.state == "failed")
    assert upload.error == told
    ear.failure = None
    upload = uploads.get(add(uploads, sound))
    wait_for(lambda: upload.state == "ready")


def test_a_full_disk_is_told(
    make: Callable[..., Uploads], sound: bytes, temporary: Path
) -> None:
    uploads = make()
    temporary.rmdir()
    error = refusal(uploads, sound)
    assert error.status == 507
    assert str(temporary) not in error.message


def test_closing_deletes_everything_and_ends_hearing(
    make: Callable[..., Uploads], ear: Ear, sound: bytes, temporary: Path
) -> None:
    uploads = make()
    ear.go_on.clear()
    add(uploads, sound)
    wait_for(lambda: bool(ear.paths))
    threading.Timer(0.1, ear.go_on.set).start()
    uploads.close()
    assert list(temporary.iterdir()) == []
    assert refusal(uploads, sound).status == 503


def test_a_deck_without_uploads_makes_no_folder(
    make: Callable[..., Uploads], temporary: Path
) -> None:
    make().close()
    assert list(temporary.iterdir()) == []


# ---- Folders ----

_HOLD = """
import sys, tempfile, time
from beetsplug.deejai.web.private_folder import PrivateFolder, remove_left_behind
tempfile.tempdir = sys.argv[1]
folder = PrivateFolder("deck-")
open(folder.path + "/song", "w").close()
print(folder.path, flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_and_nothing_else(
    temporary: Path, tmp_path: Path
) -> None:
    other = temporary / "deck-of-somebody"
    other.mkdir()
    linked = tmp_path / "linked"
    linked.mkdir()
    (temporary / "deck-link").symlink_to(linked)
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(temporary)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as output:
        held = Path(output.readline().strip())
    try:
        remove_left_behind("deck-")
        assert held.is_dir()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert held.is_dir()
    remove_left_behind("deck-")
    assert not held.exists()
    assert other.is_dir()
    assert linked.is_dir()
    os.utime(other, (0, 0))
    remove_left_behind("deck-")
    assert not other.exists()


def test_a_new_deck_removes_what_a_killed_one_left(
    make: Callable[..., Uploads], temporary: Path
) -> None:
    left = temporary / "deejai-uploads-left"
    left.mkdir()
    (left / "in-use").touch()
    (left / "song").touch()
    make()
    assert list(temporary.iterdir()) == []


def test_a_private_folder_goes_with_all_that_is_in_it(temporary: Path) -> None:
    folder = PrivateFolder("deck-")
    Path(folder.path, "song").touch()
    folder.close()
    assert list(temporary.iterdir()) == []
