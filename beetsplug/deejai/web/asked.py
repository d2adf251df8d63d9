"""What requests bring: nothing but what is known."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Asked(BaseModel):
    """The query or the path of a request."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Body(Asked):
    """The JSON of a request, in which a number is a number and no text."""

    model_config = ConfigDict(strict=True)
