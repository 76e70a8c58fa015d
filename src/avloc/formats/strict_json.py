"""JSON read strictly: what is not as it should be is an error of one line that names the place.

Every function takes `where`, the words that such a line begins with: file, video, entry.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from avloc.errors import FormatError
from avloc.formats.text import PathLike, read_bytes

_TWICE = object()  # key that no JSON object can have: marks an object in which some key stands twice


def dump_json(value: object, path: PathLike, what: str) -> str:
    """One line of JSON. A value that JSON cannot hold is a FormatError."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(
            f"{path}: {what} cannot be written as JSON ({error}); give texts, finite numbers and lists"
        ) from error


def load_json(path: PathLike) -> object:
    """The content of a JSON file.

    Raises:
        FormatError: it cannot be read, is no JSON, is too large or nested too deeply.
    """
    content = read_bytes(path, "a JSON file of events")
    try:
        return json.loads(content, object_pairs_hook=_pairs)
    except RecursionError as error:
        raise FormatError(f"{path} is nested too deeply to be a file of events") from error
    except ValueError as error:  # json.JSONDecodeError, UnicodeDecodeError, a number of thousands of digits
        raise FormatError(f"{path} is not JSON ({error})") from error


def _pairs(pairs: list[tuple[str, Any]]) -> dict[Any, Any]:
    entries: dict[Any, Any] = dict(pairs)
    if len(entries) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                entries[_TWICE] = key
            seen.add(key)
    return entries


def as_object(value: object, where: str, needed: str) -> dict[str, Any]:
    """An object without a key that stands twice."""
    if not isinstance(value, dict):
        raise FormatError(f"{where} is {kind(value)}; {needed} is needed")
    if _TWICE in value:
        raise FormatError(f"{where}: the key {value[_TWICE]!r} stands there twice")
    return value


def field(fields: Mapping[str, Any], key: str, where: str) -> object:
    """The value of a key that must be there."""
    if key not in fields:
        raise FormatError(f'{where} has no "{key}"')
    return fields[key]


def as_list(value: object, where: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise FormatError(f"{where} is {kind(value)}; a list is needed")
    return value


def as_text(value: object, where: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise FormatError(f"{where} is {kind(value)}; a text is needed")
    return value


def as_number(value: object, where: str) -> float:
    """A finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(f"{where} is {kind(value)}; a number is needed")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FormatError(f"{where} is {kind(number)}; a finite number is needed")
    return number


def kind(value: object) -> str:
    """What a value is, in words for an error."""
    match value:
        case dict():
            return "an object"
        case list():
            return f"a list of {len(value)}"
        case str():
            return f"the text {value[:40]!r}" if value else "an empty text"
        case None:
            return "null"
        case _:
            return str(value).lower()
