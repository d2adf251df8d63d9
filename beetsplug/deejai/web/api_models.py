"""What the API takes and gives, beside tracks."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from beetsplug.deejai.web.asked import Asked, Body
from beetsplug.deejai.web.queries import MAX_QUERY
from beetsplug.deejai.web.tracks import Ref, Similar, TrackInfo

MAX_LISTED = 500
"""Tracks that one answer holds."""

MAX_REFS = 10_000

_Seed = Annotated[int, Field(ge=0, lt=2**63, description="Of the noise")]
_Drunk = Annotated[
    float,
    Field(ge=0.0, le=1.0, allow_inf_nan=False, description="Randomness: 0 is none"),
]


class Status(BaseModel):
    """The deck and its library."""

    version: str
    library: str = Field(description="Tells libraries apart")
    model: str = Field(description="Id of the encoder")
    n_items: int
    n_tracks: int = Field(description="Items that have a vector")
    n_allowed: int = Field(description="Those of them that may be proposed")
    reason: str = Field(description="Why there are none, and what to do; else empty")
    keep_on: int
    drunk: float
    n_steps: int = Field(description="Tracks between waypoints, if nothing is said")
    crossfade_s: float
    loudness: float | None = Field(description="Of mixes, in LUFS; null is off")
    demo_s: float | None = Field(description="Play so many seconds of each track")
    mix_formats: list[str]


class SearchQuery(Asked):
    """What to search."""

    q: str = Field("", max_length=MAX_QUERY, description="A query of beets; empty: all")
    limit: int = Field(20, ge=1, le=MAX_LISTED)
    offset: int = Field(0, ge=0, lt=2**31)


class SearchResult(BaseModel):
    """The tracks found."""

    total: int
    tracks: list[TrackInfo]


class SimilarQuery(Asked):
    """What to be similar to."""

    seed: list[Ref] = Field(min_length=1, max_length=100)
    avoid: list[Ref] = Field([], alias="not", max_length=100)
    n: int = Field(10, ge=0, le=MAX_LISTED)


class SimilarTracks(BaseModel):
    """Tracks, nearest first."""

    tracks: list[Similar]


class PlaylistBody(Body):
    """What was played, and how to go on."""

    seeds: list[Ref] = Field(
        max_length=100,
        description="What was played last, oldest first; empty: begin with any track",
    )
    n: int = Field(1, ge=0, le=MAX_LISTED)
    keep_on: int | None = Field(None, ge=1, le=100)
    drunk: _Drunk | None = None
    seed: _Seed = 0
    avoid: list[Ref] = Field(
        [], alias="not", max_length=MAX_REFS, description="Never, and away from these"
    )
    like: list[Ref] = Field([], max_length=MAX_REFS, description="Towards these")
    played: list[Ref] = Field([], max_length=MAX_REFS, description="Not these again")


class Reason(BaseModel):
    """A track that a choice went by."""

    ref: str
    title: str
    artist: str
    similarity: float


class Chosen(Similar):
    """A track that was chosen, and why."""

    why: list[Reason] = Field(description="What it is like of what it followed")


class PlaylistResult(BaseModel):
    """The tracks that come next."""

    tracks: list[Chosen]
    notices: list[str]


class JourneyBody(Body):
    """Where to lead."""

    waypoints: list[Ref] = Field(min_length=2, max_length=50)
    n: int | None = Field(None, ge=0, le=200, description="Tracks between each two")
    length_s: float | None = Field(
        None, ge=0.0, le=86_400.0, allow_inf_nan=False, description="Time to fill"
    )
    drunk: _Drunk = 0.0
    seed: _Seed = 0
    avoid: list[Ref] = Field([], alias="not", max_length=MAX_REFS)

    @model_validator(mode="after")
    def _check_amount(self) -> JourneyBody:
        if self.n is not None and self.length_s is not None:
            raise ValueError("n and length_s exclude each other")
        return self


class Stopped(Similar):
    """A track of a journey."""

    is_waypoint: bool


class JourneyResult(BaseModel):
    """The way."""

    title: str
    tracks: list[Stopped]
    notices: list[str]


class M3uBody(Body):
    """A playlist to save."""

    tracks: list[Ref] = Field(min_length=1, max_length=MAX_REFS)
    title: str = Field("", max_length=200)
