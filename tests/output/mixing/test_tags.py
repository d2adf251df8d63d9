from __future__ import annotations

import dataclasses
import io
import os
import shutil
from typing import TYPE_CHECKING, Any

import av
import mutagen
import numpy as np
import pytest
from mediafile import MediaFile
from mutagen.id3 import ID3
from mutagen.mp4 import MP4
from PIL import Image
from sounds import noise

from beetsplug.deejai.errors import FatalError
from beetsplug.deejai.output.mixing.encode import FORMATS, open_encoder
from beetsplug.deejai.output.mixing.model import Chapter
from beetsplug.deejai.output.mixing.tags import MixTags, write_tags

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    Make: TypeAlias = Callable[[str, MixTags], Path]


def picture(kind: str, *, side: int = 300) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


COVER = picture("JPEG")


def chapters(n: int, *, seconds: float = 2.0) -> list[Chapter]:
    """Make chapters whose titles differ in length, so that no order is that of size."""
    edges = np.linspace(0, seconds, n + 1)
    return [
        Chapter(start, end, f"{'x' * (number * 7 % 13)}Künstler {number} - Títle")
        for number, (start, end) in enumerate(
            zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        )
    ]


def tags(n: int = 3, **changes: Any) -> MixTags:
    usual = MixTags(
        title="soul -> techno in 9 stéps",
        artist="Various Artists",
        date="2026-08-31",
        comment="00:00 One\n03:20 Two",
        chapters=chapters(n),
        cover=COVER,
    )
    return dataclasses.replace(usual, **changes)


def encode(path: Path, described: MixTags | None) -> Path:
    target = FORMATS[path.suffix]
    wave = np.repeat(noise(seconds=2, rate=target.sample_rate)[:, None], 2, axis=1)
    with (
        open(path, "wb") as file,
        open_encoder(
            file,
            target,
            destination=str(path),
            tags=(lambda: described) if described else None,
        ) as write,
    ):
        write(wave)
    return path


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of each format without tags."""
    folder = tmp_path_factory.mktemp("bare")
    return {suffix: encode(folder / f"bare{suffix}", None) for suffix in FORMATS}


@pytest.fixture
def tagged(tmp_path: Path, bare: dict[str, Path]) -> Make:
    """Tag a file, in the cheapest way that gives it all that it takes."""

    def make(suffix: str, described: MixTags) -> Path:
        path = tmp_path / f"mix{suffix}"
        if suffix == ".m4a":
            return encode(path, described)
        shutil.copy(bare[suffix], path)
        write_tags(str(path), suffix, described, destination=str(path))
        return path

    return make


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0])]


def n_decoded(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(f.samples for f in container.decode(container.streams.audio[0]))


def read_chapters(path: Path) -> list[tuple[int, int | None, str]]:
    """Return start and end in milliseconds and the title, as FFmpeg reads them."""
    with av.open(str(path)) as container:
        return [
            (
                round(1000 * c["start"] * c["time_base"]),
                round(1000 * c["end"] * c["time_base"]),
                c["metadata"]["title"],
            )
            for c in container.chapters()
        ]


@pytest.mark.parametrize("suffix", FORMATS)
def test_names_and_cover_are_read_elsewhere(suffix: str, tagged: Make) -> None:
    path = tagged(suffix, tags())
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        # In Ogg they belong to the stream.
        found = {
            key.lower(): text
            for key, text in {**container.metadata, **stream.metadata}.items()
        }
        kinds = [s.type for s in container.streams if s.type != "data"]
    assert found["title"] == "soul -> techno in 9 stéps"
    assert found["artist"] == "Various Artists"
    assert found["date"] == "2026-08-31"
    assert found["comment"] == "00:00 One\n03:20 Two"
    assert kinds == ["audio", "video"]
    media = MediaFile(path)
    assert media.art == COVER
    assert media.title == "soul -> techno in 9 stéps"
    assert str(media.date) == "2026-08-31"


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("n", [0, 1, 3, 300, 1000])
def test_chapters_are_read_elsewhere_in_their_order(
    suffix: str, n: int, tagged: Make
) -> None:
    found = read_chapters(tagged(suffix, tags(n)))
    made = chapters(n)
    assert [(start, title) for start, _, title in found] == [
        (chapter.start_ms, chapter.title) for chapter in made
    ]
    # Chapters of Vorbis comments have no end: FFmpeg takes the start of the next.
    assert [end for _, end, _ in found[:-1]] == [c.end_ms for c in made[:-1]]


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_sound_stays_as_it_was(
    suffix: str, bare: dict[str, Path], tagged: Make
) -> None:
    path = tagged(suffix, tags(300))
    assert packets(path) == packets(bare[suffix])
    assert n_decoded(path) == n_decoded(bare[suffix])
    assert mutagen.File(path).info.length == mutagen.File(bare[suffix]).info.length


@pytest.mark.parametrize("n", [1, 255, 256, 1000])
def test_the_contents_of_an_mp3_reach_every_chapter_in_order(
    n: int, tagged: Make
) -> None:
    id3 = ID3(tagged(".mp3", tags(n)))
    contents = {toc.element_id: toc for toc in id3.getall("CTOC")}
    assert all(len(toc.child_element_ids) <= 255 for toc in contents.values())
    (top,) = (name for name, toc in contents.items() if toc.flags & 2)

    def walk(name: str) -> list[str]:
        if name not in contents:
            return [name]
        assert contents[name].flags & 1
        return [leaf for c in contents[name].child_element_ids for leaf in walk(c)]

    found = {chapter.element_id: chapter for chapter in id3.getall("CHAP")}
    leaves = walk(top)
    assert sorted(leaves) == sorted(found)
    assert [found[leaf].start_time for leaf in leaves] == [
        chapter.start_ms for chapter in chapters(n)
    ]
    assert found[leaves[0]].sub_frames["TIT2"] == [chapters(n)[0].title]


def test_an_m4a_has_the_chapters_of_both_kinds_of_player(tagged: Make) -> None:
    path = tagged(".m4a", tags(300))
    made = chapters(300)
    # The list of Nero, which holds no more than 255.
    listed = MP4(path).chapters
    assert [chapter.title for chapter in listed] == [c.title for c in made[:255]]
    # The track of QuickTime, which FFmpeg prefers.
    with av.open(str(path)) as container:
        (track,) = container.streams.data
        assert track.frames == 300


def test_more_chapters_than_vorbis_comments_number_are_cut_off(tagged: Make) -> None:
    found = read_chapters(tagged(".opus", tags(1002)))
    assert len(found) == 1000
    assert found[0][0] == 0


@pytest.mark.parametrize("suffix", FORMATS)
def test_empty_tags_leave_a_file_that_opens(suffix: str, tagged: Make) -> None:
    path = tagged(suffix, MixTags("", "", "", "", [], None))
    assert n_decoded(path) > 80_000
    assert MediaFile(path).title is None


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("a\0b\udce9\n c\x1b", "a b? c"),
        ("x" * 10_000_000, "x" * 252 + "…"),
        ("é" * 300, "é" * 126 + "…"),
        ("CHAPTER001=x", "CHAPTER001=x"),
    ],
    ids=["control", "huge", "cut", "syntax"],
)
def test_texts_may_be_anything(
    suffix: str, dirty: str, clean: str, tagged: Make
) -> None:
    chapter = Chapter(0, 2, dirty)
    described = tags(title=dirty, artist=dirty, comment=dirty, chapters=[chapter])
    path = tagged(suffix, described)
    media = MediaFile(path)
    assert (media.title, media.artist) == (clean, clean)
    assert len(media.comments) <= 200_000
    # FFmpeg cannot read longer titles of chapters in ID3.
    longest = 125 if suffix in (".mp3", ".wav") else 255
    (read,) = (title for *_, title in read_chapters(path))
    assert len(read.encode()) <= longest
    assert read == clean or clean.startswith(read.removesuffix("…"))
    assert len(read.encode()) > 120 or read == clean


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_png_is_told_from_a_jpeg(suffix: str, tagged: Make) -> None:
    cover = picture("PNG", side=20)
    (image,) = MediaFile(tagged(suffix, tags(cover=cover))).images
    assert (image.data, image.mime_type) == (cover, "image/png")


def test_a_wav_beyond_four_gigabytes_is_left_alone(
    tmp_path: Path, bare: dict[str, Path]
) -> None:
    path = tmp_path / "mix.wav"
    path.write_bytes(b"RF64" + bare[".wav"].read_bytes()[4:])
    before = path.read_bytes()
    write_tags(str(path), ".wav", tags(), destination="mix.wav")
    assert path.read_bytes() == before


def test_a_wav_with_no_room_for_tags_is_left_alone(
    tmp_path: Path, bare: dict[str, Path]
) -> None:
    path = tmp_path / "mix.wav"
    shutil.copy(bare[".wav"], path)
    # A hole, which takes no room on disk.
    os.truncate(path, 0xFFFF_FF00)
    write_tags(str(path), ".wav", tags(), destination="mix.wav")
    assert path.stat().st_size == 0xFFFF_FF00


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_name_that_is_not_text_can_be_tagged(
    tmp_path: Path, bare: dict[str, Path], suffix: str
) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9%d"
    shutil.copy(bare[suffix], path)
    write_tags(os.fsdecode(path), suffix, tags(), destination="x")
    assert MediaFile(path).title == "soul -> techno in 9 stéps"


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_is_told(
    tmp_path: Path, bare: dict[str, Path], suffix: str
) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "half"
    shutil.copy(bare[suffix], path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))
    try:
        with pytest.raises(FatalError, match="cannot write mix: File too large"):
            write_tags(str(path), suffix, tags(300), destination="mix")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
