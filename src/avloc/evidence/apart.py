"""Evidence step by step > how surely an event is seen and heard, and what is heard only and seen only.

    evidence (T, K) by ear and by eye > mean within an event > certainty, as composed videos have it
    evidence > smoothed > of alike classes the strongest > stretches above a threshold, without the events > apart

What the numbers can be trusted for: docs/choosing.md.

Legend: T time, K classes, N events.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from avloc.events import Event, Events
from avloc.events.filter import ALL_EVENTS, EventFilter, merge_near
from avloc.events.modality import AUDIO, BOTH, VISUAL, with_modality, without_modality
from avloc.evidence.grounding import HEARD, HEARD_ALONE, SEEN, SEEN_ALONE
from avloc.timegrid import TimeGrid

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Curve:
    """From mean evidence in a stretch to the chance that its class is there: a logistic curve over the logarithm of
    the evidence, and over the log odds of a detection's score."""

    slope: float
    offset: float
    by_score: float = 0.0

    def __call__(self, evidence: float, score: float = 0.5) -> float:
        """From 0 to 1."""
        p = min(max(score, LEAST_EVIDENCE), 1 - LEAST_EVIDENCE)
        x = self.slope * np.log(max(evidence, LEAST_EVIDENCE)) + self.by_score * np.log(p / (1 - p)) + self.offset
        return float(1 / (1 + np.exp(-x)))


@dataclass(frozen=True, slots=True)
class Sense:
    """How evidence by one sense is read; fitted on composed videos by tools/fit_evidence.py.

    alone, strength: places in `Grounding`. of_events: for what the detector found. by_itself: for what this sense
    alone tells. from_: evidence from which that is told. absent_below: strength below which a class counts as not
    there.
    """

    alone: int
    strength: int
    of_events: Curve
    by_itself: Curve
    from_: float
    absent_below: float = 0.3


LEAST_EVIDENCE = 1e-4
EAR = Sense(HEARD_ALONE, HEARD, of_events=Curve(1.04, 3.81, 0.94), by_itself=Curve(2.48, 4.18), from_=0.3)
EYE = Sense(SEEN_ALONE, SEEN, of_events=Curve(0.33, 2.72, 1.28), by_itself=Curve(2.13, 2.42), from_=0.4)
SMOOTHED_STEPS = 5
NEAR_S = 1.0
LEAST_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ClassEvidence:
    """How strongly each class is heard and seen, (4, T, K) as `Grounding` tells it, on a grid; alike (K, K) says
    which classes are hard to tell apart."""

    grid: TimeGrid
    labels: tuple[str, ...]
    strength: Float32
    alike: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Perceived:
    """An event, its modality ("audio": heard only, "visual": seen only, "audio-visual"), and how surely it is heard
    and seen."""

    event: Event
    modality: str
    heard: float
    seen: float


def perceived(evidence: ClassEvidence, events: Events) -> list[Perceived]:
    """The events, each with its certainties; its score stays that of the detection."""
    return [
        Perceived(event, BOTH, *(s.of_events(mean_of(evidence, s.alone, event), event.score) for s in (EAR, EYE)))
        for event in events
    ]


def apart(evidence: ClassEvidence, events: Events, wanted: EventFilter = ALL_EVENTS) -> list[Perceived]:
    """What is heard only and what is seen only where none of the events is, by time; scored by its certainty.

    wanted: which classes, which stretch, and how long at least, as `chosen_apart` reads it.
    """
    wanted = _of_evidence(wanted)
    found = []
    for modality, own, other in ((AUDIO, EAR, EYE), (VISUAL, EYE, EAR)):
        left = Events.of(_without(stretches(evidence, own, other), events))
        for event in wanted(left).where(length_s=LEAST_S):
            by_ear, by_eye = (sense.by_itself(mean_of(evidence, sense.alone, event)) for sense in (EAR, EYE))
            score = by_ear if modality == AUDIO else by_eye
            scored = Event(event.start_s, event.end_s, event.label, score)
            found.append(Perceived(scored, modality, by_ear, by_eye))
    return sorted(found, key=lambda one: (one.event.start_s, one.event.end_s, one.modality, one.event.label))


def chosen_apart(told: Events, wanted: EventFilter) -> Events:
    """Of what is apart, with the modality in the class, that which is wanted.

    Thresholds do not count here, which are of detections' scores, nor does merging, which would reach over events.
    """
    wanted, kept = _of_evidence(wanted), []
    for event in told:
        label, modality = without_modality(event.label)
        left = wanted(Events.of([replace(event, label=label)]))
        kept += [replace(one, label=with_modality(one.label, modality)) for one in left]
    return Events.of(kept)


def with_modalities(found: Iterable[Perceived]) -> Events:
    """As events whose class names the modality: rooster crowing (audio)."""
    return Events.of(replace(one.event, label=with_modality(one.event.label, one.modality)) for one in found)


def _of_evidence(wanted: EventFilter) -> EventFilter:
    return replace(wanted, min_score=-math.inf, min_scores={}, merge_gap_s=None)


def mean_of(evidence: ClassEvidence, which: int, event: Event) -> float:
    """Mean evidence of an event's class within it; 0 for a class that is not told of, being nowhere to be found."""
    if event.label not in evidence.labels:
        return 0.0
    k = evidence.labels.index(event.label)
    return float(evidence.strength[which, _steps_of(evidence, event), k].mean())


def stretches(evidence: ClassEvidence, own: Sense, other: Sense, from_: float | None = None) -> Events:
    """Where one sense tells of a class and the other does not, alike classes being there less.

    from_: evidence from which it tells, in place of the sense's own.
    """
    alone = _smoothed(evidence.strength[own.alone])
    on = alone >= (own.from_ if from_ is None else from_)
    absent = _smoothed(evidence.strength[other.strength]) < other.absent_below
    return _stretches(evidence, on & absent & _strongest(alone, evidence.alike))


def _steps_of(evidence: ClassEvidence, event: Event) -> slice:
    """The steps whose moments lie in an event, at least one."""
    first, end = np.ceil(evidence.grid.to_steps([event.start_s, event.end_s])).astype(int)
    first = min(max(int(first), 0), evidence.strength.shape[1] - 1)
    return slice(first, max(first + 1, int(end)))


def _smoothed(strength: Float32) -> Float32:
    """Mean over some steps, at either end over those that there are."""
    kernel = np.ones(SMOOTHED_STEPS)
    count = np.convolve(np.ones(len(strength)), kernel, "same")[: len(strength)]
    sums = [np.convolve(column, kernel, "same")[: len(strength)] / count for column in strength.T]
    return np.stack(sums, axis=1).astype(np.float32)


def _strongest(strength: Float32, alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where no class that is hard to tell from a class is stronger, (T, K)."""
    stronger = np.zeros(strength.shape, bool)
    for k in np.flatnonzero(alike.any(axis=1)):
        stronger[:, k] = strength[:, alike[k]].max(axis=1) > strength[:, k]
    return ~stronger


def _stretches(evidence: ClassEvidence, on: NDArray[np.bool_]) -> Events:
    """Where classes are on (T, K), near stretches of one class joined, short ones left out."""
    half_s = evidence.grid.stride_s / 2
    start_s: list[float] = []
    end_s: list[float] = []
    labels: list[str] = []
    padded = np.pad(on, ((1, 1), (0, 0))).astype(np.int8)
    for k in np.flatnonzero(on.any(axis=0)):
        edges = evidence.grid.to_seconds(np.flatnonzero(np.diff(padded[:, k]))) - half_s
        start_s += np.maximum(edges[::2], 0).tolist()
        end_s += edges[1::2].tolist()
        labels += [evidence.labels[k]] * (len(edges) // 2)
    return merge_near(Events(start_s, end_s, labels), NEAR_S).where(length_s=LEAST_S)


def _without(stretches: Events, events: Events) -> list[Event]:
    """What is left of stretches outside of the events of their class, where it is long enough."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for event in events.by_time():
        spans.setdefault(event.label, []).append((event.start_s, event.end_s))
    return [
        Event(start_s, end_s, event.label)
        for event in stretches
        for start_s, end_s in _gaps(event.start_s, event.end_s, spans.get(event.label, ()))
        if end_s - start_s >= LEAST_S
    ]


def _gaps(start_s: float, end_s: float, taken: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What of [start_s, end_s) none of the spans, in order of their starts, takes."""
    free = []
    for begin_s, stop_s in taken:
        if begin_s > start_s:
            free.append((start_s, min(begin_s, end_s)))
        start_s = max(start_s, stop_s)
    return [(a, b) for a, b in (*free, (start_s, end_s)) if a < b]
