"""Soft-NMS of temporal segments, numpy only (Bodla et al. 2017, gaussian form, class by class)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def soft_nms(
    start: Float64, end: Float64, score: Float64, label: NDArray[np.intp], *, sigma: float, min_score: float
) -> tuple[NDArray[np.intp], Float64]:
    """Index and decayed score of the kept segments, highest score first; columns of shape (N,), any unit.

    In each class the best segment left is taken and the scores of the others decay by exp(-IoU^2 / sigma);
    segments that fall below `min_score` are dropped. All classes run side by side, one step per round.
    """
    if len(score) == 0:
        return np.zeros(0, np.intp), np.zeros(0)
    table = _by_class(score, label)  # (K, M) indices, -1 where a class has fewer
    present = table >= 0
    s, e = start[table], end[table]
    left = np.where(present, score[table], -np.inf)
    left[left < min_score] = -np.inf
    kept_index, kept_score = [np.zeros(0, np.intp)], [np.zeros(0)]
    while True:
        rows = np.flatnonzero(left.max(axis=1) > -np.inf)
        if rows.size == 0:
            break
        if rows.size < len(left):
            left, s, e, table = left[rows], s[rows], e[rows], table[rows]
        each = np.arange(len(left))
        best = left.argmax(axis=1)
        kept_index.append(table[each, best])
        kept_score.append(left[each, best])
        left[each, best] = -np.inf
        iou = _iou(s, e, s[each, best][:, None], e[each, best][:, None])
        np.multiply(left, np.exp(-(iou**2) / sigma), out=left, where=left > -np.inf)
        left[left < min_score] = -np.inf
    index, scores = np.concatenate(kept_index), np.concatenate(kept_score)
    order = np.argsort(-scores, kind="stable")
    return index[order], scores[order]


def _by_class(score: Float64, label: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rows of indices, one row a class that occurs, padded with -1."""
    order = np.argsort(label, kind="stable")
    _, first, count = np.unique(label[order], return_index=True, return_counts=True)
    table = np.full((len(first), count.max()), -1, np.intp)
    row = np.repeat(np.arange(len(first)), count)
    table[row, np.arange(len(order)) - first[row]] = order
    return table


def _iou(start: Float64, end: Float64, other_start: Float64, other_end: Float64) -> Float64:
    shared = np.minimum(end, other_end) - np.maximum(start, other_start)
    union = (end - start) + (other_end - other_start) - shared
    return np.where(shared > 0, shared / np.where(union > 0, union, 1.0), 0.0)
