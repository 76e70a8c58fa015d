"""The kind of each detection: right, or wrong in which way.

It follows from its overlap (tIoU) with the truth of its video at a threshold t, by the first of these that holds:

    true            it is matched as mAP matches it
    double          t or more with truth of its class that a surer detection has taken
    wrong label     t or more with truth of another class
    localization    0.1 or more with truth of its class
    confusion       0.1 or more with truth of another class
    background      nothing of this

The kinds are those of Alwassel, Caba Heilbron, Escorcia and Ghanem (2018). Where events of several classes overlap, a
detection may fit two of them: right time with wrong label then precedes wrong time with right label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.columns import Columns, Float64, Index, columns_by_video
from avloc.evaluation.overlaps import Mask, Pairs, area, largest, match, pairs
from avloc.events import Events

BANDS = 10  # G, 2 G, ... 10 G
LEAST_TIOU = 0.1  # below this, detection and truth have nothing to do with each other


class Kind(IntEnum):
    """What a detection is; the columns of all tables of kinds."""

    TRUE = 0
    DOUBLE = 1
    WRONG_LABEL = 2
    LOCALIZATION = 3
    CONFUSION = 4
    BACKGROUND = 5


ERRORS = tuple(kind for kind in Kind if kind is not Kind.TRUE)


@dataclass(frozen=True, slots=True)
class Missed:
    """Truths that no detection matches at the threshold, by what lies there instead; the first that holds."""

    misplaced: int  # a detection of the class overlaps by 0.1 or more
    mislabelled: int  # a detection of another class overlaps by the threshold or more
    unnoticed: int

    @property
    def total(self) -> int:
        return self.misplaced + self.mislabelled + self.unnoticed


@dataclass(frozen=True, slots=True)
class Stage:
    """Every detection and truth at one threshold: the row of the other one it is matched to or -1, and the kind."""

    threshold: float
    truth_of: Index  # (D,)
    detection_of: Index  # (G,)
    kind: NDArray[np.int8]  # (D,)


@dataclass(frozen=True, slots=True)
class Table:
    """Detections, ordered by class and descending score, truth, and their overlaps.

    rank (D,): place of a detection in its class, from 0. truths (C,): how many each class has.
    """

    videos: tuple[str, ...]
    labels: tuple[str, ...]
    found: Columns
    goal: Columns
    truths: Index
    rank: Index
    overlaps: Pairs
    same: Pairs  # of one class
    best_same: Float64  # (D,) largest tIoU with truth of its class
    best_other: Float64  # (D,) and of another class

    @property
    def considered(self) -> Mask:
        """Which detections are among the 10 G surest of their class, (D,)."""
        return np.asarray(self.band < BANDS, np.bool_)

    @property
    def band(self) -> Index:
        """The rank of each detection in units of G, from 0, (D,)."""
        return np.asarray(self.rank // self.truths[self.found.label], np.intp)

    def at(self, threshold: float) -> Stage:
        truth_of, detection_of = match(self.found, self.same, len(self.goal), threshold)
        kind = np.select(
            [
                truth_of >= 0,
                self.best_same >= threshold,
                self.best_other >= threshold,
                self.best_same >= LEAST_TIOU,
                self.best_other >= LEAST_TIOU,
            ],
            [Kind.TRUE, Kind.DOUBLE, Kind.WRONG_LABEL, Kind.LOCALIZATION, Kind.CONFUSION],
            Kind.BACKGROUND,
        )
        return Stage(threshold, truth_of, detection_of, kind.astype(np.int8))

    def ap(self, stage: Stage, removed: Mask | None = None) -> Float64:
        """Average precision of each class, (C,), without the `removed` detections."""
        kept = np.ones(len(self.found), bool) if removed is None else ~removed
        hits, label = stage.truth_of[kept] >= 0, self.found.label[kept]
        edges = np.searchsorted(label, np.arange(len(self.labels) + 1))
        return np.array([area(hits[edges[k] : edges[k + 1]], int(n)) for k, n in enumerate(self.truths)])

    def gain(self, stage: Stage, removed: Mask) -> float:
        """By how much mAP grows without the `removed` detections, all of them false at this stage."""
        touched = np.unique(self.found.label[removed])
        if not touched.size:
            return 0.0
        return max(0.0, mean(self.ap(stage, removed)) - mean(self.ap(stage)))

    def missed(self, stage: Stage) -> Missed:
        lost = stage.detection_of < 0
        misplaced = lost & (largest(self.same.tiou, self.same.second, len(self.goal)) >= LEAST_TIOU)
        strangers = self.found.label[self.overlaps.first] != self.goal.label[self.overlaps.second]
        best = largest(self.overlaps.tiou[strangers], self.overlaps.second[strangers], len(self.goal))
        mislabelled = lost & ~misplaced & (best >= stage.threshold)
        counts = [int(mask.sum()) for mask in (misplaced, mislabelled, lost & ~misplaced & ~mislabelled)]
        return Missed(*counts)


def make_table(detections: Mapping[str, Events], truth: Mapping[str, Events]) -> Table:
    # Videos of detections first: ties in score keep the order of input, as in mAP.
    videos = tuple(dict.fromkeys([*detections, *truth]))
    labels = tuple(sorted({label for events in truth.values() for label in events.labels}))
    goal = columns_by_video(truth, videos, labels)
    every = columns_by_video(detections, videos, labels)
    every = every.take(np.flatnonzero(every.label >= 0))
    found = every.take(np.lexsort((-every.score, every.label)))
    first = np.searchsorted(found.label, found.label, "left")
    overlaps = pairs(found, goal)
    own = found.label[overlaps.first] == goal.label[overlaps.second]
    return Table(
        videos=videos,
        labels=labels,
        found=found,
        goal=goal,
        truths=np.bincount(goal.label, minlength=len(labels)).astype(np.intp),
        rank=(np.arange(len(found)) - first).astype(np.intp),
        overlaps=overlaps,
        same=overlaps.only(own),
        best_same=largest(overlaps.tiou[own], overlaps.first[own], len(found)),
        best_other=largest(overlaps.tiou[~own], overlaps.first[~own], len(found)),
    )


def mean(ap: Float64) -> float:
    """Mean over classes (and thresholds); 0 without any."""
    return float(ap.mean()) if ap.size else 0.0
