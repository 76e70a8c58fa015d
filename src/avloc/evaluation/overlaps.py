"""Pairs of a detection and a truth that share time, and the time that spans cover together.

D detections, G truths, P pairs of a detection and a truth of one video that share time, C classes that have truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.columns import Columns, Float64, Index
from avloc.events import Events

Mask = NDArray[np.bool_]
Spans = Float64
"""Start and end in seconds, (N, 2)."""


def spans_by_label(events: Events) -> dict[str, Spans]:
    """The spans of each class, in the order of the events."""
    rows: dict[str, list[int]] = {}
    for i, label in enumerate(events.labels):
        rows.setdefault(label, []).append(i)
    spans = np.stack([events.start_s, events.end_s], axis=1)
    return {label: spans[chosen] for label, chosen in rows.items()}


def united(spans: Spans) -> list[tuple[float, float]]:
    """The union of spans as spans that do not touch one another."""
    union: list[tuple[float, float]] = []
    for start_s, end_s in sorted(map(tuple, spans.tolist())):
        if union and start_s <= union[-1][1]:
            union[-1] = union[-1][0], max(union[-1][1], end_s)
        else:
            union.append((start_s, end_s))
    return union


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which event of the one set shares time with which of the other, (P,): their rows, the shared seconds, tIoU."""

    first: Index
    second: Index
    shared_s: Float64
    tiou: Float64

    def only(self, chosen: Mask) -> Pairs:
        return Pairs(self.first[chosen], self.second[chosen], self.shared_s[chosen], self.tiou[chosen])


def pairs(first: Columns, second: Columns) -> Pairs:
    """All pairs of one video that share time, ordered by `first`, then `second`. `second` is ordered by video."""
    begin = np.searchsorted(second.video, first.video, "left")
    count = np.searchsorted(second.video, first.video, "right") - begin
    a = np.repeat(np.arange(len(first)), count)
    b = np.arange(len(a)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
    shared = np.minimum(first.end_s[a], second.end_s[b]) - np.maximum(first.start_s[a], second.start_s[b])
    kept = shared > 0
    a, b, shared = a[kept], b[kept], shared[kept]
    return Pairs(a, b, shared, shared / (first.length_s[a] + second.length_s[b] - shared))


def largest(values: Float64, rows: Index, count: int) -> Float64:
    """The largest of the values that belong to each of `count` rows, 0 where there is none; (count,)."""
    best = np.zeros(count)
    np.maximum.at(best, rows, values)
    return best


def match(detections: Columns, same: Pairs, truths: int, threshold: float) -> tuple[Index, Index]:
    """Truth of each detection, (D,), and detection of each truth, (G,); -1 where there is none.

    A detection takes the best-overlapping truth of its class that is still free and reaches `threshold`; detections
    come in the order of their rows, which is that of descending score.

    same: pairs of a detection and a truth of one class.
    """
    found = np.full(len(detections), -1)
    taken = np.full(truths, -1)
    rows = np.flatnonzero(same.tiou >= threshold)
    rows = rows[np.lexsort((same.second[rows], -same.tiou[rows], same.first[rows]))]
    for d, g in zip(same.first[rows].tolist(), same.second[rows].tolist(), strict=True):
        if found[d] < 0 and taken[g] < 0:
            found[d], taken[g] = g, d
    return found, taken


def area(hits: Mask, positives: int) -> float:
    """Average precision of detections in the order of descending score, with the precision envelope.

    hits (D,): whether each is right. 0 without truth.
    """
    right = np.flatnonzero(hits)
    if not positives or not right.size:
        return 0.0
    precision = np.arange(1, len(right) + 1) / (right + 1)
    return float(np.maximum.accumulate(precision[::-1]).sum() / positives)


def normalized_area(hits: Mask, positives: int, usual: float) -> float:
    """Average precision as if the class had `usual` truths: precision = recall * usual / (recall * usual + false).

    This makes classes and groups of different size comparable (Hoiem, Chodpathumwan and Dai 2012; Alwassel et al.
    2018). 0 without truth.
    """
    right = np.flatnonzero(hits)
    if not positives or not right.size:
        return 0.0
    rank = np.arange(1, len(right) + 1)
    weighed = rank / positives * usual
    precision = weighed / (weighed + (right + 1 - rank))
    return float(np.maximum.accumulate(precision[::-1]).sum() / positives)
