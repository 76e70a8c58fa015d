"""What the description of the interface (OpenAPI) says of bodies and statuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

_BINARY = {"schema": {"type": "string", "format": "binary"}}

DETECT_BODY: dict[str, Any] = {
    "video/*": _BINARY,
    "application/octet-stream": _BINARY,
    "multipart/form-data": {
        "schema": {"type": "object", "properties": {"video": {"type": "string", "format": "binary"}}}
    },
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["path"],
            "additionalProperties": False,
            "properties": {"path": {"type": "string", "description": "Of a video below a folder of the server."}},
        }
    },
}

_WHY = {
    202: "The video waits or is worked on; ask for the job again.",
    400: "The upload was cut off.",
    403: "The path lies outside of the folders that may be read.",
    404: "There is none, or it was removed.",
    408: "The upload is too slow.",
    413: "The video is larger than is taken.",
    415: "What is sent is no video by what it says of itself.",
    422: "The request cannot be understood.",
    429: "The queue is full; try again after Retry-After seconds.",
    503: "The server is being stopped, or no worker is ready.",
    507: "There is no room for more videos.",
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"description": f"{HTTPStatus(status).phrase}: {why}"} for status, why in _WHY.items()
}
