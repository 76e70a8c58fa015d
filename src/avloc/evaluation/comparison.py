"""Whether one detector is better than another on the same videos: paired bootstrap of the difference in mAP.

Each draw takes videos with replacement, and both detectors are scored on the same draw (Efron 1979), so what makes a
draw easy or hard for both leaves their difference. The interval is that of `bootstrap.interval`: the spread of the
draws about their own mean, put around the measured difference. The p-value belongs to it: the share of draws that lie
as far from their mean as the measured difference lies from zero, or farther. It is two-sided and never 0, for the
measured data count as one draw more: (n + 1) / (R + 1).

Legend: T thresholds, K classes, R draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.bootstrap import bootstrap, interval
from avloc.evaluation.matching import Matches
from avloc.evaluation.mean_ap import mean_ap_of

Float64 = NDArray[np.float64]

_SLACK = 1e-12  # a difference of the last binary digit is none


@dataclass(frozen=True, slots=True)
class Paired:
    """A number of two detectors, or N of them, as shares of one; arrays are (N,).

    Attributes:
        first, second: Measured values.
        low, high: Ends of the 95 % interval of `difference`; not a number where no draw had truth.
        p: Two-sided p-value of `difference`.
    """

    first: Float64
    second: Float64
    low: Float64
    high: Float64
    p: Float64

    @property
    def difference(self) -> Float64:
        """The second less the first, (N,)."""
        return np.asarray(self.second - self.first, np.float64)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two detectors on the same truth.

    Attributes:
        thresholds: T tIoU thresholds.
        labels: The K classes that have truth, sorted.
        truth_count: Truths by class, (K,).
        draws: How many draws of videos.
        average: mAP over all thresholds, (1,).
        by_threshold: mAP at each threshold, (T,).
        by_label: Average precision of each class over the thresholds, (K,).
    """

    thresholds: tuple[float, ...]
    labels: tuple[str, ...]
    truth_count: NDArray[np.intp]
    draws: int
    average: Paired
    by_threshold: Paired
    by_label: Paired


def compare(first: Matches, second: Matches, draws: int = 1000, seed: int = 0) -> Comparison:
    """The second detector against the first, both matched to the same truth at the same thresholds.

    Raises:
        ValueError: truth or thresholds of the two are not the same, or `draws` is not positive.
    """
    for name in ("thresholds", "labels", "truth_videos"):
        if getattr(first, name) != getattr(second, name):
            raise ValueError(f"the {name} of the two are not the same; match both against the same truth")
    if first.videos[: first.truth_videos] != second.videos[: second.truth_videos]:
        raise ValueError("the videos of the two are not the same; match both against the same truth")
    one, other = mean_ap_of(first), mean_ap_of(second)
    drawn, drawn_other = bootstrap(first, draws, seed), bootstrap(second, draws, seed)
    return Comparison(
        first.thresholds,
        first.labels,
        one.truth_count,
        draws,
        paired(
            np.array([one.average]),
            np.array([other.average]),
            drawn.average[:, None],
            drawn_other.average[:, None],
        ),
        paired(one.by_threshold, other.by_threshold, drawn.by_threshold, drawn_other.by_threshold),
        paired(one.by_label, other.by_label, drawn.by_label, drawn_other.by_label),
    )


def paired(first: Float64, second: Float64, drawn_first: Float64, drawn_second: Float64) -> Paired:
    """Measured values (N,) and those of the same draws (R, N); a draw that is NaN in a column is left out there."""
    change = drawn_second - drawn_first
    difference = second - first
    low, high = interval(change, difference)
    there = ~np.isnan(change)
    count = there.sum(axis=0)
    about = np.abs(change - np.where(there, change, 0.0).sum(axis=0) / np.maximum(count, 1))
    as_far = (there & (about >= np.abs(difference) - _SLACK)).sum(axis=0)
    return Paired(first, second, low, high, np.where(count > 0, (as_far + 1) / (count + 1), np.nan))
