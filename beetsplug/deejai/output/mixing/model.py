"""What a mix is made of, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class MixTrack:
    """One track to be mixed.

    Attributes
    ----------
    path
        The audio file, as :func:`os.fsdecode` spells it.
    title, artist
        For the mix's tags.
    length_s
        Duration in seconds for the estimate of the progress; 0 when it is not known.
    loudness
        Integrated loudness in LUFS where it is known; otherwise it is measured.
    bpm
        Tempo where it is known.
    art_path
        An image beside the file, if there is one.
    """

    path: str
    title: str
    artist: str = ""
    length_s: float = 0.0
    loudness: float | None = None
    bpm: float | None = None
    art_path: str | None = None

    @property
    def name(self) -> str:
        """Artist and title."""
        return " - ".join(filter(None, [self.artist, self.title]))


@dataclass(frozen=True)
class MixOptions:
    """How tracks are mixed.

    Attributes
    ----------
    crossfade_s
        Longest overlap of two tracks in seconds, 0 to 60; 0 joins them without a gap.
    loudness
        What every track is brought to, in LUFS; None leaves the levels as they are.
    trim
        Leave out silence at either end of a track.
    preview
        Render only 10 s before and after each join.
    bitrate_kbps, quality, sample_rate
        As :func:`.encode.format_of` takes them.
    """

    crossfade_s: float = 6.0
    loudness: float | None = -14.0
    trim: bool = True
    preview: bool = False
    bitrate_kbps: int | None = None
    quality: float | None = None
    sample_rate: int | None = None


@dataclass(frozen=True)
class Placed:
    """A track in the mix.

    Attributes
    ----------
    number
        Which of the given tracks it is, from 0.
    track
        As it was given.
    start_s, end_s
        Where it is heard, the overlaps with its neighbours included, in seconds.
    """

    number: int
    track: MixTrack
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Chapter:
    """One part of a mix.

    Attributes
    ----------
    start_s, end_s
        In seconds from the start of the file.
    title
        What a player shows.
    """

    start_s: float
    end_s: float
    title: str

    @property
    def start_ms(self) -> int:
        """The start as files hold it."""
        return round(1000 * self.start_s)

    @property
    def end_ms(self) -> int:
        """The end as files hold it, after the start."""
        return max(self.start_ms + 1, round(1000 * self.end_s))


@dataclass(frozen=True)
class MixResult:
    """What was rendered.

    Attributes
    ----------
    title
        The mix's title tag.
    duration_s
        Duration of the mix in seconds.
    placed
        The tracks that are in it.
    passages_s
        In a preview: where the way to each next track begins, in seconds.
    left_out
        Path and reason of each track that is not.
    cut_short
        Path and reason of each track that ends where it is damaged.
    """

    title: str
    duration_s: float
    placed: tuple[Placed, ...]
    passages_s: tuple[float, ...]
    left_out: tuple[tuple[str, str], ...]
    cut_short: tuple[tuple[str, str], ...]

    @property
    def artist(self) -> str:
        """The artist of all of it, or "Various Artists"."""
        artists = {placed.track.artist for placed in self.placed}
        return artists.pop() if len(artists) == 1 else "Various Artists"

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """A chapter for each track, in a preview for each join."""
        names = [placed.track.name for placed in self.placed]
        starts_s: Sequence[float] = [placed.start_s for placed in self.placed]
        if self.passages_s:
            names = [f"{one} -> {other}" for one, other in pairwise(names)]
            starts_s = self.passages_s
        ends_s = [*starts_s[1:], self.duration_s]
        return tuple(map(Chapter, starts_s, ends_s, names))
