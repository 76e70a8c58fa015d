"""F1 scores of sound event detection: by segments, by events with collars, by intersection.

Truth and detections of many videos, both by video; detections below `min_score`, and those of classes without any
truth, are left out. Segment- and event-based scores are those of Mesaros, Heittola and Virtanen (2016), counted over
all videos at once; intersection-based ones are those of Bilen et al. (2020) without cross-triggers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.overlaps import Spans, spans_by_label, united
from avloc.events import Events

Float64 = NDArray[np.float64]
Counts = NDArray[np.int64]

_SLACK = 1e-9  # seconds: half of an event is half of it, whatever the last binary digit says


@dataclass(frozen=True, slots=True)
class F1Scores:
    """Counts by class, (classes,): of segments, or of events. `labels` are the classes that have truth."""

    labels: tuple[str, ...]
    true_positives: Counts
    false_positives: Counts
    false_negatives: Counts

    @property
    def precision(self) -> Float64:
        """By class; 0 where nothing was detected."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> Float64:
        """By class."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> Float64:
        """Harmonic mean of precision and recall by class."""
        precision, recall = self.precision, self.recall
        return _ratio(2 * precision * recall, precision + recall)

    @property
    def macro(self) -> float:
        """Mean F1 over classes; 0 without truth."""
        return float(self.f1.mean()) if self.labels else 0.0

    @property
    def micro(self) -> float:
        """F1 of the counts of all classes together; 0 without truth."""
        found = self.true_positives.sum()
        precision = _ratio(found, found + self.false_positives.sum())
        recall = _ratio(found, found + self.false_negatives.sum())
        return float(_ratio(2 * precision * recall, precision + recall))


def segment_based(
    detections: Mapping[str, Events], truth: Mapping[str, Events], *, min_score: float = 0.5, segment_s: float = 1.0
) -> F1Scores:
    """Counts of segments of `segment_s` seconds: a class is on in each segment that one of its events touches.

    Raises:
        ValueError: segment_s is not positive.
    """
    if not segment_s > 0:
        raise ValueError(f"segment_s is {segment_s}; a positive number of seconds is needed")

    def count(found: Spans, goal: Spans) -> tuple[int, int, int]:
        on, wanted = _segments(found, segment_s), _segments(goal, segment_s)
        both = len(on & wanted)
        return both, len(on) - both, len(wanted) - both

    return _counted(detections, truth, min_score, count)


def event_based(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    *,
    min_score: float = 0.5,
    onset_collar_s: float = 0.2,
    offset_collar_s: float = 0.2,
    offset_share: float = 0.2,
) -> F1Scores:
    """Counts of events: both ends must lie within their collars; each event is matched once, as many as can be.

    The start may be off by `onset_collar_s`, the end by `offset_collar_s` or by `offset_share` of the true event's
    length, whichever is more.

    Raises:
        ValueError: a collar is negative.
    """
    if min(onset_collar_s, offset_collar_s, offset_share) < 0:
        raise ValueError(f"collars are {onset_collar_s}, {offset_collar_s}, {offset_share}; none may be negative")

    def count(found: Spans, goal: Spans) -> tuple[int, int, int]:
        allowed = np.maximum(offset_collar_s, offset_share * (goal[:, 1] - goal[:, 0]))
        # No slack: sed_eval has none, and its numbers are the ones to compare with.
        off = np.abs(found[:, None] - goal[None])
        near = (off[..., 0] <= onset_collar_s) & (off[..., 1] <= allowed)
        pairs = most_pairs(near)
        return pairs, len(found) - pairs, len(goal) - pairs

    return _counted(detections, truth, min_score, count)


def intersection_based(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    *,
    min_score: float = 0.5,
    detection_tolerance: float = 0.5,
    truth_tolerance: float = 0.5,
) -> F1Scores:
    """Counts by shared time, so that a split or a merged event may still count.

    A detection is relevant if truth of its class covers `detection_tolerance` of its length, else false. A true event
    is found if relevant detections cover `truth_tolerance` of its length. Detections that overlap one another cover
    their common time once.

    Raises:
        ValueError: a tolerance lies outside (0, 1].
    """
    for name, value in (("detection_tolerance", detection_tolerance), ("truth_tolerance", truth_tolerance)):
        if not 0 < value <= 1:
            raise ValueError(f"{name} is {value}; a share above 0, up to 1, is needed")

    def count(found: Spans, goal: Spans) -> tuple[int, int, int]:
        relevant = _covered(found, goal, detection_tolerance)
        hit = int(_covered(goal, found[relevant], truth_tolerance).sum())
        return hit, int((~relevant).sum()), len(goal) - hit

    return _counted(detections, truth, min_score, count)


def most_pairs(allowed: NDArray[np.bool_]) -> int:
    """Size of the largest matching of rows to columns, each used once at most; allowed (rows, columns).

    Augmenting paths (Kuhn 1955), rows in order.
    """
    partner = np.full(allowed.shape[1], -1)
    choices = [np.flatnonzero(row) for row in allowed]

    def place(start: int) -> bool:
        # Depth first over rows that must move aside; `came` tells by which row a column was reached.
        came: dict[int, int] = {}
        rows = [start]
        while rows:
            row = rows.pop()
            for column in choices[row].tolist():
                if column in came:
                    continue
                came[column] = row
                if partner[column] >= 0:
                    rows.append(int(partner[column]))
                    continue
                held = {int(c): i for i, c in enumerate(partner) if c >= 0}
                while True:
                    row = came[column]
                    partner[column], column = row, held.get(row, -1)
                    if column < 0:
                        return True
        return False

    return sum(place(row) for row in range(len(allowed)))


def _counted(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    min_score: float,
    count: Callable[[Spans, Spans], tuple[int, int, int]],
) -> F1Scores:
    labels = tuple(sorted({label for events in truth.values() for label in events.labels}))
    row_of = {label: k for k, label in enumerate(labels)}
    totals = np.zeros((len(labels), 3), np.int64)
    nothing = np.zeros((0, 2))
    for video in dict.fromkeys([*truth, *detections]):
        found = spans_by_label(detections.get(video, Events()).above(min_score))
        goal = spans_by_label(truth.get(video, Events()))
        for label in {*found, *goal} & row_of.keys():
            totals[row_of[label]] += count(found.get(label, nothing), goal.get(label, nothing))
    return F1Scores(labels, totals[:, 0], totals[:, 1], totals[:, 2])


def _segments(spans: Spans, segment_s: float) -> set[int]:
    """Indices of the segments from 0 s on that the spans touch."""
    first = np.floor(spans[:, 0] / segment_s).astype(int).clip(min=0)
    end = np.ceil(spans[:, 1] / segment_s).astype(int)
    return {k for a, b in zip(first.tolist(), end.tolist(), strict=True) for k in range(a, b)}


def _covered(spans: Spans, by: Spans, share: float) -> NDArray[np.bool_]:
    """Which spans, (N,), are covered by the union of others to a share of their length; an empty span never is."""
    length = spans[:, 1] - spans[:, 0]
    shared = np.zeros(len(spans))
    for start_s, end_s in united(by):
        shared += (np.minimum(spans[:, 1], end_s) - np.maximum(spans[:, 0], start_s)).clip(min=0)
    return np.asarray((length > 0) & (shared >= share * length - _SLACK), np.bool_)


def _ratio(part: NDArray[np.number] | float, whole: NDArray[np.number] | float) -> Float64:
    return np.asarray(np.divide(part, np.where(np.asarray(whole) > 0, whole, 1)), np.float64)
