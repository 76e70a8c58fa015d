"""How events fall on the levels of a pyramid: the rule of training's targets, counted over a data set.

Legend: T steps, P moments, N events of a video, L levels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avloc.timegrid import Moments, TimeGrid, pyramid_moments


@dataclass(frozen=True, slots=True)
class LevelCount:
    """One level: its stride, the reach of its moments (infinite on the last), and what falls on it.

    `events` have a positive moment on the level (an event may be on several); `moments` are those.
    """

    level: int
    stride_s: float
    reach_s: tuple[float, float]
    events: int
    moments: int


def positive_moments(
    moments: Moments, length: int, segments: NDArray[np.float32], labels: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which moments are positive for which events: (P, N), for a video of `length` steps.

    `segments` (N, 2) are in steps. The rule is that of `avloc.learning.targets`: a moment inside the event, on the
    level whose range holds the larger distance to its ends; of several events of a class the shortest counts, the
    earlier in order where lengths are equal.
    """
    to_start = moments.step[:, None] - segments[:, 0]  # (P, N)
    to_end = segments[:, 1] - moments.step[:, None]
    reach = np.maximum(to_start, to_end)
    hit = (np.minimum(to_start, to_end) > 0) & (moments.step < length)[:, None]
    hit &= (reach >= moments.reach_min[:, None]) & (reach < moments.reach_max[:, None])
    rank = np.empty(len(labels), np.intp)
    rank[np.argsort(segments[:, 1] - segments[:, 0], kind="stable")] = np.arange(len(labels))
    prior = (labels[:, None] == labels) & (rank[:, None] < rank)  # (N, N): the first goes before the second
    beaten = (hit.astype(np.float32) @ prior.astype(np.float32)) > 0
    return np.asarray(hit & ~beaten)


def count_levels(
    videos: Iterable[tuple[int, NDArray[np.float32], NDArray[np.int64]]],
    grid: TimeGrid,
    levels: int,
    first_reach: float = 4.0,
) -> tuple[tuple[LevelCount, ...], list[NDArray[np.bool_]]]:
    """Counts of each level over `videos` (length in steps, segments in steps, labels); whether each event is positive
    anywhere, by video. `first_reach` is that of the finest level, in steps."""
    events, positive = np.zeros(levels, np.int64), np.zeros(levels, np.int64)
    matched: list[NDArray[np.bool_]] = []
    for length, segments, labels in videos:
        moments = _moments(-(-max(length, 1) // 2 ** (levels - 1)), levels, first_reach)
        hit = positive_moments(moments, length, segments, labels)  # (P, N)
        for level in range(levels):
            here = hit[moments.level == level]
            events[level] += int(here.any(axis=0).sum())
            positive[level] += int(here.sum())
        matched.append(np.asarray(hit.any(axis=0)))
    reach = _moments(1, levels, first_reach)
    counts = []
    for level in range(levels):
        at = int(np.flatnonzero(reach.level == level)[0])
        low, high = float(reach.reach_min[at]) * grid.stride_s, float(reach.reach_max[at]) * grid.stride_s
        counts.append(
            LevelCount(level, 2**level * grid.stride_s, (low, high), int(events[level]), int(positive[level]))
        )
    return tuple(counts), matched


@lru_cache(maxsize=64)
def _moments(coarse_steps: int, levels: int, first_reach: float) -> Moments:
    return pyramid_moments(coarse_steps * 2 ** (levels - 1), levels, first_reach)
