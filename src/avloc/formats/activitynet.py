"""Events <-> JSON in the form of ActivityNet, which the field's benchmarks and evaluators share.

Detections:  {"version": ..., "results": {video: [{"segment": [start_s, end_s], "label": ..., "score": ...}]},
              "external_data": {...}}
Truth:       {"version": ..., "database": {video: {"duration": s, "subset": ...,
              "annotations": [{"segment": [start_s, end_s], "label": ...}]}}}

The form is that of the ActivityNet benchmark (Caba Heilbron et al. 2015) and of UnAV-100 (Geng et al. 2023).
Reading is strict: what is odd is an error that names file, video and entry. Other fields are ignored. Who gives
`on_odd` to `read_results` gets the odd entries told one by one instead, and the rest.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file

VERSION = "1.0"

PathLike = str | os.PathLike[str]

_TWICE = object()  # key that no JSON object can have: marks an object in which some key stands twice


@dataclass(frozen=True, slots=True)
class Truth:
    """The annotation of one video: its length in seconds, its part of the data set, its events (score 1)."""

    duration_s: float
    subset: str
    events: Events


def write_results(path: PathLike, results: Mapping[str, Events], external: Mapping[str, Any] | None = None) -> None:
    """Write detections of many videos, one event a line; times to the millisecond, scores to 6 digits.

    `external` becomes "external_data": whatever the reader should know of how the results were made.

    Raises:
        OutputError: the file cannot be written.
        FormatError: `external` holds what JSON cannot say.
    """
    body = {video: [_detection(event) for event in events] for video, events in results.items()}
    tail = _dumps(dict(external or {}), path, '"external_data"')
    _write(path, "results", {v: _listing(rows, path, indent=2) for v, rows in body.items()}, tail)


def read_results(path: PathLike, on_odd: Callable[[str], None] | None = None) -> dict[str, Events]:
    """Read detections; the order of videos and events is that of the file.

    on_odd: is told of each entry that is not in the form above, which is then left out; without it that is an error.

    Raises:
        FormatError: the file cannot be read or is not in the form above.
    """
    videos = _videos(path, "results")
    return {video: _events(rows, _where(path, video), scored=True, on_odd=on_odd) for video, rows in videos.items()}


def write_truth(path: PathLike, truth: Mapping[str, Truth]) -> None:
    """Write annotations of many videos, one event a line; times to the millisecond, scores are not written.

    Raises:
        OutputError: the file cannot be written.
    """
    videos = {}
    for video, entry in truth.items():
        rows = [{"segment": [_ms(e.start_s), _ms(e.end_s)], "label": e.label} for e in entry.events]
        head = {"duration": _ms(entry.duration_s), "subset": entry.subset}
        videos[video] = _dumps(head, path, video)[:-1] + ', "annotations": ' + _listing(rows, path, indent=2) + "}"
    _write(path, "database", videos, None)


def read_truth(path: PathLike, subset: str | None = None) -> dict[str, Truth]:
    """Read annotations, of one subset or of all; the order is that of the file.

    Raises:
        FormatError: the file cannot be read, is not in the form above, or has no video of `subset`.
    """
    truth = {video: _truth(entry, _where(path, video)) for video, entry in _videos(path, "database").items()}
    if subset is None:
        return truth
    chosen = {video: entry for video, entry in truth.items() if entry.subset == subset}
    if not chosen:
        known = ", ".join(sorted({entry.subset for entry in truth.values()})) or "none, for it has no video"
        raise FormatError(f"{path}: no video is of subset {subset!r}; the subsets there are: {known}")
    return chosen


def read_labels(path: PathLike) -> tuple[str, ...]:
    """The classes of an annotation file, in the order that a network numbers them.

    That is the list "labels" at the top level where there is one, else the order of "label_id" where every event has
    one, else the alphabet.

    Raises:
        FormatError: the file is not in the form above, a class has two ids, or an id two classes.
    """
    top = _object(_load(path), str(path), "an object")
    if "labels" in top:
        listed = [_text(name, f'{path}: "labels"') for name in _list(top["labels"], f'{path}: "labels"')]
        if len(set(listed)) < len(listed):
            raise FormatError(f'{path}: "labels" names a class twice; give each class once')
        return tuple(listed)
    ids: dict[str, object] = {}
    for video, entry in _videos(path, "database").items():
        where = _where(path, video)
        rows = _list(_field(_object(entry, where, "an object"), "annotations", where), where)
        for i, row in enumerate(rows):
            at = f"{where}, entry {i}"
            fields = _object(row, at, 'an object with "segment" and "label"')
            label, number = _text(_field(fields, "label", at), at), fields.get("label_id")
            if ids.setdefault(label, number) != number:
                raise FormatError(f"{at}: class {label!r} has the label_id {number!r} and, before, {ids[label]!r}")
    numbers = {number for number in ids.values() if isinstance(number, int) and not isinstance(number, bool)}
    if None in ids.values():
        return tuple(sorted(ids))
    if len(numbers) < len(ids):
        raise FormatError(f'{path}: "label_id" is no whole number, or two classes share one; give each class its own')
    return tuple(sorted(ids, key=lambda label: _number(ids[label], str(path))))


def _detection(event: Event) -> dict[str, Any]:
    # Six digits, not four decimals: candidates of 0.00012 and 0.00013 must keep their ranks.
    score = float(f"{event.score:.6g}")
    return {"segment": [_ms(event.start_s), _ms(event.end_s)], "label": event.label, "score": score}


def _ms(seconds: float) -> float:
    return round(seconds, 3)


def _write(path: PathLike, key: str, videos: Mapping[str, str], tail: str | None) -> None:
    rows = ",\n".join(f"  {_dumps(str(video), path, 'a video name')}: {text}" for video, text in videos.items())
    text = f'{{"version": "{VERSION}",\n "{key}": {{' + (f"\n{rows}\n }}" if rows else "}")
    text += "}\n" if tail is None else f',\n "external_data": {tail}}}\n'
    # A file name that is not UTF-8 reaches us with lone surrogates; \udcXX is how JSON spells them.
    replace_file(path, text.encode("utf-8", "backslashreplace"))


def _listing(rows: Iterable[Mapping[str, Any]], path: PathLike, indent: int) -> str:
    lines = [" " * (indent + 1) + _dumps(row, path, "an event") for row in rows]
    return "[\n" + ",\n".join(lines) + "]" if lines else "[]"


def _dumps(value: object, path: PathLike, what: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(
            f"{path}: {what} cannot be written as JSON ({error}); give texts, finite numbers and lists"
        ) from error


def _videos(path: PathLike, key: str) -> dict[str, Any]:
    top = _object(_load(path), str(path), f'an object with "{key}"')
    if key not in top:
        other = {"results": ("database", "annotations"), "database": ("results", "detections")}[key]
        hint = f'; "{other[0]}" is there: these are {other[1]}' if other[0] in top else ""
        raise FormatError(f'{path}: there is no "{key}" at the top level{hint}')
    return _object(top[key], f'{path}: "{key}"', "an object with one entry per video")


def _load(path: PathLike) -> object:
    try:
        return json.loads(Path(path).read_bytes(), object_pairs_hook=_pairs)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FormatError(f"{path} cannot be read ({reason}); name a JSON file of events") from error
    except RecursionError as error:
        raise FormatError(f"{path} is nested too deeply to be a file of events") from error
    except ValueError as error:  # json.JSONDecodeError, UnicodeDecodeError, a number of thousands of digits
        raise FormatError(f"{path} is not JSON ({error})") from error


def _pairs(pairs: list[tuple[str, Any]]) -> dict[Any, Any]:
    entries: dict[Any, Any] = {}
    for key, value in pairs:
        if key in entries:
            entries[_TWICE] = key
        entries[key] = value
    return entries


def _truth(entry: object, where: str) -> Truth:
    fields = _object(entry, where, 'an object with "duration", "subset" and "annotations"')
    duration_s = _number(_field(fields, "duration", where), f'{where}, "duration"')
    if duration_s < 0:
        raise FormatError(f'{where}: "duration" is {duration_s:g}; seconds of 0 or more are needed')
    subset = _text(_field(fields, "subset", where), f'{where}, "subset"')
    return Truth(duration_s, subset, _events(_field(fields, "annotations", where), where, scored=False))


def _events(rows: object, where: str, *, scored: bool, on_odd: Callable[[str], None] | None = None) -> Events:
    events = []
    for i, row in enumerate(_list(rows, where)):
        try:
            events.append(_event(row, f"{where}, entry {i}", scored))
        except FormatError as error:
            if on_odd is None:
                raise
            on_odd(str(error))
    return Events.of(events)


def _event(row: object, where: str, scored: bool) -> Event:
    fields = _object(row, where, 'an object with "segment" and "label"')
    segment = _list(_field(fields, "segment", where), f'{where}, "segment"')
    if len(segment) != 2:
        raise FormatError(f'{where}: "segment" has {len(segment)} numbers; [start, end] in seconds is needed')
    start_s, end_s = (_number(value, f'{where}, "segment"') for value in segment)
    if end_s < start_s:
        raise FormatError(f"{where}: the segment [{start_s:g}, {end_s:g}] ends before it starts")
    label = _text(_field(fields, "label", where), f'{where}, "label"')
    score = _number(_field(fields, "score", where), f'{where}, "score"') if scored else 1.0
    return Event(start_s, end_s, label, score)


def _where(path: PathLike, video: str) -> str:
    return f"{path}: video {video!r}"


def _object(value: object, where: str, needed: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(f"{where} is {_kind(value)}; {needed} is needed")
    if _TWICE in value:
        raise FormatError(f"{where}: the key {value[_TWICE]!r} stands there twice")
    return value


def _field(fields: Mapping[str, Any], key: str, where: str) -> object:
    if key not in fields:
        raise FormatError(f'{where} has no "{key}"')
    return fields[key]


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise FormatError(f"{where} is {_kind(value)}; a list is needed")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise FormatError(f"{where} is {_kind(value)}; a text is needed")
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(f"{where} is {_kind(value)}; a number is needed")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FormatError(f"{where} is {_kind(number)}; a finite number is needed")
    return number


def _kind(value: object) -> str:
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
