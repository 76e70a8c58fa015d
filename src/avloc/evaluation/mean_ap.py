"""Mean average precision over tIoU thresholds, interpolated as ActivityNet's evaluation does.

The evaluation of ActivityNet (Caba Heilbron et al. 2015) is what works on dense audio-visual events print. How
detections find truth is told in `matching`. A class's average precision is the area below its precision envelope:
precision at a recall is the best precision at that recall or beyond. Detections of videos that the truth does not
know are false; classes without truth, and their detections, are left out; classes without detections count zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.matching import THRESHOLDS, Matches, match
from avloc.events import Events

__all__ = ["THRESHOLDS", "MeanAp", "mean_ap", "mean_ap_of"]

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeanAp:
    """Average precisions and their means, as shares of one.

    Attributes:
        thresholds: T tIoU thresholds.
        labels: The K classes that have truth, sorted.
        ap: Average precision, (T, K).
        truth_count: Truths by class, (K,).
        detection_count: Detections by class, (K,).
    """

    thresholds: tuple[float, ...]
    labels: tuple[str, ...]
    ap: Float64
    truth_count: NDArray[np.intp]
    detection_count: NDArray[np.intp]

    @property
    def by_threshold(self) -> Float64:
        """Mean over classes, (T,); zero without any class."""
        return np.asarray(self.ap.mean(axis=1)) if self.labels else np.zeros(len(self.thresholds))

    @property
    def by_label(self) -> Float64:
        """Mean over thresholds, (K,)."""
        return np.asarray(self.ap.mean(axis=0))

    @property
    def average(self) -> float:
        """Mean over classes and thresholds."""
        return float(self.by_threshold.mean())

    def at(self, threshold: float) -> float:
        """mAP at one of the thresholds.

        Raises:
            ValueError: it was not computed at that threshold.
        """
        near = int(np.abs(np.array(self.thresholds) - threshold).argmin())
        if abs(self.thresholds[near] - threshold) > 1e-6:
            known = ", ".join(f"{t:g}" for t in self.thresholds)
            raise ValueError(f"mAP was not computed at {threshold:g}; the thresholds are {known}")
        return float(self.by_threshold[near])


def mean_ap(
    detections: Mapping[str, Events], truth: Mapping[str, Events], thresholds: Sequence[float] = THRESHOLDS
) -> MeanAp:
    """mAP of detections against truth, both by the video's name.

    Raises:
        ValueError: there is no threshold, or one lies outside (0, 1].
    """
    return mean_ap_of(match(detections, truth, thresholds))


def mean_ap_of(matches: Matches) -> MeanAp:
    """mAP of detections that are matched already."""
    ap = np.zeros((len(matches.thresholds), len(matches.labels)))
    hit = matches.hit
    for k, (part, truths) in enumerate(zip(matches.by_class(), matches.truth_count.tolist(), strict=True)):
        for t in range(len(ap)):
            right = np.flatnonzero(hit[t, part])
            # Recall grows at right detections alone, and there precision is higher than just before.
            precision = np.arange(1, len(right) + 1) / (right + 1)
            ap[t, k] = np.maximum.accumulate(precision[::-1]).sum() / truths
    return MeanAp(matches.thresholds, matches.labels, ap, matches.truth_count, matches.detection_count)
