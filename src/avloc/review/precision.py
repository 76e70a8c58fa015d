"""Precision of results by the events that somebody looked at, as of all of them.

Who looks at some scores more than at others, as `avloc review --next` has it, would get a precision of the looked-at
alone. Events are therefore weighted: one that was looked at stands for all of its band of scores (the weights of
Horvitz and Thompson 1952, post-stratified). The interval is Wilson's for the effective number of looks (Kish 1965).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.review.joined import Found
from avloc.review.proportions import wilson

BANDS = 5
FEW = 5
"""With fewer looks above a score nothing is said of it."""

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Precision:
    """Share of right ones among `events`, of which `looked` were looked at and `right` were right.

    share is of all events, with its interval of 95 %; None without a look.
    """

    events: int
    looked: int
    right: int
    share: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least score from which the precision is as wished, and the precision of what is left then."""

    score: float
    left: Precision


def bands_of(scores: Sequence[float] | Float) -> Float:
    """Lower ends of at most five bands of scores with as many events each, ascending."""
    if not len(scores):
        return np.zeros(1)
    return np.unique(np.sort(scores)[np.arange(BANDS) * len(scores) // BANDS])


def band(scores: Float, lower: Float) -> NDArray[np.intp]:
    """Number of the band of each score."""
    return np.asarray(np.searchsorted(lower, scores, side="right") - 1, np.intp).clip(0)


def precision_of(found: Sequence[Found], from_score: float = -np.inf) -> Precision:
    """Precision of the events with at least a score."""
    scores = np.array([f.event.score for f in found])
    right = np.array([np.nan if f.right is None else float(f.right) for f in found])
    return _precision(scores, right, _weights(scores, right), from_score)


def threshold_for(found: Sequence[Found], wished: float) -> Threshold | None:
    """The least score of a looked-at event from which the precision is `wished`; None where no score is."""
    scores = np.array([f.event.score for f in found])
    right = np.array([np.nan if f.right is None else float(f.right) for f in found])
    weights = _weights(scores, right)
    for score in np.unique(scores[~np.isnan(right)]):
        left = _precision(scores, right, weights, float(score))
        if left.looked >= FEW and left.share is not None and left.share >= wished:
            return Threshold(float(score), left)
    return None


def _weights(scores: Float, right: Float) -> Float:
    """For how many events each looked-at one stands; 0 of the others.

    A band that nobody looked at goes with the one below it, or else with the one above.
    """
    if not len(scores):
        return np.zeros(0)
    place = band(scores, bands_of(scores))
    seen = ~np.isnan(right)
    looked = np.bincount(place[seen], minlength=int(place.max()) + 1)
    (filled,) = np.nonzero(looked)
    if not filled.size:
        return np.zeros(len(scores))
    at = np.searchsorted(filled, place, side="right") - 1
    home = filled[at.clip(0)]
    many = np.bincount(home, minlength=len(looked))
    return np.where(seen, many[home] / np.maximum(looked[home], 1), 0.0)


def _precision(scores: Float, right: Float, weights: Float, from_score: float) -> Precision:
    above = scores >= from_score
    seen = above & ~np.isnan(right)
    n, hits, w = int(seen.sum()), int(np.nansum(right[seen])), weights[seen]
    if not n:
        return Precision(int(above.sum()), 0, 0, None, 0.0, 1.0)
    share = float((w * right[seen]).sum() / w.sum())
    low, high = wilson(share, float(w.sum() ** 2 / (w * w).sum()))
    return Precision(int(above.sum()), n, hits, share, low, high)
