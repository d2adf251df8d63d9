"""What can go wrong, and whom it concerns."""

from __future__ import annotations


class DeejaiError(Exception):
    """Any failure whose message is written for the user."""


class TrackError(DeejaiError):
    """One track cannot be used; the run goes on without it."""


class FatalError(DeejaiError):
    """Nothing can go on; the message names the remedy."""
