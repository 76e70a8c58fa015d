"""Fewer and better events: by stretch of the video, class, score and length, near ones of one class made one.

    stretch > classes > thresholds > near events merged > least length

In this order, so that what a threshold leaves out joins nothing, and a length is that of the whole event. Done twice
it is done once; the order of the events does not matter; no event reaches beyond those that it was made of.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from avloc.errors import ConfigError
from avloc.events.event import Event, Events

ROUNDING_S = 1e-6
"""Of differences of times: half a second from 0.2 s on ends at 0.7 s, in whichever way numbers round."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What of a video's events is wanted; as it stands, all.

    Attributes:
        labels: Classes that are kept; none named: all.
        not_labels: Classes that are left out.
        min_score: Least score of an event.
        min_scores: Least score by class, in place of `min_score`.
        min_length_s: Least length of an event, after merging.
        merge_gap_s: Events of one class with no more than this between them become one, with the highest of their
            scores; None: none do.
        start_s, end_s: The stretch of the video; events that reach beyond it are cut there.

    Raises:
        ConfigError: a number is out of its range, or the stretch ends before it starts.
    """

    labels: tuple[str, ...] = ()
    not_labels: tuple[str, ...] = ()
    min_score: float = -math.inf
    min_scores: Mapping[str, float] = field(default_factory=dict)
    min_length_s: float = 0.0
    merge_gap_s: float | None = None
    start_s: float = -math.inf
    end_s: float = math.inf

    def __post_init__(self) -> None:
        for name, value in (("min_length_s", self.min_length_s), ("merge_gap_s", self.merge_gap_s)):
            if value is not None and not 0 <= value < math.inf:
                raise ConfigError(f"{name} is {value}; a number of seconds of 0 or more is needed")
        for label, score in (("min_score", self.min_score), *self.min_scores.items()):
            if math.isnan(score):
                raise ConfigError(f"the least score {label!r} is {score}; a number is needed")
        if not self.start_s < self.end_s:
            raise ConfigError(
                f"the stretch from {self.start_s:g} to {self.end_s:g} s is none; end it after its start"
            )
        both = sorted(set(self.labels) & set(self.not_labels))
        if both:
            raise ConfigError(f"the class {both[0]!r} is to be kept and to be left out; name it once")

    def __call__(self, events: Events) -> Events:
        """The events that are wanted; in the order given, or by time where near ones are merged."""
        kept = within(events, self.start_s, self.end_s)
        kept = kept.take([self._wants(label) for label in kept.labels])
        least = [self.min_scores.get(label, self.min_score) for label in kept.labels]
        kept = kept.take(kept.score >= np.asarray(least))
        if self.merge_gap_s is not None:
            kept = merge_near(kept, self.merge_gap_s)
        return kept.take(kept.end_s - kept.start_s >= self.min_length_s - ROUNDING_S)

    def with_least(self, score: float) -> EventFilter:
        """The same, with a least score for the classes that have none, unless it has one already."""
        return self if self.min_score > -math.inf else replace(self, min_score=score)

    def told(self) -> dict[str, Any]:
        """What is chosen but for the least score of all classes, as plain data, named as the command line's flags."""
        stretch = {"start": self.start_s, "end": self.end_s}
        told: dict[str, Any] = {
            "label": list(self.labels),
            "not_label": list(self.not_labels),
            "min_score": dict(self.min_scores),
            "min_length": self.min_length_s or None,
            "merge_gap": self.merge_gap_s,
            **{name: None if math.isinf(time_s) else time_s for name, time_s in stretch.items()},
        }
        return {name: value for name, value in told.items() if value not in (None, [], {})}

    def words(self) -> str:
        """The same for people, in one line; "" where nothing is chosen."""
        parts = [", ".join(self.labels)] if self.labels else []
        parts += [f"not {', '.join(self.not_labels)}"] if self.not_labels else []
        parts += [f"{label} from {score:g}" for label, score in self.min_scores.items()]
        parts += [f"from {self.start_s:g} s"] if self.start_s > -math.inf else []
        parts += [f"to {self.end_s:g} s"] if self.end_s < math.inf else []
        parts += [] if self.merge_gap_s is None else [f"merged up to {self.merge_gap_s:g} s apart"]
        parts += [f"at least {self.min_length_s:g} s long"] if self.min_length_s else []
        return "; ".join(parts)

    def require_known(self, classes: Collection[str]) -> None:
        """Refuse a class that is not there, which would go unnoticed.

        Raises:
            ConfigError: a class named is not among `classes`; the nearest one is named.
        """
        for label in (*self.labels, *self.not_labels, *self.min_scores):
            if label not in classes:
                raise ConfigError(f"there is no class {label!r}; {nearest_class(label, classes)}")

    def _wants(self, label: str) -> bool:
        return label not in self.not_labels and (not self.labels or label in self.labels)


ALL_EVENTS = EventFilter()
"""Nothing is chosen."""


def filter_of(
    label: str | Iterable[str] | None,
    not_label: str | Iterable[str] | None,
    min_score: float,
    min_scores: Mapping[str, float],
    min_length_s: float,
    merge_gap_s: float | None,
    start_s: float,
    end_s: float,
) -> EventFilter:
    """Of what a caller in Python says; `label` without a class keeps none, where None keeps all.

    Raises:
        ConfigError: as EventFilter.
    """
    labels = _named(label)
    if label is not None and not labels:
        min_score, min_scores = math.inf, {}
    return EventFilter(labels, _named(not_label), min_score, min_scores, min_length_s, merge_gap_s, start_s, end_s)


def nearest_class(label: str, classes: Collection[str]) -> str:
    """Words that help after a class that is none: the nearest one, or those there are."""
    small = {known.lower(): known for known in sorted(classes)}
    near = difflib.get_close_matches(label.lower(), small, n=1) or [name for name in small if label.lower() in name]
    words = {word: name for name in reversed(small) for word in name.split()}
    near = near or [words[word] for word in difflib.get_close_matches(label.lower(), words, n=1)]
    if near:
        return f"did you mean {small[near[0]]!r}?"
    known = sorted(classes)
    more = f" and {len(known) - 8} more" if len(known) > 8 else ""
    return f"the classes are {', '.join(known[:8])}{more}" if known else "there is no event at all"


def within(events: Events, start_s: float, end_s: float) -> Events:
    """What lies in [start_s, end_s); events that reach beyond are cut, one that only touches it is left out."""
    begins, ends = np.maximum(events.start_s, start_s), np.minimum(events.end_s, end_s)
    momentary = (events.start_s == events.end_s) & (events.start_s >= start_s) & (events.start_s < end_s)
    inside = np.flatnonzero((begins < ends) | momentary)
    return Events(begins[inside], ends[inside], [events.labels[i] for i in inside], events.score[inside])


def merge_near(events: Events, gap_s: float) -> Events:
    """Events of one class with at most gap_s seconds between them, or that overlap, as one; by time.

    The one reaches from the first's start to the last's end, with the highest score of those it was made of.
    """
    joined: dict[str, list[Event]] = {}
    for event in events.by_time():
        run = joined.setdefault(event.label, [])
        if run and event.start_s - run[-1].end_s <= gap_s + ROUNDING_S:
            last = run[-1]
            run[-1] = Event(last.start_s, max(last.end_s, event.end_s), event.label, max(last.score, event.score))
        else:
            run.append(event)
    return Events.of(event for run in joined.values() for event in run).by_time()


def _named(labels: str | Iterable[str] | None) -> tuple[str, ...]:
    """One class or several, as a tuple."""
    if labels is None:
        return ()
    return (labels,) if isinstance(labels, str) else tuple(labels)
