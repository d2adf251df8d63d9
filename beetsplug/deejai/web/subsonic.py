"""What OpenSubsonic's messages look like: https://opensubsonic.netlify.app/docs/.

Each is one tree of dictionaries. JSON writes it as it is; in XML, plain values are
attributes, dictionaries are elements, and lists are elements that come repeatedly.
"""

from __future__ import annotations

import os
import re
from binascii import unhexlify
from contextlib import suppress
from hashlib import md5
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from beetsplug.deejai.commands.names import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from beets.library import Item

    from beetsplug.deejai.web.gate import Gate
    from beetsplug.deejai.web.tracks import TrackInfo

API_VERSION = "1.16.1"

USERNAME = "deck"
"""Of the only user there is, for those who ask whose key they have."""

_NAMESPACE = "http://subsonic.org/restapi"

# The letters that XML 1.0 has no way to write.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

GENERIC = 0
MISSING_PARAMETER = 10
WRONG_PASSWORD = 40
CONFLICTING_WAYS = 43
WRONG_KEY = 44
NOT_FOUND = 70


class SubsonicError(Exception):
    """A request that fails; its code is one of the specification's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def envelope(content: Mapping[str, Any]) -> dict[str, Any]:
    """Put the answer to a request into what every answer has."""
    return {
        "status": "ok",
        "version": API_VERSION,
        "type": "beets-deejai",
        "serverVersion": version("beets-deejai"),
        "openSubsonic": True,
        **content,
    }


def failure(error: SubsonicError) -> dict[str, Any]:
    """Make the answer to a request that fails."""
    content = {"error": {"code": error.code, "message": error.message}}
    return {**envelope(content), "status": "failed"}


def as_xml(answer: Mapping[str, Any]) -> bytes:
    """Write an answer as XML."""
    root = ElementTree.Element("subsonic-response", xmlns=_NAMESPACE)
    _fill(root, answer)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _fill(element: ElementTree.Element, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, list):
            for each in value:
                _add(element, name, each)
        elif isinstance(value, dict):
            _add(element, name, value)
        else:
            element.set(name, _text(value))


def _add(element: ElementTree.Element, name: str, value: Any) -> None:
    child = ElementTree.SubElement(element, name)
    if isinstance(value, dict):
        _fill(child, value)
    else:
        child.text = _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _NO_XML.sub("", str(value))


def child(item: Item, info: TrackInfo) -> dict[str, Any]:
    """Describe a track as a ``Child``.

    What the deck does not tell is left out: the path above all, and the ids of albums
    and artists, since they cannot be asked about here.
    """
    suffix = os.path.splitext(os.fsdecode(item.path))[1].removeprefix(".").lower()
    entry = {
        "id": info.ref,
        "title": name_of(item),
        "album": info.album,
        "artist": info.artist,
        "track": item.track,
        "discNumber": item.disc,
        "year": info.year,
        "genre": info.genre,
        "coverArt": info.ref if info.has_cover else None,
        "contentType": info.mime.partition(";")[0],
        "suffix": suffix,
        "duration": round(info.length_s),
        "bitRate": item.bitrate // 1000 if item.bitrate else None,
        "type": "music",
    }
    # Older fields are left out where they would be empty; those that OpenSubsonic
    # added are always there, so that programs know what to expect.
    known = {name: value for name, value in entry.items() if value not in (None, "", 0)}
    return {
        **known,
        "isDir": False,
        "isVideo": False,
        "mediaType": "song",
        "bitDepth": item.bitdepth or 0,
        "samplingRate": item.samplerate or 0,
        "channelCount": item.channels or 0,
        "bpm": item.bpm or 0,
        "musicBrainzId": item.mb_trackid or "",
        "genres": [{"name": name} for name in item.genres or ()],
        "displayArtist": info.artist,
    }


def similarity_of(cosine: float) -> float:
    """Bring a cosine similarity, -1 to 1, to what the specification wants: 0 to 1."""
    return min(1.0, max(0.0, (1.0 + cosine) / 2.0))


def is_authorised(gate: Gate, given: Mapping[str, str]) -> bool | None:
    """Whether a request proves that it knows the deck's token.

    Parameters
    ----------
    gate
        Compares.
    given
        The request's parameters: ``apiKey``, or any user ``u`` with the token as the
        password ``p`` or within ``t``.

    Returns
    -------
    bool or None
        None: it does not try to.

    Raises
    ------
    SubsonicError
        It tries in two ways at once.
    """
    has_key = "apiKey" in given
    if has_key and any(name in given for name in ("u", "p", "t", "s")):
        raise SubsonicError(CONFLICTING_WAYS, "give apiKey, or u with p or t, not both")
    if has_key:
        return gate.is_right(given["apiKey"])
    if "t" in given:
        salt = given.get("s", "")
        return gate.matches(given["t"].lower(), lambda token: _digest(token + salt))
    if "p" in given:
        return gate.is_right(_password(given["p"]))
    return None


def _digest(text: str) -> str:
    # The protocol asks for MD5; here it only has to be what the other side computes.
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _password(text: str) -> str:
    if text.startswith("enc:"):
        with suppress(ValueError):
            return unhexlify(text.removeprefix("enc:")).decode()
    return text
