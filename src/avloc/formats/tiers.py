"""Tiers, as ELAN and Praat have them: no two annotations of a tier are at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from avloc.errors import FormatError
from avloc.events import Events
from avloc.formats.text import PathLike, milliseconds

Annotated = tuple[int, int, str]
"""Start and end in milliseconds, label."""


def tiers_of(events: Events, path: PathLike, program: str) -> dict[str, list[Annotated]]:
    """A tier a class, by name; where events of one class overlap, the later ones go to a tier "class (2)".

    Raises:
        FormatError: an event starts before zero.
    """
    tiers: dict[str, list[Annotated]] = {label: [] for label in sorted(set(events.labels))}
    for event in events.by_time():
        start, end = milliseconds(event, path, program)
        name, number = event.label, 1
        while name in tiers and tiers[name] and (tiers[name][-1][2] != event.label or tiers[name][-1][1] > start):
            number += 1
            name = f"{event.label} ({number})"
        tiers.setdefault(name, []).append((start, end, event.label))
    return tiers


def require_tiers(known: Mapping[PathLike, Sequence[str]], wanted: Sequence[str]) -> None:
    """Every tier must be in one of the files.

    Raises:
        FormatError: one is in none; those that are there are named.
    """
    names = sorted({name for tiers in known.values() for name in tiers})
    for tier in wanted:
        if known and tier not in names:
            several = f" and {len(known) - 1} more files" if len(known) > 1 else ""
            raise FormatError(
                f"{next(iter(known))}{several}: no tier is called {tier!r}; there are: {', '.join(names)}"
            )
