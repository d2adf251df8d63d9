from __future__ import annotations

import io
import os
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mediafile import MediaFile
from PIL import Image
from sounds import tone, write_sound

from beetsplug.deejai.output.mixing.cover import (
    MAX_COVER_BYTES,
    MAX_SIDE,
    art_of,
    draw_cover,
)

if TYPE_CHECKING:
    from pathlib import Path

WAVES = 0.1 + 0.05 * np.sin(np.arange(2000) / 60)


def picture(
    kind: str, size: tuple[int, int], *, mode: str = "RGB", noisy: bool = False
) -> bytes:
    if noisy:
        rng = np.random.default_rng(0)
        image = Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8))
    else:
        image = Image.linear_gradient("L").resize(size).convert(mode)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def bomb() -> bytes:
    """Make a PNG of a few bytes that claims 60 000 x 60 000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + content + chunk(b"IEND", b"")


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """A track without art."""
    return str(write_sound(tmp_path / "bare.mp3", tone(seconds=0.5)))


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".m4a", ".ogg", ".wma"])
def test_art_inside_a_track_comes_first_and_as_it_is(
    tmp_path: Path, suffix: str
) -> None:
    inside = picture("JPEG", (300, 300))
    path = write_sound(tmp_path / f"track{suffix}", tone(seconds=0.5))
    media = MediaFile(path)
    media.art = inside
    media.save()
    beside = tmp_path / "cover.png"
    beside.write_bytes(picture("PNG", (200, 200)))
    assert art_of(str(path), art_path=str(beside)) == inside


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_art_beside_a_track_is_taken_otherwise(
    tmp_path: Path, bare: str, kind: str
) -> None:
    beside = tmp_path / "cover"
    beside.write_bytes(picture(kind, (1000, 700)))
    assert art_of(bare, art_path=str(beside)) == beside.read_bytes()
    # Also of a track that cannot be read itself.
    assert art_of(str(tmp_path / "gone"), art_path=str(beside)) is not None


@pytest.mark.parametrize(
    ("kind", "size", "mode", "expected"),
    [
        ("JPEG", (2400, 1200), "RGB", (1000, 500)),
        ("JPEG", (1001, 1001), "CMYK", (1000, 1000)),
        ("PNG", (1200, 2400), "RGBA", (500, 1000)),
        ("PNG", (1500, 1500), "P", (1000, 1000)),
        ("PNG", (3000, 2), "L", (1000, 1)),
    ],
)
def test_large_art_is_scaled_down_to_a_jpeg(
    tmp_path: Path,
    bare: str,
    kind: str,
    size: tuple[int, int],
    mode: str,
    expected: tuple[int, int],
) -> None:
    beside = tmp_path / "cover"
    beside.write_bytes(picture(kind, size, mode=mode))
    image = opened(art_of(bare, art_path=str(beside)))
    assert (image.format, image.size, image.mode) == ("JPEG", expected, "RGB")


def test_heavy_art_becomes_lighter(tmp_path: Path, bare: str) -> None:
    beside = tmp_path / "cover.png"
    beside.write_bytes(picture("PNG", (MAX_SIDE, MAX_SIDE), noisy=True))
    assert beside.stat().st_size > MAX_COVER_BYTES
    data = art_of(bare, art_path=str(beside))
    assert opened(data).size == (MAX_SIDE, MAX_SIDE)
    assert data is not None
    assert len(data) <= MAX_COVER_BYTES


def test_what_shines_through_becomes_white(tmp_path: Path, bare: str) -> None:
    beside = tmp_path / "cover.png"
    Image.new("RGBA", (1200, 1200), (0, 0, 0, 0)).save(beside)
    image = opened(art_of(bare, art_path=str(beside)))
    assert image.getpixel((500, 500)) == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        picture("JPEG", (300, 300))[:-500],
        picture("PNG", (300, 300))[:-100],
        picture("PNG", (1200, 1200))[:-100],
        picture("GIF", (300, 300), mode="L"),
        picture("BMP", (300, 300)),
        bomb(),
    ],
    ids=["empty", "text", "half jpeg", "half png", "half large", "gif", "bmp", "bomb"],
)
def test_what_cannot_be_used_is_passed_over(
    tmp_path: Path, bare: str, data: bytes
) -> None:
    beside = tmp_path / "cover.jpg"
    beside.write_bytes(data)
    assert art_of(bare, art_path=str(beside)) is None


@settings(max_examples=40)
@given(st.data())
def test_damage_anywhere_raises_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    good = picture(data.draw(st.sampled_from(["JPEG", "PNG"])), (40, 40))
    broken = bytearray(good)
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, len(good) - 1))] = data.draw(
            st.integers(0, 255)
        )
    beside = tmp_path_factory.mktemp("broken") / "cover"
    beside.write_bytes(broken)
    art = art_of("gone.mp3", art_path=str(beside))
    assert art is None or opened(art).size


def test_a_path_to_nothing_is_passed_over(tmp_path: Path, bare: str) -> None:
    assert art_of(bare) is None
    for odd in (tmp_path, tmp_path / "gone", os.devnull, "nul\0"):
        assert art_of(str(odd), art_path=str(odd)) is None


@settings(max_examples=4, deadline=None)
@given(
    title=st.text(max_size=60),
    levels=st.lists(st.floats(0, 1), max_size=300),
    starts=st.lists(st.floats(0, 1), max_size=20).map(sorted),
)
def test_any_mix_is_drawn_the_same_every_time(
    title: str, levels: list[float], starts: list[float]
) -> None:
    drawn = draw_cover(title=title, levels=levels, starts=starts)
    image = opened(drawn)
    assert (image.format, image.size) == ("JPEG", (800, 800))
    assert draw_cover(title=title, levels=levels, starts=starts) == drawn


def test_different_mixes_look_different() -> None:
    usual = draw_cover(title="Mix", levels=WAVES, starts=[0, 0.5])
    assert draw_cover(title="Mix", levels=WAVES[::-1], starts=[0, 0.5]) != usual
    assert draw_cover(title="Mix", levels=WAVES, starts=[0, 0.3, 0.5]) != usual
    assert draw_cover(title="Other", levels=WAVES, starts=[0, 0.5]) != usual


@pytest.mark.parametrize("title", ["одна песня", "Sigur Rós"])
def test_a_title_that_the_font_cannot_show_is_left_away(title: str) -> None:
    without = draw_cover(title="", levels=WAVES, starts=[0])
    assert draw_cover(title=title, levels=WAVES, starts=[0]) == without


def ink(title: str) -> np.ndarray:
    """Return where the title's white is, below the record."""
    drawn = opened(draw_cover(title=title, levels=np.zeros(9), starts=[0]))
    return np.argwhere(np.asarray(drawn.convert("L"))[560:] > 120)


@pytest.mark.parametrize("title", ["soul -> techno in 9 steps", "W" * 250, "W i " * 60])
def test_a_title_stands_below_with_space_around_it(title: str) -> None:
    rows, columns = ink(title).T
    assert rows.size > 100
    assert rows.max() < 240 - 20
    assert columns.min() > 40
    assert columns.max() < 800 - 40


def test_of_a_long_title_only_the_line_that_does_not_fit_is_cut() -> None:
    rows, columns = ink("l " + "W" * 100).T
    above = columns[rows < (rows.min() + rows.max()) / 2]
    # An ellipsis behind the letter would make it wider.
    assert np.ptp(above) < 8
    assert np.ptp(columns) > 500


def test_bars_are_longer_where_it_is_louder() -> None:
    levels = np.concatenate([np.full(500, 0.3), np.full(500, 0.05)])
    drawn = opened(draw_cover(title="", levels=levels, starts=[0]))
    light = np.asarray(drawn.convert("L"), dtype=float)
    # The mix goes around clockwise from the top: its first half is at the right.
    assert light[:, 440:].mean() > 1.5 * light[:, :360].mean()
