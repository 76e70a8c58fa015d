"""For which truths detection is hard: mAP and misses by length, share of the video, instances and overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.columns import Columns, Float64, Index
from avloc.evaluation.overlaps import Mask, normalized_area, pairs

SIZES = ("XS", "S", "M", "L", "XL")

# Upper bounds, inclusive, of all groups but the last, with what they mean. Lengths divide events of 0.2 to 60 s in
# videos of a minute into fifths; shares and instances are those of Alwassel et al. (2018).
LENGTH_S = ((2.0, 5.0, 10.0, 30.0), ("up to 2 s", "2 to 5 s", "5 to 10 s", "10 to 30 s", "over 30 s"))
COVERAGE = (
    (0.2, 0.4, 0.6, 0.8),
    ("up to 20 %", "20 to 40 %", "40 to 60 %", "60 to 80 %", "over 80 %"),
)
INSTANCES = ((1.0, 4.0, 8.0), ("1", "2 to 4", "5 to 8", "over 8"))
OVERLAP = ((0.0, 0.5), ("none", "up to half", "over half"))


@dataclass(frozen=True, slots=True)
class Group:
    """Truths that are alike: how many there are, how many are missed, normalized mAP on them (None without any)."""

    name: str
    span: str
    truths: int
    missed: int
    normalized: float | None

    @property
    def missed_share(self) -> float:
        return self.missed / self.truths if self.truths else 0.0


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One way to tell truths apart, with its groups from little to much."""

    name: str
    meaning: str
    groups: tuple[Group, ...]


def characteristics(
    found: Columns, goal: Columns, truth_of: Sequence[Index], missed: Mask, durations_s: Float64
) -> tuple[tuple[Characteristic, ...], float]:
    """The characteristics of truth with what was found of each group, and normalized mAP of all truth.

    found: detections ordered by class and descending score. goal: truth ordered by video.
    truth_of: for each threshold, the truth that each detection matches or -1, (D,). missed: (G,).
    durations_s: (videos,), not a number where unknown; the share of the video is left out if none is known.

    Only detections that match truth of the group or nothing at all count for the group.
    """
    work = _Work(found, goal, truth_of, missed)
    length_s = goal.length_s
    parts = [_made(work, "Length", "of the event", length_s, LENGTH_S)]
    known = np.isfinite(durations_s) & (durations_s > 0)
    if known.any():
        share = length_s / np.where(known, durations_s, np.nan)[goal.video]
        parts.append(_made(work, "Coverage", "share of the video that the event fills", share, COVERAGE))
    parts.append(_made(work, "Instances", "events of the class in the video", _instances(goal), INSTANCES))
    parts.append(
        _made(work, "Overlap", "share of the event during which other events go on", _overlap(goal), OVERLAP)
    )
    return tuple(parts), work.normalized(np.ones(len(goal), bool)) or 0.0


@dataclass(frozen=True, slots=True)
class _Work:
    found: Columns
    goal: Columns
    truth_of: Sequence[Index]
    missed: Mask

    def group(self, name: str, span: str, inside: Mask) -> Group:
        return Group(name, span, int(inside.sum()), int((inside & self.missed).sum()), self.normalized(inside))

    def normalized(self, inside: Mask) -> float | None:
        """Normalized mAP on the truths `inside`, (G,): mean over their classes and over thresholds."""
        if not inside.any():
            return None
        positives = np.bincount(self.goal.label[inside])
        usual = len(self.goal) / len(np.unique(self.goal.label))
        aps = []
        for truth_of in self.truth_of:
            hit = truth_of >= 0
            right = hit.copy()
            right[hit] = inside[truth_of[hit]]
            kept = right | ~hit
            hits, label = right[kept], self.found.label[kept]
            edges = np.searchsorted(label, np.arange(len(positives) + 1))
            aps += [
                normalized_area(hits[edges[k] : edges[k + 1]], int(n), usual) for k, n in enumerate(positives) if n
            ]
        return float(np.mean(aps))


def _made(
    work: _Work, name: str, meaning: str, value: Float64, bounds: tuple[tuple[float, ...], tuple[str, ...]]
) -> Characteristic:
    upper, spans = bounds
    # A thousandth of a millionth: an event of exactly 2 s by subtraction is not longer than 2 s.
    number: NDArray[np.intp] = np.searchsorted(np.array(upper), value - 1e-9, "left")
    known = np.isfinite(value)
    groups = [work.group(SIZES[k], span, known & (number == k)) for k, span in enumerate(spans)]
    return Characteristic(name, meaning, tuple(groups))


def _instances(goal: Columns) -> Float64:
    """How many events of its class the video of each truth has, (G,)."""
    if not len(goal):
        return np.zeros(0)
    _, number, count = np.unique(
        np.stack([goal.video, goal.label], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return count[number.reshape(-1)].astype(np.float64)


def _overlap(goal: Columns) -> Float64:
    """The share of each truth that others of its video, joined, cover, (G,)."""
    both = pairs(goal, goal)
    others = both.only(both.first != both.second)
    start_s = np.maximum(goal.start_s[others.first], goal.start_s[others.second])
    end_s = np.minimum(goal.end_s[others.first], goal.end_s[others.second])
    covered = np.zeros(len(goal))
    last, reached_s = -1, 0.0
    for i in np.lexsort((start_s, others.first)).tolist():
        row = int(others.first[i])
        begin_s = float(start_s[i]) if row != last else max(float(start_s[i]), reached_s)
        covered[row] += max(0.0, float(end_s[i]) - begin_s)
        reached_s = float(end_s[i]) if row != last else max(reached_s, float(end_s[i]))
        last = row
    length_s = goal.length_s
    return np.asarray(covered / np.where(length_s > 0, length_s, 1.0), np.float64)
