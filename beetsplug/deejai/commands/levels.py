"""The loudness that a track's own tags tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beets import config
from confuse import ConfigError

if TYPE_CHECKING:
    from beets.library import Item

# A level of N dB in beets' plugin replaygain is N - 107 LUFS.
_LUFS_OF_0_DB = -107
_REPLAYGAIN_DB = 89.0  # -18 LUFS, the reference of ReplayGain 2.
_R128_DB = 84.0  # -23 LUFS, that of EBU R128.

_MAX_GAIN_DB = 40.0
_SECOND_CHANNEL_LU = 3.01


def tagged_loudness(item: Item) -> float | None:
    """Tell how loud a track is when it is played in stereo, from its tags.

    Gains are relative to the levels that beets' plugin ``replaygain`` is configured
    with, or to the standard ones: -18 LUFS for ReplayGain, -23 LUFS for R128.

    Parameters
    ----------
    item
        Its ``r128_track_gain``, else its ``rg_track_gain`` is taken, in dB.

    Returns
    -------
    float or None
        In LUFS, at most 0. None when the tags tell nothing that can be trusted, so that
        the track has to be measured.
    """
    # A mix-down of more channels has another loudness. How many tools count the one
    # channel of a mono file is fixed for R128 only: once, though both sides play it.
    if item.channels not in (1, 2):
        return None
    is_mono = item.channels == 1
    level_db = _level("r128_targetlevel", _R128_DB) + _SECOND_CHANNEL_LU * is_mono
    loudness = _loudness(item.r128_track_gain, level_db)
    if loudness is None and not is_mono:
        level_db = _level("targetlevel", _REPLAYGAIN_DB)
        loudness = _loudness(item.rg_track_gain, level_db)
    return loudness


def _loudness(gain_db: float | None, level_db: float) -> float | None:
    # 0 is also what beets reads from a tag that is no number.
    if not gain_db or not abs(gain_db) <= _MAX_GAIN_DB:
        return None
    loudness = level_db - gain_db + _LUFS_OF_0_DB
    return loudness if loudness <= 0 else None


def _level(key: str, standard: float) -> float:
    try:
        return float(config["replaygain"][key].as_number())
    except ConfigError:
        # The plugin is not loaded, and the user has not set it.
        return standard
