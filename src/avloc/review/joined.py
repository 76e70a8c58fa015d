"""Verdicts laid upon the results that they are of.

results: video > Events, verdicts: video > Reviewed > Joined: each found event with what was said of it, if anything
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from avloc.errors import FormatError
from avloc.evaluation.matching import tiou
from avloc.events import Event, Events
from avloc.events.filter import EventFilter
from avloc.formats.verdicts import Key, Reviewed, Verdict, key_of

SAME_TIOU = 0.5
"""From this overlap on, an event whose ends were corrected was found; the field's middle threshold."""


@dataclass(frozen=True, slots=True)
class Found:
    """An event of the results; right is None where nobody looked at it."""

    video: str
    event: Event
    right: bool | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """All events of the results with their verdicts, and what people added.

    strange: verdicts on events that the results do not have, as where detection ran anew since.
    """

    found: tuple[Found, ...]
    added: tuple[tuple[str, Event], ...]
    strange: int

    @property
    def looked(self) -> tuple[Found, ...]:
        return tuple(f for f in self.found if f.right is not None)


def is_right(verdict: Verdict) -> bool:
    """Whether an event that was found is one: as it stands, or with the same class and overlapping ends."""
    if verdict.kind == "corrected" and verdict.found is not None:
        return is_same(verdict.event, verdict.found)
    return verdict.kind == "yes"


def is_same(one: Event, other: Event) -> bool:
    """One class, and a tIoU of at least 0.5."""
    return one.label == other.label and overlap(one, other) >= SAME_TIOU


def overlap(one: Event, other: Event) -> float:
    """Shared time over joint time."""
    ends = (np.array([t]) for t in (one.start_s, one.end_s, other.start_s, other.end_s))
    return float(tiou(*ends)[0])


def join(results: Mapping[str, Events], verdicts: Mapping[str, Reviewed]) -> Joined:
    """Each event of the results with its verdict.

    Raises:
        FormatError: the verdicts are of none of the videos.
    """
    require_common(results, verdicts)
    found: list[Found] = []
    added: list[tuple[str, Event]] = []
    strange = 0
    for video, events in results.items():
        reviewed = verdicts.get(video, Reviewed())
        told = judged(reviewed.verdicts)
        left = set(told)
        for event in events.by_time():
            key = key_of(event)
            verdict = told.get(key)
            left.discard(key)
            found.append(Found(video, event, None if verdict is None else is_right(verdict)))
        strange += len(left)
        added += [(video, v.event) for v in reviewed.verdicts if v.kind == "added"]
    strange += sum(len(judged(r.verdicts)) for video, r in verdicts.items() if video not in results)
    return Joined(tuple(found), tuple(added), strange)


def on_chosen(reviewed: Reviewed, events: Events, wanted: EventFilter) -> tuple[Reviewed, int]:
    """The verdicts without those on events of a result that are not wanted as they stand; how many those are.

    What people added is kept where it would be wanted.
    """
    hidden = set(map(key_of, events)) - set(map(key_of, wanted(events)))
    left = [v for v in reviewed.verdicts if v.found is not None and key_of(v.found) in hidden]
    left += [v for v in reviewed.verdicts if v.found is None and not wanted(Events.of([v.event]))]
    kept = tuple(v for v in reviewed.verdicts if v not in left)
    return replace(reviewed, verdicts=kept), sum(bool(v.kind) for v in left)


def judged(verdicts: Iterable[Verdict]) -> dict[Key, Verdict]:
    """The verdicts on found events that somebody looked at, by event; the last one counts."""
    return {key_of(v.found): v for v in verdicts if v.kind and v.found is not None}


def require_common(results: Mapping[str, Events], verdicts: Mapping[str, Reviewed]) -> None:
    """Raise FormatError where no video has both."""
    if not set(results) & set(verdicts):
        theirs, ours = next(iter(verdicts), "no video"), next(iter(results), "no video")
        raise FormatError(
            f"the verdicts and the results have no video in common: the verdicts are of {theirs!r} and the like, "
            f"the results of {ours!r}; give the results whose pages were looked at"
        )


def by_label(found: Iterable[Found]) -> dict[str, list[Found]]:
    """Events of each class, the commonest first."""
    of_class: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        of_class[one.event.label].append(one)
    return dict(sorted(of_class.items(), key=lambda item: (-len(item[1]), item[0])))
