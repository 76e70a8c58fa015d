"""The levels of a pyramid that events fall on: the same rule as the targets of training."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.datasets.levels import count_levels, positive_moments
from avloc.timegrid import TimeGrid, pyramid_moments

GRID = TimeGrid(0.25, 1.0)

EVENTS = st.lists(st.tuples(st.floats(-1, 64), st.floats(0.1, 64), st.integers(0, 2)), max_size=6)


@settings(deadline=None)  # the first example loads torch
@given(st.integers(1, 64), EVENTS, st.sampled_from([1.0, 4.0, 10.0]))
def test_the_rule_is_that_of_training(length: int, events: list[tuple[float, float, int]], reach: float) -> None:
    torch = pytest.importorskip("torch")
    from avloc.learning.losses import Truth
    from avloc.learning.targets import assign_targets
    from avloc.models.outputs import pyramid_points

    segments = np.array([(start, start + n) for start, n, _ in events], np.float32).reshape(-1, 2)
    labels = np.array([label for _, _, label in events], np.int64)
    moments = pyramid_moments(64, 4, reach)
    got = positive_moments(moments, length, segments, labels)
    by_class = np.stack([got[:, labels == k].any(axis=1) for k in range(3)], axis=1)  # (P, 3)
    truth = Truth(torch.from_numpy(segments)[None], torch.from_numpy(labels)[None])
    mask = torch.from_numpy(moments.step < length)[None]
    want = assign_targets(pyramid_points(64, 4), truth, mask, 3, first_reach=reach)
    assert np.array_equal(by_class, want.positive[0].numpy())
    assert (got.sum(axis=1) == by_class.sum(axis=1)).all()  # one event of a class at most
    for p, n in zip(*np.nonzero(got), strict=True):
        ends = np.array([moments.step[p] - segments[n, 0], segments[n, 1] - moments.step[p]]) / moments.stride[p]
        assert np.allclose(want.offsets[0, p, labels[n]].numpy(), ends, atol=1e-5)


def test_counts_by_hand() -> None:
    """64 steps, 3 levels of strides 1, 2, 4 and reaches (0, 4), (4, 8), from 8."""
    short, hidden, long = (10.5, 13.5), (20.2, 20.8), (0.5, 40.5)
    video = (64, np.array([short, hidden, long], np.float32), np.array([0, 1, 1]))
    levels, [matched] = count_levels([video], GRID, 3)
    # Short: steps 11, 12, 13. Long: farther end at least 20 steps off, so level 2 alone: steps 4, 8, ..., 40.
    assert [level.moments for level in levels] == [3, 0, 10]
    assert [level.events for level in levels] == [1, 0, 1]
    assert matched.tolist() == [True, False, True]
    assert [level.stride_s for level in levels] == [0.25, 0.5, 1.0]
    assert [level.reach_s for level in levels] == [(0, 1), (1, 2), (2, math.inf)]


def test_a_wider_first_range_moves_events_to_finer_levels() -> None:
    """As above with reaches (0, 20), (20, 40), from 40: the long event falls on the middle level alone."""
    video = (64, np.array([(10.5, 13.5), (0.5, 40.5)], np.float32), np.array([0, 1]))
    levels, _ = count_levels([video], GRID, 3, 20.0)
    assert [level.events for level in levels] == [1, 1, 0]
    # Farther end at 20 to 40 steps: every even step from 2 to 40 (step 20 is 20.5 off, 40 is 39.5 off).
    assert [level.moments for level in levels] == [3, 20, 0]
    assert [level.reach_s for level in levels] == [(0, 5), (5, 10), (10, math.inf)]


def test_no_video_and_no_event() -> None:
    levels, matched = count_levels([], GRID, 6)
    assert [level.events for level in levels] == [0] * 6 and matched == []
    none = (5, np.zeros((0, 2), np.float32), np.zeros(0, np.int64))
    levels, [hit] = count_levels([none], GRID, 6)
    assert [level.moments for level in levels] == [0] * 6 and hit.shape == (0,)
