"""Segment accuracy: the share of all seconds of all videos whose class is told, "no event" being one.

The class that is told of a second is that of the best-scored detection that covers its middle, or none where no
detection with a score of `min_score` or more does. It is right if an event of that class is there, or none of any
(Tian et al. 2018, on AVE).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.seconds import middles, segments_in
from avloc.events import Events


@dataclass(frozen=True, slots=True)
class SegmentAccuracy:
    """Counts of segments: all, those told right, and of each the ones in which nothing is on."""

    segments: int
    right: int
    background: int
    background_right: int
    min_score: float
    segment_s: float

    @property
    def accuracy(self) -> float:
        """Share of the segments that is right; 0 without any."""
        return self.right / self.segments if self.segments else 0.0


def segment_accuracy(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    durations_s: Mapping[str, float],
    *,
    min_score: float = 0.5,
    segment_s: float = 1.0,
) -> SegmentAccuracy:
    """Count the segments of the videos of the truth; detections of other videos are not looked at.

    Raises:
        ValueError: a length is not known, or segment_s is not positive.
    """
    background, scores, right = _told(detections, truth, durations_s, segment_s)
    shown = scores >= min_score
    sound = np.where(shown, right, background)
    return SegmentAccuracy(
        len(sound), int(sound.sum()), int(background.sum()), int((background & sound).sum()), min_score, segment_s
    )


def best_accuracy(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    durations_s: Mapping[str, float],
    *,
    segment_s: float = 1.0,
) -> SegmentAccuracy:
    """With the least score that tells most segments right: for a validation split, not for the one that is reported.

    Raises:
        ValueError: a length is not known, or segment_s is not positive.
    """
    background, scores, right = _told(detections, truth, durations_s, segment_s)
    order = np.argsort(-scores, kind="stable")
    gain = np.cumsum(np.where(right, 1, 0)[order] - np.where(background, 1, 0)[order])
    ranked = scores[order]
    last = np.append(ranked[1:] < ranked[:-1], True) & np.isfinite(ranked) if len(ranked) else np.zeros(0, bool)
    ends = np.flatnonzero(last)
    best = ends[np.argmax(gain[ends])] if ends.size else None
    # Where no threshold is better than to tell nothing, one above all scores tells nothing.
    least = float(ranked[best]) if best is not None and gain[best] > 0 else float(np.nextafter(1.0, 2.0))
    return segment_accuracy(detections, truth, durations_s, min_score=least, segment_s=segment_s)


def _told(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    durations_s: Mapping[str, float],
    segment_s: float,
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]]:
    """Of each segment of all videos: whether nothing is on, the best score of a detection (-inf: none), and whether
    that detection's class is on."""
    background, scores, right = [], [], []
    for video, goal in truth.items():
        count = segments_in(video, durations_s[video], segment_s)
        on = _covers(goal, count, segment_s)  # (N, T)
        found = detections.get(video, Events())
        there = _covers(found, count, segment_s)  # (M, T)
        score = np.where(there, found.score[:, None], -np.inf)
        background.append(~on.any(axis=0))
        if not len(found):
            scores.append(np.full(count, -np.inf))
            right.append(np.zeros(count, bool))
            continue
        best = score.argmax(axis=0)  # (T,)
        same = np.array([[label == other for other in goal.labels] for label in found.labels], bool)
        scores.append(score.max(axis=0))
        right.append((same.reshape(len(found), len(goal))[best] & on.T).any(axis=1))
    joined = [np.concatenate(part) if part else np.zeros(0) for part in (background, scores, right)]
    return joined[0].astype(bool), joined[1].astype(np.float64), joined[2].astype(bool)


def _covers(events: Events, count: int, segment_s: float) -> NDArray[np.bool_]:
    """Which events cover the middle of which segments, (N, T)."""
    middle = middles(count, segment_s)
    return np.asarray((events.start_s[:, None] <= middle) & (middle < events.end_s[:, None]))
