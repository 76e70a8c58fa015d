"""Shares of few cases: an interval of a share, and the agreement of two people beyond chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist


def wilson(share: float, count: float, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a share of `count` cases (Wilson 1927), which holds where cases are few or all alike.

    Brown, Cai and DasGupta (2001) recommend it for small samples. Without a case it is (0, 1).
    """
    if count <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    shrink = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def kappa(one: Sequence[bool], other: Sequence[bool]) -> float | None:
    """Agreement of two people's answers to the same questions beyond chance (Cohen 1960): 1 all, 0 as by chance.

    None where it has no value: no question, or both gave one and the same answer to all.
    """
    n = len(one)
    if not n:
        return None
    seen = sum(a == b for a, b in zip(one, other, strict=True)) / n
    yes, other_yes = sum(one) / n, sum(other) / n
    by_chance = yes * other_yes + (1 - yes) * (1 - other_yes)
    return None if by_chance == 1 else (seen - by_chance) / (1 - by_chance)
