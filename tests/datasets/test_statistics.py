"""Statistics of features against what was put into them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from avloc.datasets.statistics import between_share, lasting, same_label_share, spread, statistics
from avloc.errors import FeatureError


def clips(count: int = 96, shared: float = 0.8) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Means of variance 3 in each of 10 directions, in 8 of them `shared` by both; deviations of variance 1."""
    rng = np.random.default_rng(0)
    common = rng.standard_normal((count, 10))
    made = []
    for _ in range(2):
        weight = np.where(np.arange(10) < 8, shared, 0)
        mean = np.sqrt(3) * (np.sqrt(weight) * common + np.sqrt(1 - weight) * rng.standard_normal((count, 10)))
        turn = np.linalg.qr(rng.standard_normal((10, 10)))[0]
        made.append([(m + rng.standard_normal((int(rng.integers(20, 60)), 10))) @ turn for m in mean])
    audio = [np.resize(a, (len(v), 10)) for v, a in zip(*made, strict=True)]
    return made[0], audio


def test_what_was_put_in_is_found() -> None:
    found = statistics(*clips())
    assert found.clips == 96 and np.allclose(found.between, 0.75, atol=0.03)
    assert np.abs(found.lasting).max() < 0.06
    assert 7 < found.spread[0] < 10
    assert 0.6 < np.mean(found.shared) < 0.85 and found.own_rank < 0.05
    assert max(found.moments) < 0.1
    apart = statistics(*clips(shared=0.0))
    assert abs(np.mean(apart.shared)) < 0.15 and 0.35 < apart.own_rank < 0.65


def test_deviations_that_last() -> None:
    rng, keep = np.random.default_rng(0), 0.7
    x = rng.standard_normal((4000, 4))
    for t in range(1, len(x)):
        x[t] = keep * x[t - 1] + math.sqrt(1 - keep**2) * x[t]
    assert np.allclose(lasting([x], (1, 2, 4)), [0.7, 0.49, 0.24], atol=0.05)
    assert lasting([np.zeros((5, 2))], (1, 9)) == (0.0, 0.0)


def test_a_clip_weighs_the_same_whatever_its_length() -> None:
    short, long = np.array([[0.0], [2.0]]), np.tile([[10.0], [12.0]], (50, 1))
    assert np.isclose(between_share([short, long]), 25 / 26)
    assert np.isclose(spread(np.eye(3)), 2) and spread(np.zeros((3, 2))) == 0


def test_clips_of_one_class() -> None:
    sides = [np.full((3, 1), x) for x in (0.0, 2.0, 10.0, 12.0)]
    a, b = frozenset({"a"}), frozenset({"b"})
    assert np.isclose(same_label_share(sides, [a, a, b, b]), 1 - 4 / np.mean([100, 144, 64, 100]))
    assert same_label_share(sides, [a, b, frozenset(), frozenset()]) == 0


def test_too_little_to_measure() -> None:
    visual, audio = clips(24)
    with pytest.raises(FeatureError, match="23 clips are given; 24 at least"):
        statistics(visual[1:], audio[1:])
    with pytest.raises(FeatureError, match="a single step"):
        statistics([visual[0][:1], *visual[1:]], audio)
