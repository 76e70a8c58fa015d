"""What to look at next, so that few looks tell most of the precision of all classes."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from avloc.review.joined import Found, by_label
from avloc.review.precision import band, bands_of

Stratum = tuple[str, int]


def next_to_look_at(found: Sequence[Found], count: int, seed: int = 0) -> list[Found]:
    """Up to `count` events that nobody looked at, in the order in which they tell most.

    Strata are the bands of scores of each class. The next look goes where it lowers the variance of the share of
    right ones most (Neyman 1934), N^2 p (1 - p) / n of a stratum of N events and n looks; p is its share so far
    beside one right and one wrong that were never seen. Which event of a stratum is up to chance.
    """
    strata = _strata(found)
    rng = np.random.default_rng(seed)
    waiting: dict[Stratum, list[Found]] = {}
    heap: list[tuple[float, Stratum, int]] = []
    spread: dict[Stratum, float] = {}
    for key, members in strata.items():
        open_ = [f for f in members if f.right is None]
        looks = [f.right for f in members if f.right is not None]
        share = (sum(looks) + 1) / (len(looks) + 2)
        spread[key] = len(members) ** 2 * share * (1 - share)
        waiting[key] = [open_[i] for i in rng.permutation(len(open_))]
        if open_:
            heap.append((-_gain(spread[key], len(looks)), key, len(looks)))
    heapq.heapify(heap)
    chosen: list[Found] = []
    while heap and len(chosen) < count:
        _, key, looks_ = heapq.heappop(heap)
        chosen.append(waiting[key].pop())
        if waiting[key]:
            heapq.heappush(heap, (-_gain(spread[key], looks_ + 1), key, looks_ + 1))
    return chosen


def _gain(spread: float, looks: int) -> float:
    """By how much one look more lowers the variance; one look counts as made, so that none is not without end."""
    return spread * (1 / (looks + 1) - 1 / (looks + 2))


def _strata(found: Sequence[Found]) -> dict[Stratum, list[Found]]:
    strata: dict[Stratum, list[Found]] = defaultdict(list)
    for label, members in by_label(found).items():
        scores = np.array([f.event.score for f in members])
        for one, place in zip(members, band(scores, bands_of(scores)), strict=True):
            strata[label, int(place)].append(one)
    return dict(strata)
