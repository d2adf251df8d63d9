"""The map as one page that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from beetsplug.deejai.output.standalone import standalone_page

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPT = "mappage.js"
STYLES = ("page.css", "mappage.css", "map.css")


def map_page(fields: Mapping[str, Any], *, title: str) -> bytes:
    """Write the page.

    Parameters
    ----------
    fields
        As :func:`~beetsplug.deejai.atlas.fields.map_fields` returns them, with ``path``
        and ``album`` beside them, one for each track; and ``way``, the rows of a
        playlist in order.
    title
        Of the page.

    Returns
    -------
    bytes
        UTF-8.
    """
    return standalone_page(
        fields,
        title=title,
        lead="What sounds alike lies together.",
        main="map",
        script=SCRIPT,
        styles=STYLES,
    )
