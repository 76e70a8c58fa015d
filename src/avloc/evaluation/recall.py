"""Average recall at a number of proposals: how much truth the best N segments of a video cover.

As in the proposal task of ActivityNet (Caba Heilbron et al. 2015): a truth counts as found if any of the video's N
best-scored segments overlaps it with the threshold's tIoU; averaged over the thresholds 0.5, 0.55, ... 0.95. There N
is an average over the data set, here it is the most that each video may give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.columns import columns
from avloc.evaluation.matching import tiou
from avloc.events import Events

Float64 = NDArray[np.float64]

RECALL_THRESHOLDS = tuple(float(t) for t in np.linspace(0.5, 0.95, 10))
PROPOSALS = (1, 5, 10, 50, 100)

_PAIRS = 2_000_000  # pairs of truth and proposal looked at together: some 100 MB


@dataclass(frozen=True, slots=True)
class AverageRecall:
    """recall (N, T) at each number of proposals and threshold; `average` (N,) over the thresholds."""

    proposals: tuple[int, ...]
    thresholds: tuple[float, ...]
    recall: Float64

    @property
    def average(self) -> Float64:
        """Mean over thresholds, (N,)."""
        return np.asarray(self.recall.mean(axis=1), np.float64)


def average_recall(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    proposals: Sequence[int] = PROPOSALS,
    thresholds: Sequence[float] = RECALL_THRESHOLDS,
    *,
    same_label: bool = False,
) -> AverageRecall:
    """Share of the truth that each video's best `proposals` segments cover; ties in score keep the order of input.

    same_label: only a segment of the truth's own class covers it; N counts all of the video's segments all the same.
    Without any truth the recall is 0.

    Raises:
        ValueError: there is no number of proposals or one is not positive; no threshold, or one outside (0, 1].
    """
    counts, limits = tuple(int(n) for n in proposals), tuple(float(t) for t in thresholds)
    if not counts or not all(n > 0 for n in counts):
        raise ValueError(f"proposals are {counts}; one or more positive numbers are needed")
    if not limits or not all(0 < t <= 1 for t in limits):
        raise ValueError(f"thresholds are {limits}; one or more numbers above 0 and up to 1 are needed")
    total, found = 0, np.zeros((len(counts), len(limits)))
    for goal, overlap in _overlaps(detections, truth, max(counts), same_label):
        total += goal
        for i, n in enumerate(counts):
            best = overlap[:, :n].max(axis=1, initial=-1.0)
            found[i] += (best[:, None] >= np.array(limits)).sum(axis=0)
    return AverageRecall(counts, limits, found / max(total, 1))


def _overlaps(
    detections: Mapping[str, Events], truth: Mapping[str, Events], most: int, same_label: bool
) -> Iterator[tuple[int, Float64]]:
    """Blocks of truths: how many, and their tIoU with each of the best `most` segments, (G, most or fewer)."""
    videos = {name: i for i, name in enumerate(truth)}
    labels = sorted({label for events in truth.values() for label in events.labels})
    goal = columns(truth, videos, labels)
    found = columns({v: events for v, events in detections.items() if v in videos}, videos, labels)
    found = found.take(np.lexsort((-found.score, found.video)))
    counts = np.bincount(found.video, minlength=len(videos))
    first = counts.cumsum() - counts
    width = min(most, int(counts.max(initial=0)))
    step = max(1, _PAIRS // max(width, 1))
    for begin in range(0, len(goal), step):
        g = goal.take(np.arange(begin, min(begin + step, len(goal))))
        rank = np.arange(width)
        there = rank < counts[g.video][:, None]
        d = np.where(there, first[g.video][:, None] + rank, 0)
        overlap = tiou(g.start_s[:, None], g.end_s[:, None], found.start_s[d], found.end_s[d])
        if same_label:
            there = there & (found.label[d] == g.label[:, None])
        yield len(g), np.where(there, overlap, -1.0)
