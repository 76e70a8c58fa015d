"""Detections against truth, one to one, at every tIoU threshold: what mAP, its intervals and a diagnosis stand on.

In each video and class the detections come by descending score (ties keep the order of input). Each takes, of the
truths that are still free and overlap it with a tIoU of at least the threshold, the one that overlaps most; of truths
that overlap it equally, the one given first. So it is done in the evaluation of ActivityNet (Caba Heilbron et al.
2015), whose choice among equal overlaps is left to an unstable sort and changes with the processor.

Legend: D detections, G truths, T thresholds, K classes, A (video, class) groups side by side, W truths of a group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.columns import Columns, Float64, Index, columns
from avloc.events import Events

THRESHOLDS = tuple(float(t) for t in np.linspace(0.1, 0.9, 9))


@dataclass(frozen=True, slots=True)
class Matches:
    """Who found whom.

    Attributes:
        thresholds: T tIoU thresholds.
        labels: The K classes that have truth, sorted.
        videos: Names of videos: those of the truth in their order, then those that only detections name.
        truth_videos: How many of `videos` are of the truth.
        truth: The G truths, in the order of input.
        detections: The D detections of the K classes, by class, then descending score, then order of input.
        found: Index of the truth that each detection takes at each threshold, (T, D); -1 where it takes none.
        left_out: Number of detections of classes without truth.
    """

    thresholds: tuple[float, ...]
    labels: tuple[str, ...]
    videos: tuple[str, ...]
    truth_videos: int
    truth: Columns
    detections: Columns
    found: NDArray[np.int32]
    left_out: int

    @property
    def hit(self) -> NDArray[np.bool_]:
        """Whether a detection is right, (T, D)."""
        return self.found >= 0

    @property
    def truth_count(self) -> Index:
        """Truths by class, (K,); never 0."""
        return np.bincount(self.truth.label, minlength=len(self.labels))

    @property
    def detection_count(self) -> Index:
        """Detections by class, (K,)."""
        return np.bincount(self.detections.label, minlength=len(self.labels))

    def by_class(self) -> Iterator[slice]:
        """The stretch of `detections` that each class holds."""
        first = 0
        for count in self.detection_count.tolist():
            yield slice(first, first + count)
            first += count


def match(
    detections: Mapping[str, Events], truth: Mapping[str, Events], thresholds: Sequence[float] = THRESHOLDS
) -> Matches:
    """Match the detections of videos against their truth, both by the video's name.

    Raises:
        ValueError: there is no threshold, or one lies outside (0, 1].
    """
    limits = tuple(float(t) for t in thresholds)
    if not limits or not all(0 < t <= 1 for t in limits):
        raise ValueError(f"thresholds are {limits}; one or more numbers above 0 and up to 1 are needed")
    labels = tuple(sorted({label for events in truth.values() for label in events.labels}))
    videos = {name: i for i, name in enumerate([*truth, *(name for name in detections if name not in truth)])}
    goal, found_all = columns(truth, videos, labels), columns(detections, videos, labels)
    kept = np.flatnonzero(found_all.label >= 0)
    kept = kept[np.lexsort((-found_all.score[kept], found_all.label[kept]))]
    ranked = found_all.take(kept)
    found = np.full((len(limits), len(ranked)), -1, np.int32)
    for block in _blocks(ranked, goal, len(labels)):
        _match_block(block, np.array(limits), found)
    return Matches(limits, labels, tuple(videos), len(truth), goal, ranked, found, len(found_all) - len(kept))


def tiou(start_s: Float64, end_s: Float64, other_start_s: Float64, other_end_s: Float64) -> Float64:
    """Overlap over union of segments, broadcast; 0 where both have no length."""
    shared = (np.minimum(end_s, other_end_s) - np.maximum(start_s, other_start_s)).clip(min=0)
    union = (end_s - start_s) + (other_end_s - other_start_s) - shared
    share: Float64 = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return share


@dataclass(frozen=True, slots=True)
class _Block:
    """Groups of similar size. Detections stand round by round: first the best of each group, then the second best.

    Groups with more detections come first, so those with an n-th detection are the first `size[n]`.
    """

    size: Index  # (rounds,) groups with so many detections
    detection: Index  # (sum of size,) index of the detection
    overlap: Float64  # (sum of size, W) tIoU with each truth of the group, -1 beyond the group's own
    truth: Index  # (A, W) index of the truths


def _blocks(ranked: Columns, goal: Columns, classes: int) -> Iterator[_Block]:
    """Groups that have both detections and truth, in blocks by their number of truths: 1, 2, 3 to 4, 5 to 8, ..."""
    key = goal.video * classes + goal.label
    in_group = np.argsort(key, kind="stable")
    keys, first_truth, truths = np.unique(key[in_group], return_index=True, return_counts=True)
    mine = ranked.video * classes + ranked.label
    group = np.searchsorted(keys, mine)
    able = np.flatnonzero(np.append(keys, -1)[group] == mine)
    able = able[np.argsort(group[able], kind="stable")]
    groups, first, counts = np.unique(group[able], return_index=True, return_counts=True)
    width = np.ceil(np.log2(truths[groups])).astype(np.intp)
    for exponent in np.unique(width):
        chosen = np.flatnonzero(width == exponent)
        chosen = chosen[np.argsort(-counts[chosen], kind="stable")]
        column = np.arange(truths[groups[chosen]].max())
        inside = column < truths[groups[chosen], None]
        truth = in_group[np.where(inside, first_truth[groups[chosen], None] + column, 0)]
        size = np.searchsorted(-counts[chosen], -np.arange(counts[chosen[0]]), side="left")
        in_round = np.concatenate([np.arange(n) for n in size])
        detection = able[first[chosen[in_round]] + np.repeat(np.arange(len(size)), size)]
        d, g = ranked.take(detection), truth[in_round]
        overlap = tiou(d.start_s[:, None], d.end_s[:, None], goal.start_s[g], goal.end_s[g])
        yield _Block(size, detection, np.where(inside[in_round], overlap, -1.0), truth)


def _match_block(block: _Block, limits: Float64, found: NDArray[np.int32]) -> None:
    """Write into `found` (T, D) what each detection of the block takes."""
    last = block.size.cumsum()
    first = last - block.size
    for t, limit in enumerate(limits.tolist()):
        able = np.where(block.overlap >= limit, block.overlap, -1.0)
        free = np.ones(block.truth.shape, bool)
        for r in np.flatnonzero(np.logical_or.reduceat((able >= 0).any(axis=1), first)).tolist():
            n = block.size[r]
            open_to = np.where(free[:n], able[first[r] : last[r]], -1.0)
            best = open_to.argmax(axis=1)
            hit = np.flatnonzero(open_to[np.arange(n), best] >= 0)
            free[hit, best[hit]] = False
            found[t, block.detection[first[r] + hit]] = block.truth[hit, best[hit]]
