"""Events longer than the network's reach: pieces of one class that touch > one event from first to last. numpy only.

A moment far inside a long event sees none of its ends. What it says then is a piece as long as the network reaches,
and less sure than what is said near an end: so the event's ends score well, and its middle is covered by pieces that
overlap, each too unsure to be shown, and lowered again by soft-NMS since they overlap. They are chained as edges are
by hysteresis (Canny 1986): from a sure piece on, less sure ones are taken as long as they touch.

Legend: N candidates of all classes, or of one; times in any one unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
Columns = tuple[Float64, Float64, Float64, Index]

_PART = 0.5  # of its length within a whole, from which on a candidate is a part of it
_SURE = 0.5  # of the surest part's score, from which on the pieces speak for the whole
_TELLS = 0.01  # of the surest part's score, from which on a part tells where the whole ends
_NEAR = 0.25  # of its length: how far from the outermost end a part may end that tells
_RIVAL = 0.5  # of its length on another whole, from which on it is that one's rival


@dataclass(frozen=True, slots=True)
class Chaining:
    """What is chained: candidates at least `piece` long that have at least `share` of the surest one's score.

    Wholes of one class with at most `gap` in between are one.
    """

    piece: float
    share: float
    gap: float


@dataclass(frozen=True, slots=True)
class _Whole:
    """score is that of its surest part, mean that of its surest piece at each moment."""

    start: float
    end: float
    score: float
    mean: float
    label: int

    @property
    def length(self) -> float:
        return self.end - self.start


def chain(start: Float64, end: Float64, score: Float64, label: Index, by: Chaining) -> Columns:
    """Start, end, score and label with each chain of pieces as one candidate; columns of shape (N,).

    From the surest piece of a class on, all that touches is taken, pieces first, then shorter candidates; then from
    the surest piece that is left. What they become has the score of its surest part, ends where its parts say, and
    takes the place of the candidates of its class that lie in it with half of their length. Where shorter ones in it
    are far surer than the pieces, as in events that repeat, nothing is chained.

    Of two wholes of different classes on one another, the one that is less sure in the mean scores no more than the
    other: whose end is the surest should not decide about the middle.
    """
    gone = np.zeros(len(score), bool)
    wholes: list[_Whole] = []
    for name in np.unique(label[end - start >= by.piece]):
        members = np.flatnonzero(label == name)
        found, part = _of_class(start[members], end[members], score[members], int(name), by)
        gone[members[part]] = True
        wholes += found
    if not wholes:
        return start, end, score, label
    wholes = _settled(wholes)
    left = np.flatnonzero(~gone)
    return (
        np.append(start[left], [w.start for w in wholes]),
        np.append(end[left], [w.end for w in wholes]),
        np.append(score[left], [w.score for w in wholes]),
        np.append(label[left], np.array([w.label for w in wholes], np.intp)),
    )


def _of_class(start: Float64, end: Float64, score: Float64, label: int, by: Chaining) -> tuple[list[_Whole], Mask]:
    """Wholes of one class in the order of time, and which of its candidates they take the place of."""
    free = end - start >= by.piece
    parts, wholes = np.zeros(len(score), bool), list[_Whole]()
    for seed in np.flatnonzero(free)[np.argsort(-score[free], kind="stable")].tolist():
        if not free[seed]:
            continue
        able = score >= by.share * score[seed]
        pieces = _touching(start, end, seed, free & able)
        free &= ~pieces
        taken = _touching(start, end, seed, pieces | able)
        first, last = float(start[taken].min()), float(end[taken].max())
        part = np.minimum(end, last) - np.maximum(start, first) >= _PART * (end - start)
        best = float(score[part].max())
        if score[seed] < _SURE * best:
            continue
        tells = taken | part & (score >= _TELLS * best)
        begins, ends = _edge(start, end, tells, first), _edge(end, start, tells, last)
        mean = _mean_within(begins, ends, start[pieces], end[pieces], score[pieces])
        wholes.append(_Whole(begins, ends, best, mean, label))
        parts |= part
    return _joined(wholes, by.gap), parts


def _touching(start: Float64, end: Float64, seed: int, able: Mask) -> Mask:
    """The seed and those of the able that touch it, or touch one that does."""
    taken = np.zeros(len(start), bool)
    taken[seed] = True
    first, last, count = start[seed], end[seed], 0
    while count != (count := int(taken.sum())):
        taken |= able & (start <= last) & (end >= first)
        first, last = start[taken].min(), end[taken].max()
    return taken


def _edge(edge: Float64, other: Float64, tells: Mask, outermost: float) -> float:
    """Where the parts begin, or end, that do so near the outermost place: their weighted median.

    Each weighs one over its length: what is short was said from nearby, and knows better.
    """
    length = np.abs(other - edge)
    parts = np.flatnonzero(tells & (np.abs(edge - outermost) <= _NEAR * length) & (length > 0))
    parts = parts[np.argsort(edge[parts], kind="stable")]
    weight = np.cumsum(1 / length[parts])
    return float(edge[parts[np.searchsorted(weight, weight[-1] / 2)]])


def _mean_within(first: float, last: float, start: Float64, end: Float64, score: Float64) -> float:
    """Mean over [first, last) of the score of the surest piece at each moment, 0 where there is none."""
    start, end = start.clip(first, last), end.clip(first, last)
    cuts = np.unique(np.concatenate([start, end]))
    surest = np.zeros(len(cuts) - 1)
    for a, b, value in zip(np.searchsorted(cuts, start), np.searchsorted(cuts, end), score, strict=True):
        np.maximum(surest[a:b], value, out=surest[a:b])
    return float(surest @ np.diff(cuts)) / (last - first)


def _joined(wholes: Sequence[_Whole], gap: float) -> list[_Whole]:
    """In the order of time, those with at most `gap` in between as one."""
    joined: list[_Whole] = []
    for whole in sorted(wholes, key=lambda w: w.start):
        if joined and whole.start - joined[-1].end <= gap:
            joined[-1] = _union(joined[-1], whole)
        else:
            joined.append(whole)
    return joined


def _union(a: _Whole, b: _Whole) -> _Whole:
    mean = (a.mean * a.length + b.mean * b.length) / (a.length + b.length)
    return replace(a, end=max(a.end, b.end), score=max(a.score, b.score), mean=mean)


def _settled(wholes: Sequence[_Whole]) -> list[_Whole]:
    """No whole scores as much as a rival that is surer in the mean; surest in the mean first."""
    settled: list[_Whole] = []
    for whole in sorted(wholes, key=lambda w: -w.mean):
        for other in settled:
            shared = min(whole.end, other.end) - max(whole.start, other.start)
            if other.label != whole.label and shared >= _RIVAL * whole.length:
                whole = replace(whole, score=min(whole.score, float(np.nextafter(other.score, 0))))
        settled.append(whole)
    return settled
