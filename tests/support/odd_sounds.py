"""A folder of sounds that break naive code: damaged, odd, or no sound at all."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, NamedTuple

import av
import mutagen
import numpy as np
import soundfile
from mutagen.id3 import APIC, ID3, TIT2
from mutagen.mp4 import MP4, MP4Cover
from mutagen.ogg import OggPage
from sounds import RATE, noise, tone, write_sound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408"
    "d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""A picture of one pixel."""


class OddSound(NamedTuple):
    """One file, or the lack of one.

    Attributes
    ----------
    path
        Where it is.
    kind
        What is odd about it, in words; different for each.
    playable
        Whether something of it should be heard in a mix.
    """

    path: Path
    kind: str
    playable: bool


def make_odd_sounds(folder: Path) -> list[OddSound]:
    """Write every kind of odd sound into a folder, in the order of their kinds."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        *_odd_formats(folder),
        *_odd_lengths(folder),
        *_odd_levels(folder),
        *_damaged(folder),
        *_odd_tags(folder),
        *_odd_names(folder),
        *_no_sounds(folder),
    ]


def _odd_formats(folder: Path) -> Iterator[OddSound]:
    for name, rate, layout, codec in [
        ("mono 8 kHz.wav", 8_000, "mono", "pcm_s16le"),
        ("11 kHz of 8 bits.wav", 11_025, "mono", "pcm_u8"),
        ("96 kHz 5.1.flac", 96_000, "5.1", "flac"),
        ("192 kHz.flac", 192_000, "stereo", "flac"),
        ("24 bits.wav", 48_000, "stereo", "pcm_s24le"),
        ("opus.opus", 48_000, "stereo", "libopus"),
        ("adpcm.wav", 22_050, "mono", "adpcm_ms"),
    ]:
        wave = tone(seconds=2, rate=rate)
        path = write_sound(folder / name, wave, rate=rate, layout=layout, codec=codec)
        yield OddSound(path, path.stem, playable=True)
    mp3 = write_sound(folder / "mp3.mp3", tone(330, seconds=2))
    yield OddSound(mp3.rename(folder / "mp3 named flac.flac"), "mp3 named flac", True)
    wav = write_sound(folder / "wav.wav", tone(350, seconds=2))
    yield OddSound(wav.rename(folder / "wav named mp3.mp3"), "wav named mp3", True)
    for size, kind in [(0, "0"), (0xFFFFFFFF, "4 GiB")]:
        path = write_sound(folder / f"declares {kind}.wav", tone(370, seconds=2))
        data = bytearray(path.read_bytes())
        start = data.index(b"data") + 4
        data[4:8] = data[start : start + 4] = struct.pack("<I", size)
        path.write_bytes(data)
        yield OddSound(path, f"wav that declares {kind}", playable=True)


def _odd_lengths(folder: Path) -> Iterator[OddSound]:
    for n_samples, kind in [(4_410, "0.1 s"), (1, "one sample"), (0, "no sample")]:
        path = folder / f"{kind}.wav"
        soundfile.write(path, tone(seconds=1)[1_000 : 1_000 + n_samples], RATE)
        yield OddSound(path, kind, playable=n_samples > 1)


def _odd_levels(folder: Path) -> Iterator[OddSound]:
    sound, silence = tone(seconds=2), np.zeros(2 * RATE, np.float32)
    garbage = tone(400, seconds=2)
    garbage[1_000:1_100] = np.nan
    garbage[5_000], garbage[6_000] = np.inf, -np.inf
    garbage[20_000:20_003] = 1e30, -1e30, 3e38
    for kind, wave, playable in [
        ("silence", silence, False),
        ("silence around music", np.r_[silence, sound, silence], True),
        ("clipped square", 0.999 * np.sign(sound), True),
        ("music with a DC offset", 0.4 * sound + 0.5, True),
        ("pure DC", silence + 0.5, False),
        ("right and left out of phase", np.c_[sound, -sound], True),
        ("one channel silent", np.c_[sound, silence], True),
    ]:
        path = folder / f"{kind}.wav"
        soundfile.write(path, wave, RATE)
        yield OddSound(path, kind, playable)
    for kind, wave, playable in [
        ("noise at -70 dBFS", _scaled(noise(seconds=2), dbfs=-70), False),
        ("float over full scale", 6 * sound, True),
        ("NaN, infinite and huge floats", garbage, True),
        ("nothing but NaN", silence + np.float32(np.nan), False),
    ]:
        path = folder / f"{kind}.wav"
        soundfile.write(path, wave, RATE, subtype="FLOAT")
        yield OddSound(path, kind, playable)


def _scaled(wave: npt.NDArray[np.float32], *, dbfs: float) -> npt.NDArray[np.float32]:
    """Scale a wave to a root mean square relative to full scale."""
    rms = np.sqrt(np.mean(np.square(wave, dtype=np.float64)))
    return (wave * (10 ** (dbfs / 20) / rms)).astype(np.float32)


def _damaged(folder: Path) -> Iterator[OddSound]:
    for suffix in (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a"):
        rate = 48_000 if suffix == ".opus" else RATE
        path = folder / f"truncated{suffix}"
        write_sound(path, noise(seconds=4, rate=rate), rate=rate)
        _cut(path)
        # The index of an MP4 comes last: without it nothing is found.
        yield OddSound(path, f"truncated {suffix[1:]}", playable=suffix != ".m4a")
    path = _index_first(write_sound(folder / "plain.m4a", noise(seconds=4)))
    _cut(path)
    yield OddSound(path, "truncated m4a with its index first", playable=True)
    for suffix in (".flac", ".mp3", ".ogg"):
        path = write_sound(folder / f"damaged{suffix}", noise(seconds=4, seed=2))
        data = bytearray(path.read_bytes())
        begin, n_bytes = len(data) // 2, len(data) // 4
        data[begin : begin + n_bytes] = np.random.default_rng(0).bytes(n_bytes)
        path.write_bytes(data)
        yield OddSound(path, f"{suffix[1:]} with a damaged middle", playable=True)
    path = write_sound(folder / "zeros.mp3", noise(seconds=4, seed=3))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(data)
    yield OddSound(path, "mp3 whose second half is zeros", playable=True)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _index_first(path: Path) -> Path:
    """Rewrite an MP4 for streaming: with its index before the audio."""
    rewritten = path.with_stem("index first")
    options = {"movflags": "faststart"}
    with (
        av.open(str(path)) as source,
        av.open(str(rewritten), "w", options=options) as target,
    ):
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    path.unlink()
    return rewritten


def _odd_tags(folder: Path) -> Iterator[OddSound]:
    junk = np.random.default_rng(1).bytes(3_000)
    mp3 = write_sound(folder / "junk.mp3", tone(500, seconds=2))
    mp3.write_bytes(junk + mp3.read_bytes() + b"TAG" + bytes(125) + junk)
    yield OddSound(mp3, "mp3 with junk before and after", playable=True)

    mp3 = write_sound(folder / "broken tags.mp3", tone(520, seconds=2))
    tags = ID3()
    tags.add(APIC(3, "image/png", 3, "cover", PNG + bytes(20_000)))
    tags.add(TIT2(3, "title"))
    tags.save(mp3)
    mp3.write_bytes(mp3.read_bytes().replace(b"TIT2\0\0", b"TIT2\x7f\x7f", 1))
    yield OddSound(mp3, "mp3 with a cover and broken tags", playable=True)

    mp3 = write_sound(folder / "joined.mp3", tone(530, seconds=2))
    tags.save(mp3)
    mp3.write_bytes(mp3.read_bytes() * 2)
    yield OddSound(mp3, "two mp3 with tags joined together", playable=True)

    ogg = write_sound(folder / "tags.ogg", tone(540, seconds=2))
    put_tag_that_is_not_utf8(ogg)
    yield OddSound(ogg, "ogg with tags that are not UTF-8", playable=True)

    ogg = write_sound(folder / "chained.ogg", tone(560, seconds=2))
    link = write_sound(
        folder / "link.ogg", tone(580, seconds=2, rate=32_000), rate=32_000
    )
    ogg.write_bytes(ogg.read_bytes() + link.read_bytes())
    link.unlink()
    yield OddSound(ogg, "chained ogg of two sampling rates", playable=True)

    m4a = write_sound(folder / "cover.m4a", tone(600, seconds=2))
    cover = MP4(m4a)
    cover["covr"] = [MP4Cover(PNG, MP4Cover.FORMAT_PNG)]
    cover.save()
    yield OddSound(m4a, "m4a with a cover as a video stream", playable=True)


def put_tag_that_is_not_utf8(ogg: Path) -> None:
    """Give an Ogg a title in Latin-1, as old taggers did."""
    tags = mutagen.File(ogg)
    tags["title"] = "cafX"
    tags.save()
    pages = []
    with ogg.open("rb") as file:
        while file.tell() < ogg.stat().st_size:
            pages.append(OggPage(file))
    for page in pages:
        page.packets = [p.replace(b"cafX", b"caf\xe9") for p in page.packets]
    ogg.write_bytes(b"".join(page.write() for page in pages))


def _odd_names(folder: Path) -> Iterator[OddSound]:
    plain = write_sound(folder / "plain.wav", tone(620, seconds=1)).read_bytes()
    for name, kind in [
        (b"'quotes\" [x];,:=\\.wav", "name with quotes"),
        (b"two\nlines.wav", "name of two lines"),
        (b"caf\xe9.wav", "name that is not UTF-8"),
        (b"%41 b#c.wav", "name with a per cent sign"),
    ]:
        path = folder / os.fsdecode(name)
        path.write_bytes(plain)
        yield OddSound(path, kind, playable=True)


def _no_sounds(folder: Path) -> Iterator[OddSound]:
    target = folder / "plain.wav"
    for name, kind, content in [
        ("text.mp3", "text", "these are words, and no music\n" * 200),
        ("empty.mp3", "empty", ""),
        ("far.mp3", "playlist of an address", "http://127.0.0.1:9/a.ts"),
        ("near.mp3", "playlist of a file", target.as_uri()),
    ]:
        if kind.startswith("playlist"):
            content = f"#EXTM3U\n#EXTINF:9,\n{content}\n#EXT-X-ENDLIST\n"
        (folder / name).write_text(content)
        yield OddSound(folder / name, kind, playable=False)
    (folder / "folder.mp3").mkdir()
    yield OddSound(folder / "folder.mp3", "directory", playable=False)
    (folder / "dangling.mp3").symlink_to(folder / "gone.mp3")
    yield OddSound(folder / "dangling.mp3", "dangling link", playable=False)
    yield OddSound(folder / "missing.mp3", "missing", playable=False)
