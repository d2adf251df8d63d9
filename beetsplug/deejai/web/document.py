"""The API's document, with what every route may answer."""

from __future__ import annotations

import copy
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from beetsplug.deejai.web.tracks import Message

if TYPE_CHECKING:
    from flask_openapi3 import OpenAPI

REFUSALS = (400, 401, 403, 404, 405, 409, 413, 414, 415, 421, 422, 429, 503)
"""What any request may be refused with, most of it before a route sees it."""

_SCHEMA = {"$ref": "#/components/schemas/Message"}
_REFUSAL = {"content": {"application/json": {"schema": _SCHEMA}}}


def document_of(app: OpenAPI) -> dict[str, Any]:
    """Return the document of all routes that an application has by now.

    flask-openapi3 writes the invalid input of each route as a list, and knows nothing
    of what stands before the application.
    """
    document = copy.deepcopy(app.api_doc)
    document["components"].setdefault("schemas", {})["Message"] = (
        Message.model_json_schema()
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].update(
                {
                    str(status): {**_REFUSAL, "description": HTTPStatus(status).phrase}
                    for status in REFUSALS
                }
            )
            # Without one it is open, with one it is not: both are said.
            operation["security"] = [{}, {"token": []}]
    return document
