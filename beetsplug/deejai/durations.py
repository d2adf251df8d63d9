"""Durations as people write them."""

from __future__ import annotations


def format_duration(seconds: float) -> str:
    """Write a duration as people do: ``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
