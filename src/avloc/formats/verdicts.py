"""What people said of events that were found: right, wrong, corrected, missed; and which truth that makes.

An event without a verdict was found and not looked at, so a reviewed video may be known in part alone:
`Reviewed.truth` says in which stretches.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from avloc.events import Event, Events
from avloc.formats.truth import Span, Truth

Kind = Literal["yes", "no", "corrected", "added", ""]
"""A verdict; "" is an event that nobody looked at."""

KINDS: tuple[str, ...] = get_args(Kind)
ASKED = "next"
"""Stands in the place of a verdict where an event is to be looked at next."""

MARGIN_S = 1.0
"""What a page plays before and behind an event that is judged: there, too, nothing else was missed."""

LEAST_STRETCH_S = 0.5
SPAN_DECIMALS = 3  # of result files

Key = tuple[float, float, str]
"""By which events of a result are known: start and end to a millisecond, and class."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's verdict on one event.

    event is what is true (of "no" and "": what was found), found is the event as detection gave it, None where a
    person added it. by is the person's name, at the time of the verdict; "" where the file does not say.
    """

    kind: Kind
    event: Event
    found: Event | None
    by: str = ""
    at: str = ""
    asked: bool = False

    @property
    def is_true(self) -> bool:
        """Whether `event` happened, as far as the person says."""
        return self.kind in ("yes", "corrected", "added")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The verdicts on one video, with all events of its result.

    whole: a person watched the whole video, and nothing is missing. result: mark of the result that was looked at.
    """

    verdicts: tuple[Verdict, ...] = ()
    duration_s: float = math.inf
    whole: bool = False
    result: str = ""
    media: str = field(default="", compare=False)

    def truth(self) -> Truth:
        """What the verdicts say happened, and in which stretches all is known."""
        events = Events.of(v.event for v in self.verdicts if v.is_true)
        return Truth(self.duration_s, "", events, self.media, known=self._known())

    def _known(self) -> tuple[Span, ...] | None:
        """Where every event is known; None: everywhere."""
        open_ = [(v.event.start_s, v.event.end_s) for v in self.verdicts if not v.kind]
        if self.whole:
            return without([(0.0, self.duration_s)], open_) if open_ else None
        looked = [
            (max(0.0, e.start_s - MARGIN_S), min(self.duration_s, e.end_s + MARGIN_S))
            for v in self.verdicts
            if v.kind
            for e in (v.event, v.found)
            if e is not None
        ]
        return without(union(looked), open_)


def key_of(event: Event) -> Key:
    """By which an event of a result is known."""
    return span_key(event.start_s, event.end_s, event.label)


def span_key(start_s: float, end_s: float, label: str) -> Key:
    """As `key_of`."""
    return round(start_s, SPAN_DECIMALS), round(end_s, SPAN_DECIMALS), label


def mark_of(name: str, events: Events) -> str:
    """Sixteen hex digits that change with a result: the video's name, and its events as result files hold them."""
    rows = (f"{e.start_s:.3f}\t{e.end_s:.3f}\t{e.score:.6g}\t{e.label}" for e in events.by_time())
    text = "\n".join((name, *rows))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def union(spans: Sequence[Span]) -> list[Span]:
    """Stretches that cover the same, in order, apart from one another."""
    joined: list[Span] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end_s)
        else:
            joined.append((start_s, end_s))
    return joined


def without(spans: Sequence[Span], others: Sequence[Span]) -> tuple[Span, ...]:
    """What is left of stretches, of those that are apart and in order; pieces of less than half a second are not."""
    left = list(spans)
    for low, high in union(others):
        left = [
            piece
            for start_s, end_s in left
            for piece in ((start_s, min(end_s, low)), (max(start_s, high), end_s))
            if piece[1] > piece[0]
        ]
    return tuple((s, e) for s, e in left if e - s >= LEAST_STRETCH_S)
