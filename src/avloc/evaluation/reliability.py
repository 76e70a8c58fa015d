"""How often detections of a score are right: bins of scores, and how far the two lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """B bins of equal width over scores from 0 to 1.

    score: mean score in each bin, (B,), not a number where it is empty. right: share of its detections that are
    right, (B,). count: detections, (B,).
    """

    score: Float64
    right: Float64
    count: NDArray[np.intp]

    @property
    def error(self) -> float:
        """Expected calibration error: |right - score|, mean over detections (Guo et al. 2017); 0 without any."""
        there = self.count > 0
        if not there.any():
            return 0.0
        return float(np.average(np.abs(self.right - self.score)[there], weights=self.count[there]))


def reliability(score: ArrayLike, right: ArrayLike, bins: int = 10) -> Reliability:
    """Of detections with scores (D,) in [0, 1], each right or not (D,); a bin holds its upper end.

    Raises:
        ValueError: there is no bin.
    """
    if bins < 1:
        raise ValueError(f"{bins} bins were asked for; 1 or more are needed")
    s, hit = np.asarray(score, np.float64), np.asarray(right, np.float64)
    which = np.clip(np.ceil(s * bins).astype(np.intp) - 1, 0, bins - 1)
    count = np.bincount(which, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_score = np.bincount(which, s, bins) / count
        share = np.bincount(which, hit, bins) / count
    return Reliability(mean_score, share, count)
