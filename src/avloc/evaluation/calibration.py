"""Scores that say how often they are right: the logistic curve through detections that are right or wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST_STEPS = 100
_CLOSE = 1e-10  # of a step of Newton's method
_EDGE = 1e-7  # of a score, before its logit


@dataclass(frozen=True, slots=True)
class Line:
    """What calibration makes of a score's logit: slope * logit + offset."""

    slope: float
    offset: float

    def __call__(self, score: ArrayLike) -> NDArray[np.float64]:
        """Calibrated scores."""
        return _sigmoid(self.slope * logit(score) + self.offset)


def logit(score: ArrayLike) -> NDArray[np.float64]:
    """Logarithm of the odds of scores in [0, 1], their ends held off."""
    p = np.clip(np.asarray(score, np.float64), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(p / (1 - p)))


def logistic_line(score: ArrayLike, right: ArrayLike) -> Line | None:
    """Plain logistic regression of being right (D,) on the logits of scores (D,), by Newton's method (Platt 1999).

    None where no such line keeps the order of the scores: all are right, or all wrong, or a score divides the two, or
    surer detections are not right more often.
    """
    x, y = logit(score), np.asarray(right, np.float64)
    if not _overlap(x, y > 0.5):
        return None
    try:
        slope, offset = logistic_fit(np.stack([x, np.ones_like(x)], axis=1), y, start=np.array([1.0, 0.0])).tolist()
    except np.linalg.LinAlgError:  # all scores are one
        return None
    return Line(slope, offset) if slope > 0 else None


def logistic_fit(
    design: ArrayLike,
    right: ArrayLike,
    weight: ArrayLike = 1.0,
    ridge: ArrayLike = 0.0,
    start: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Factors (D,) of logistic regression of being right (N,) on a design (N, D), by Newton's method.

    weight (N,) counts rows; ridge (D,) is twice the penalty of each factor's square. Without a ridge both kinds of
    rows have to overlap, or the factors grow without end.

    Raises:
        numpy.linalg.LinAlgError: the design does not say what all of the factors are.
    """
    x, y = np.asarray(design, np.float64), np.asarray(right, np.float64)
    w, penalty = np.broadcast_to(np.asarray(weight, np.float64), y.shape), np.asarray(ridge, np.float64)
    line = np.zeros(x.shape[1]) if start is None else np.asarray(start, np.float64)

    def loss_of(factors: NDArray[np.float64]) -> float:
        z = x @ factors
        return float(np.sum(w * (np.logaddexp(0, z) - y * z)) + np.sum(penalty * factors**2) / 2)

    loss = loss_of(line)
    for _ in range(_MOST_STEPS):
        p = _sigmoid(x @ line)
        curvature = (x * (w * p * (1 - p))[:, None]).T @ x + np.diag(np.broadcast_to(penalty, line.shape))
        step = np.linalg.solve(curvature, x.T @ (w * (p - y)) + penalty * line)
        size = 1.0
        while (new := loss_of(line - size * step)) > loss and size > _CLOSE:
            size /= 2
        line, loss = line - size * step, min(new, loss)
        if size * np.abs(step).max() < _CLOSE:
            break
    return line


def _sigmoid(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without overflow, however far from 0."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -z)))


def _overlap(x: NDArray[np.float64], right: NDArray[np.bool_]) -> bool:
    """Whether both kinds are there, and no score divides them: else the curve would have to be infinitely steep."""
    if right.all() or not right.any():
        return False
    return bool(x[right].min() < x[~right].max() and x[~right].min() < x[right].max())
