"""Write what a mix is into its finished file: names, chapters, cover."""

from __future__ import annotations

import base64
import io
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mutagen import MutagenError
from mutagen.flac import FLAC, Picture
from mutagen.id3 import (
    APIC,
    CHAP,
    COMM,
    CTOC,
    ID3,
    TDRC,
    TIT2,
    TPE1,
    CTOCFlags,
    Encoding,
    PictureType,
)
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from beetsplug.deejai.output.atomic import explained
from beetsplug.deejai.output.text import one_line, some_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from beetsplug.deejai.output.mixing.model import Chapter

MAX_COMMENT_BYTES = 200_000
"""Longest comment: the tracklist of 1000 tracks."""

MAX_VORBIS_CHAPTERS = 1000
"""Vorbis comments number chapters in three digits."""

MAX_TAGGED_WAV_BYTES = 0xFFFF_FFFF - (32 << 20)
"""A WAV beyond this has no room for tags: RIFF counts in 32 bits."""

_MAX_CHILDREN = 255  # A table of contents in ID3 counts them in one byte.
_MAX_ID3_CHAPTER_BYTES = 125
"""Longest title of a chapter in ID3: FFmpeg leaves out chapters with a longer one.

It reads the size of a frame inside a frame as 8-bit bytes where ID3v2.4 has 7-bit ones,
and both are the same up to 127.
"""

_UTF8 = Encoding.UTF8


@dataclass(frozen=True)
class MixTags:
    """What a file tells about a mix.

    Attributes
    ----------
    title, artist
        Empty where there is nothing to say, and so below.
    date
        As ``2026``, ``2026-08`` or ``2026-08-31``.
    comment
        Of several lines, usually the tracklist.
    chapters
        In order of time.
    cover
        A JPEG or PNG; None without.
    """

    title: str
    artist: str
    date: str
    comment: str
    chapters: Sequence[Chapter]
    cover: bytes | None


def write_tags(path: str, suffix: str, tags: MixTags, *, destination: str) -> None:
    """Add tags to a finished file, in place.

    The texts may be anybody's: they are cleaned. The chapters of an m4a are not written
    here, but by the encoder, as they are a track of their own.

    Parameters
    ----------
    path
        The file, as :func:`os.fsdecode` spells it. It has no tags of a mix yet.
    suffix
        Tells its format: one of :data:`.encode.FORMATS`.
    tags
        What is written. Of more than 1000 chapters, ogg, opus and flac hold the first
        1000. A wav of more than about 4 GiB takes no tags.
    destination
        How messages name the file.

    Raises
    ------
    FatalError
        The file cannot take more.
    """
    tags = MixTags(
        title=one_line(tags.title),
        artist=one_line(tags.artist),
        date=one_line(tags.date),
        comment=some_lines(tags.comment, max_bytes=MAX_COMMENT_BYTES),
        chapters=tags.chapters,
        cover=tags.cover,
    )
    with explained(destination), _as_os_error():
        _WRITERS[suffix](path, tags)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Raise the failure of the disk that mutagen has wrapped in its own."""
    try:
        yield
    except MutagenError as error:
        reason = error.args[0] if error.args else None
        if isinstance(reason, OSError):
            raise reason from error
        raise OSError(f"its tags cannot be written ({error})") from error


def _write_mp3(path: str, tags: MixTags) -> None:
    id3 = ID3()
    _fill_id3(id3, tags)
    id3.save(path)


def _write_wav(path: str, tags: MixTags) -> None:
    with open(path, "rb") as file:
        is_plain = file.read(4) == b"RIFF"
    if not is_plain or os.path.getsize(path) > MAX_TAGGED_WAV_BYTES:
        return
    wave: Any = WAVE(path)
    wave.add_tags()
    _fill_id3(wave.tags, tags)
    wave.save()


def _fill_id3(id3: ID3, tags: MixTags) -> None:
    """Put everything into an ID3v2.4 tag.

    Chapters: https://id3.org/id3v2-chapters-1.0
    """
    for frame, text in ((TIT2, tags.title), (TPE1, tags.artist), (TDRC, tags.date)):
        if text:
            id3.add(frame(encoding=_UTF8, text=text))
    if tags.comment:
        id3.add(COMM(encoding=_UTF8, lang="XXX", desc="", text=tags.comment))
    if tags.cover:
        front = PictureType.COVER_FRONT
        mime = _mime(tags.cover)
        id3.add(APIC(encoding=_UTF8, mime=mime, type=front, desc="", data=tags.cover))
    elements = [f"ch{number}" for number in range(len(tags.chapters))]
    for contents in _contents(elements):
        id3.add(contents)
    # Mutagen would order the chapters by their size; some players show them as they
    # come. What it does not know it leaves in order.
    id3.unknown_frames += [
        _serialised(
            CHAP(
                element_id=element,
                start_time=chapter.start_ms,
                end_time=chapter.end_ms,
                sub_frames=[TIT2(encoding=_UTF8, text=_id3_title(chapter))],
            )
        )
        for element, chapter in zip(elements, tags.chapters, strict=True)
    ]


def _contents(elements: Sequence[str]) -> Iterator[CTOC]:
    """Make the table of contents: in parts where one cannot hold all chapters.

    A part is a child like a chapter, as the standard has it. Players that know no
    nested tables, as FFmpeg, take the chapters as they come.
    """
    if not elements:
        return
    ordered = CTOCFlags.ORDERED
    children = list(elements)
    level = 0
    while len(children) > _MAX_CHILDREN:
        parts = range(0, len(children), _MAX_CHILDREN)
        names = [f"toc{level}-{number}" for number in range(len(parts))]
        for name, first in zip(names, parts, strict=True):
            part = children[first : first + _MAX_CHILDREN]
            yield CTOC(element_id=name, flags=ordered, child_element_ids=part)
        children = names
        level += 1
    top = ordered | CTOCFlags.TOP_LEVEL
    yield CTOC(element_id="toc", flags=top, child_element_ids=children)


def _id3_title(chapter: Chapter) -> str:
    return one_line(chapter.title, max_bytes=_MAX_ID3_CHAPTER_BYTES)


def _serialised(frame: CHAP) -> bytes:
    """Return the bytes of a frame: a tag of nothing else, without the tag's header."""
    alone = ID3()
    alone.add(frame)
    file = io.BytesIO()
    alone.save(file, padding=lambda info: 0)
    return file.getvalue()[10:]


def _write_flac(path: str, tags: MixTags) -> None:
    flac = FLAC(path)
    flac.update(_vorbis_comments(tags))
    if tags.cover:
        flac.add_picture(_picture(tags.cover))
    flac.save()


def _write_ogg(path: str, tags: MixTags) -> None:
    _write_vorbis_comments(OggVorbis(path), tags)


def _write_opus(path: str, tags: MixTags) -> None:
    _write_vorbis_comments(OggOpus(path), tags)


def _write_vorbis_comments(ogg: Any, tags: MixTags) -> None:
    ogg.update(_vorbis_comments(tags))
    if tags.cover:
        block = base64.b64encode(_picture(tags.cover).write()).decode("ascii")
        ogg["metadata_block_picture"] = block
    ogg.save()


def _vorbis_comments(tags: MixTags) -> dict[str, str]:
    """Return all but the cover.

    Chapters: https://wiki.xiph.org/Chapter_Extension
    """
    named = {
        "title": tags.title,
        "artist": tags.artist,
        "date": tags.date,
        "comment": tags.comment,
    }
    comments = {key: text for key, text in named.items() if text}
    chapters = tags.chapters[:MAX_VORBIS_CHAPTERS]
    # They are counted from 1, unless it takes all of 000 to 999.
    first = 0 if len(chapters) == MAX_VORBIS_CHAPTERS else 1
    for number, chapter in enumerate(chapters, first):
        comments[f"CHAPTER{number:03}"] = _clock(chapter.start_ms)
        comments[f"CHAPTER{number:03}NAME"] = one_line(chapter.title)
    return comments


def _clock(time_ms: int) -> str:
    seconds, ms = divmod(time_ms, 1000)
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    return f"{hours:02}:{m:02}:{s:02}.{ms:03}"


def _write_m4a(path: str, tags: MixTags) -> None:
    mp4 = MP4(path)
    if mp4.tags is None:
        mp4.add_tags()
    named = {
        "\xa9nam": tags.title,
        "\xa9ART": tags.artist,
        "\xa9day": tags.date,
        "\xa9cmt": tags.comment,
    }
    mp4.update({key: [text] for key, text in named.items() if text})
    if tags.cover:
        is_png = _mime(tags.cover) == "image/png"
        kind = MP4Cover.FORMAT_PNG if is_png else MP4Cover.FORMAT_JPEG
        mp4["covr"] = [MP4Cover(tags.cover, imageformat=kind)]
    mp4.save()


def _picture(cover: bytes) -> Picture:
    picture = Picture()
    picture.type = PictureType.COVER_FRONT
    picture.mime = _mime(cover)
    picture.data = cover
    return picture


def _mime(cover: bytes) -> str:
    return "image/png" if cover.startswith(b"\x89PNG") else "image/jpeg"


_WRITERS = {
    ".mp3": _write_mp3,
    ".flac": _write_flac,
    ".ogg": _write_ogg,
    ".opus": _write_opus,
    ".m4a": _write_m4a,
    ".wav": _write_wav,
}
