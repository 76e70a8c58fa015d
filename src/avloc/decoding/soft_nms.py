"""Suppression of segments that say the same, class by class: soft-NMS, hard NMS, and segment voting. numpy only.

Soft-NMS (Bodla et al. 2017) takes the best segment left, lowers the scores of the others by their tIoU with it, and
goes on until the best is below `min_score`. Two ways to the same result: best first over all classes at once, which
may stop as soon as `keep` segments are out, for scores only fall; and all classes side by side, one segment each a
round, which is quicker when nearly everything is kept.

Legend: N segments, C classes side by side, M segments of the largest of them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Index = NDArray[np.intp]
Decay = Literal["gaussian", "linear", "hard"]

_ROUND = 3  # what a round of all classes costs, in steps of one segment
_TABLE = 400_000  # entries of a table of all pairs that are worth computing beforehand
_TINY = float(np.finfo(np.float64).tiny)  # a union below any real one: nothing shared by two of no length is 0


def soft_nms(
    start: Float64,
    end: Float64,
    score: Float64,
    label: Index,
    *,
    sigma: float,
    min_score: float,
    decay: Decay = "gaussian",
    iou: float = 0.1,
    keep: int | None = None,
    spare_best: bool = False,
) -> tuple[Index, Float64]:
    """Index and lowered score of the kept segments, highest score first; columns of shape (N,), any unit of time.

    The others of a class fall by exp(-tIoU^2 / sigma) ("gaussian"); by 1 - tIoU where tIoU is at least `iou`
    ("linear"); or to nothing there ("hard"). Segments below `min_score` are dropped. Of equal scores the one given
    first is taken first, and of equal scores of two classes that of the lower class. `keep` is the most to return.
    With `spare_best` the best of each class is kept however low it is, as the code of ActionFormer and its rivals
    does. Where all have one label, all suppress one another.

    Raises:
        ValueError: columns differ in length, a score is negative or not a number, or sigma is not positive.
    """
    if not len(start) == len(end) == len(score) == len(label):
        lengths = f"{len(start)}, {len(end)}, {len(score)} and {len(label)}"
        raise ValueError(f"start, end, score and label have {lengths} entries; give one of each per segment")
    if not (score >= 0).all():
        raise ValueError("a score is negative or not a number; scores of 0 or more are needed")
    if decay == "gaussian" and not sigma > 0:
        raise ValueError(f"sigma is {sigma}; a positive number is needed")
    most = len(score) if keep is None else min(keep, len(score))
    able = np.flatnonzero(score >= min_score)
    if most <= 0 or not able.size:
        kept, value = np.zeros(0, np.intp), np.zeros(0)
    else:
        kept, value = _suppress(start, end, score, label, able, _Weigh(decay, sigma, iou), min_score, most)
    if spare_best:
        lone = _best_of_low_classes(score, label, min_score)[: most - len(kept)]
        kept, value = np.append(kept, lone), np.append(value, score[lone])
    return kept, value


def _best_of_low_classes(score: Float64, label: Index, min_score: float) -> Index:
    """The best segment of each class that has none of `min_score`, highest score first."""
    ranked = np.lexsort((label, -score))
    _, first = np.unique(label[ranked], return_index=True)
    best = ranked[np.sort(first)]
    return best[score[best] < min_score]


def _suppress(
    start: Float64,
    end: Float64,
    score: Float64,
    label: Index,
    able: Index,
    weigh: _Weigh,
    min_score: float,
    most: int,
) -> tuple[Index, Float64]:
    """`soft_nms` of the segments that are `able` to be kept, at least one."""
    order = able[np.argsort(label[able], kind="stable")]
    first = np.flatnonzero(np.diff(label[order], prepend=label[order[0]] - 1))
    size = np.diff(np.append(first, len(order)))
    s, e, left = (column[order].astype(np.float64) for column in (start, end, score))
    blocks = _by_size(size)
    rounds = sum(int(size[block].max()) for block in blocks)
    if most <= _ROUND * rounds:
        kept, value = _best_first(s, e, left, first, size, weigh, min_score, most)
    else:
        parts = [_side_by_side(s, e, left, first[b], size[b], weigh, min_score) for b in blocks]
        kept, value = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        # Blocks hold whole classes in the order they were taken in; a stable sort keeps that order among equals.
        ranked = np.lexsort((label[order[kept]], -value))[:most]
        kept, value = kept[ranked], value[ranked]
    return order[kept], value


def vote(
    start: Float64,
    end: Float64,
    score: Float64,
    label: Index,
    kept: Index,
    *,
    iou: float,
    weight: Literal["score", "score-iou"] = "score",
) -> tuple[Float64, Float64]:
    """Starts and ends of the `kept` segments, each moved to the mean of those around it; (len(kept),) each.

    Those around are the segments before suppression, of the same class, that overlap it with a tIoU of at least
    `iou`; they weigh with their scores (bounding-box voting, Gidaris and Komodakis 2015, in time), or with score
    times tIoU. A segment with nothing around it, not even itself for want of length, stays.
    """
    new_start, new_end = start[kept].astype(np.float64), end[kept].astype(np.float64)
    order = np.argsort(label, kind="stable")
    names = label[order]
    for name in np.unique(label[kept]):
        members = order[np.searchsorted(names, name, "left") : np.searchsorted(names, name, "right")]
        mine = np.flatnonzero(label[kept] == name)
        s, e = start[members], end[members]
        overlap = _tiou(s, e, new_start[mine, None], new_end[mine, None])
        share = (overlap >= iou) * score[members]
        if weight == "score-iou":
            share *= overlap
        total = share.sum(axis=1)
        mine, share = mine[total > 0], share[total > 0] / total[total > 0, None]
        new_start[mine], new_end[mine] = share @ s, share @ e
    return new_start, new_end


class _Weigh:
    """What is left of a score beside a taken segment: factors from tIoU, same shape; may write into its argument."""

    def __init__(self, decay: Decay, sigma: float, iou: float) -> None:
        self.decay, self.iou = decay, iou
        self.rate = -1.0 / sigma if decay == "gaussian" else 0.0

    def __call__(self, overlap: Float64) -> Float64:
        if self.decay == "gaussian":
            np.multiply(overlap, overlap, out=overlap)
            np.multiply(overlap, self.rate, out=overlap)
            return np.exp(overlap, out=overlap)
        if self.decay == "linear":
            return np.where(overlap >= self.iou, 1.0 - overlap, 1.0)
        return np.where(overlap >= self.iou, 0.0, 1.0)


_Taken = tuple[Index, Float64]


def _best_first(
    start: Float64,
    end: Float64,
    left: Float64,
    first: Index,
    size: Index,
    weigh: _Weigh,
    min_score: float,
    most: int,
) -> _Taken:
    """One segment after another, the best of all classes; each lowers its own class alone."""
    bounds = np.repeat(first, size).tolist(), np.repeat(first + size, size).tolist()
    length = end - start
    taken = np.zeros(len(left), bool)
    kept: list[int] = []
    value: list[float] = []
    while len(kept) < most:
        best = int(left.argmax())
        top = float(left[best])
        if top < min_score or top < 0:  # -1 is put where a segment was taken
            break
        kept.append(best)
        value.append(top)
        taken[best] = True
        a, b = bounds[0][best], bounds[1][best]
        if b - a == 1:
            left[best] = -1.0
            continue
        shared = np.minimum(end[a:b], end[best])
        shared -= np.maximum(start[a:b], start[best])
        np.maximum(shared, 0.0, out=shared)
        union = length[a:b] + length[best]
        union -= shared
        shared /= np.maximum(union, _TINY, out=union)
        rest = left[a:b]
        rest *= weigh(shared)
        np.copyto(rest, -1.0, where=taken[a:b])
    return np.array(kept, np.intp), np.array(value)


def _by_size(size: Index) -> list[Index]:
    """Classes of similar size together, so that a table of them is at least half full."""
    exponent = np.frexp(size - 0.5)[1]
    return [np.flatnonzero(exponent == e) for e in np.unique(exponent)]


def _side_by_side(
    start: Float64, end: Float64, left: Float64, first: Index, size: Index, weigh: _Weigh, min_score: float
) -> _Taken:
    """All segments of the classes (C,), one of each class a round."""
    column = np.arange(size.max())
    table = np.where(column < size[:, None], first[:, None] + column, -1)
    absent = table < 0
    s, e, rest = start[table], end[table], np.where(absent, -1.0, left[table])
    pairs = None
    if table.size * len(column) <= _TABLE:
        pairs = weigh(_tiou(s[:, :, None], e[:, :, None], s[:, None, :], e[:, None, :]))
    kept, value = [], []
    while True:
        each = np.arange(len(rest))
        best = rest.argmax(axis=1)
        top = rest[each, best]
        alive = (top >= min_score) & (top >= 0)
        if not alive.all():
            if not alive.any():
                break
            each, best, top = np.arange(int(alive.sum())), best[alive], top[alive]
            rest, table, absent, s, e = (a[alive] for a in (rest, table, absent, s, e))
            pairs = None if pairs is None else pairs[alive]
        kept.append(table[each, best])
        value.append(top)
        absent[each, best] = True
        if pairs is None:
            rest *= weigh(_tiou(s, e, s[each, best][:, None], e[each, best][:, None]))
        else:
            rest *= pairs[each, best]
        np.copyto(rest, -1.0, where=absent)
    return np.concatenate([np.zeros(0, np.intp), *kept]), np.concatenate([np.zeros(0), *value])


def _tiou(start: Float64, end: Float64, other_start: Float64, other_end: Float64) -> Float64:
    shared = np.minimum(end, other_end)
    shared -= np.maximum(start, other_start)
    np.maximum(shared, 0.0, out=shared)
    union = (end - start) + (other_end - other_start)
    union -= shared
    shared /= np.maximum(union, _TINY, out=union)
    return shared
