"""BORIS's tabular events, whose starts and stops stand in rows of their own > a row an event.

    Observation id,...,Subject,...,Behavior,...,Behavior type,Time,Media file name,...
    obs1,...,wolf,...,howling,...,START,1.520,film.mp4,...
    obs1,...,wolf,...,howling,...,STOP,5.030,film.mp4,...

A stop ends the start of its observation, subject, behavior and modifiers. POINT is an event without length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from avloc.errors import FormatError

TITLES = ("file", "start", "end", "label")
Fields = tuple[str, Sequence[str]]
"""The words for an error on a row, and its fields."""

_FILES = ("media file name", "media file path", "media file")
_TYPES = ("behavior type", "status")
_SUBJECTS = ("observation id", "subject", "behavior", "modifiers")


def is_tabular(titles: Sequence[str]) -> bool:
    """Whether a first line is of such a table."""
    small = _places(titles)
    return {"behavior", "time"} <= small.keys() and any(name in small for name in _TYPES)


def paired(titles: Sequence[str], rows: Iterable[Fields]) -> Iterator[Fields]:
    """Rows of the columns TITLES, in the order of the stops.

    Raises:
        FormatError: something starts twice, stops without a start, or never stops.
    """
    place = _places(titles)
    kind = next(place[name] for name in _TYPES if name in place)
    file = next((place[name] for name in _FILES if name in place), None)
    running: dict[tuple[str, ...], Fields] = {}
    for where, fields in rows:
        row = [*fields, *[""] * (len(titles) - len(fields))]
        who = (*(row[place[name]] for name in _SUBJECTS if name in place), "" if file is None else row[file])
        behavior, state = row[place["behavior"]], row[kind].strip().upper()
        if state == "START":
            if who in running:
                raise FormatError(f"{where}: {behavior!r} starts again before it stops ({running[who][0]})")
            running[who] = where, row
            continue
        if state not in ("STOP", "POINT"):
            raise FormatError(f"{where}: is of type {row[kind]!r}; one of START, STOP and POINT is needed")
        if state == "STOP" and who not in running:
            raise FormatError(f"{where}: {behavior!r} stops and did not start")
        begun = running.pop(who)[1] if state == "STOP" else row
        yield where, ["" if file is None else row[file], begun[place["time"]], row[place["time"]], behavior]
    for where, begun in running.values():
        raise FormatError(f"{where}: {begun[place['behavior']]!r} starts and never stops")


def _places(titles: Sequence[str]) -> dict[str, int]:
    return {title.strip().strip('"').lower(): place for place, title in reversed(list(enumerate(titles)))}
