"""Mean average precision over tIoU thresholds, interpolated as ActivityNet's evaluation does.

A detection takes the best-overlapping truth of its class and video that is still free and reaches the threshold, in
the order of descending score; ties keep the order of input. Classes without truth are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.events import Events

Float64 = NDArray[np.float64]

THRESHOLDS = tuple(float(t) for t in np.linspace(0.1, 0.9, 9))


@dataclass(frozen=True, slots=True)
class MeanAp:
    """ap (thresholds, classes) and its means; `labels` are the classes that have truth."""

    thresholds: tuple[float, ...]
    labels: tuple[str, ...]
    ap: Float64

    @property
    def by_threshold(self) -> Float64:
        """Mean over classes, (thresholds,)."""
        return self.ap.mean(axis=1) if self.labels else np.zeros(len(self.thresholds))

    @property
    def average(self) -> float:
        """Mean over classes and thresholds."""
        return float(self.by_threshold.mean())

    def at(self, threshold: float) -> float:
        """mAP at one of the thresholds."""
        return float(self.by_threshold[int(np.argmin(np.abs(np.array(self.thresholds) - threshold)))])


def mean_ap(
    detections: Mapping[str, Events], truth: Mapping[str, Events], thresholds: Sequence[float] = THRESHOLDS
) -> MeanAp:
    """mAP of detections against truth, both by video; detections of unknown videos count as false."""
    labels = tuple(sorted({label for events in truth.values() for label in events.labels}))
    limits = np.asarray(thresholds, np.float64)
    ap = np.zeros((len(limits), len(labels)))
    rows = _rows_by_label(detections)
    goal = _rows_by_label(truth)
    for k, label in enumerate(labels):
        if label in rows:
            ap[:, k] = _average_precision(rows[label], goal[label], limits)
    return MeanAp(tuple(float(t) for t in limits), labels, ap)


_Row = tuple[str, float, float, float]


def _rows_by_label(videos: Mapping[str, Events]) -> dict[str, list[_Row]]:
    rows: dict[str, list[_Row]] = {}
    for video, events in videos.items():
        columns = zip(
            events.labels, events.start_s.tolist(), events.end_s.tolist(), events.score.tolist(), strict=True
        )
        for label, start_s, end_s, score in columns:
            rows.setdefault(label, []).append((video, start_s, end_s, score))
    return rows


def _average_precision(rows: list[_Row], goal: list[_Row], limits: Float64) -> Float64:
    """AP of one class at every threshold, (thresholds,)."""
    by_video: dict[str, tuple[Float64, NDArray[np.intp]]] = {}
    for i, (video, start_s, end_s, _) in enumerate(goal):
        segments, index = by_video.get(video, (np.zeros((0, 2)), np.zeros(0, np.intp)))
        by_video[video] = np.vstack([segments, [[start_s, end_s]]]), np.append(index, i)
    taken = np.zeros((len(limits), len(goal)), bool)
    hit = np.zeros((len(limits), len(rows)))
    for d, (video, start_s, end_s, _) in enumerate(sorted(rows, key=lambda r: -r[3])):
        if video not in by_video:
            continue
        segments, index = by_video[video]
        iou = _iou(start_s, end_s, segments)
        for g in np.argsort(-iou, kind="stable"):
            free = (iou[g] >= limits) & ~taken[:, index[g]] & (hit[:, d] == 0)
            taken[free, index[g]] = True
            hit[free, d] = 1
    true_positive = hit.cumsum(axis=1)
    precision = true_positive / np.arange(1, len(rows) + 1)
    recall = true_positive / len(goal)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    gained = np.diff(recall, axis=1, prepend=0.0)
    return np.asarray((envelope * gained).sum(axis=1), np.float64)


def _iou(start_s: float, end_s: float, segments: Float64) -> Float64:
    shared = np.minimum(end_s, segments[:, 1]) - np.maximum(start_s, segments[:, 0])
    shared = shared.clip(min=0)
    union = (end_s - start_s) + (segments[:, 1] - segments[:, 0]) - shared
    return np.asarray(shared / np.where(union > 0, union, 1.0), np.float64)
