"""TimeGrid and the moments of the pyramid."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.timegrid import AROUND_S, WHOLE, Stretch, TimeGrid, pyramid_moments

grids = st.builds(TimeGrid, st.floats(0.01, 10), st.floats(0.01, 10), st.floats(-5, 5))


@given(grids, st.lists(st.floats(-1e4, 1e4), max_size=5))
def test_there_and_back(grid: TimeGrid, steps: list[float]) -> None:
    back = grid.to_steps(grid.to_seconds(steps))
    assert back.shape == (len(steps),)
    assert np.allclose(back, steps, rtol=1e-9, atol=1e-6)


@given(st.floats(0, 500), st.floats(0.1, 500) | st.just(math.inf), st.floats(0.1, 900))
def test_the_steps_of_a_stretch_cover_it_and_no_more_than_some_seconds_around(
    start_s: float, length_s: float, duration_s: float
) -> None:
    grid, stretch = TimeGrid.centred(0.32, 0.96), Stretch(start_s, start_s + length_s)
    steps = stretch.steps(grid, duration_s)
    if start_s >= duration_s:
        assert not steps
        return
    first_s, last_s = grid.to_seconds([steps[0], steps[-1]])
    end_s = min(stretch.end_s, duration_s)
    assert (
        first_s <= max(start_s, 0.16) + 1e-9
        and first_s >= start_s - AROUND_S - 11
        and steps[-1] < grid.length(duration_s)
    )
    assert last_s + 0.33 >= min(end_s + AROUND_S, duration_s) and last_s < end_s + AROUND_S
    sound_s = stretch.sound_from_s(grid)
    assert 0 <= sound_s <= max(0.0, float(grid.window_starts_s(steps[0]))) + 1e-9


def test_the_whole_is_every_step_and_odd_stretches_are_none() -> None:
    grid = TimeGrid.centred(0.32, 0.96)
    assert WHOLE.is_whole and WHOLE.steps(grid, 30.0) == range(grid.length(30.0)) and WHOLE.sound_from_s(grid) == 0
    for start_s, end_s in ((3, 3), (-1, 3), (math.inf, math.inf), (math.nan, 3)):
        with pytest.raises(ValueError, match="is none"):
            Stretch(start_s, end_s)


def test_a_moment_is_the_middle_of_its_window() -> None:
    grid = TimeGrid(0.5, 2.0, 1.0)
    assert grid.window_starts_s([0, 3]).tolist() == [1.0, 2.5]
    assert grid.to_seconds([0, 3]).tolist() == [2.0, 3.5]
    assert float(grid.to_seconds(0.5)) == 2.25


@given(st.floats(1, 60), st.integers(1, 64), st.integers(1, 64), st.floats(0, 100))
def test_with_offset_zero_it_is_the_field_s_rule(fps: float, stride: int, window: int, time_s: float) -> None:
    grid = TimeGrid(stride / fps, window / fps)
    assert float(grid.to_steps(time_s)) == pytest.approx((time_s * fps - window / 2) / stride, abs=1e-6)


@given(st.floats(0.05, 5), st.floats(0.05, 5), st.integers(1, 500))
def test_centred_cells_fill_the_video(stride_s: float, window_s: float, cells: int) -> None:
    grid = TimeGrid.centred(stride_s, window_s)
    assert float(grid.to_seconds(0)) == pytest.approx(stride_s / 2)
    assert grid.length(cells * stride_s) == pytest.approx(cells, abs=1)
    assert grid.length((cells - 0.25) * stride_s) == cells  # its last moment still lies inside


@given(grids, st.floats(0.001, 1000))
def test_length_counts_the_moments_inside(grid: TimeGrid, duration_s: float) -> None:
    n = grid.length(duration_s)
    assert n >= 1
    slack_s = 2e-6 * grid.stride_s
    assert n == 1 or float(grid.to_seconds(n - 1)) < duration_s + slack_s
    assert float(grid.to_seconds(n)) >= duration_s - slack_s


@pytest.mark.parametrize(("duration_s", "steps"), [(-1, 0), (0, 0), (math.nan, 0), (1e-9, 1), (3.2, 10), (3.5, 11)])
def test_length_of_known_durations(duration_s: float, steps: int) -> None:
    assert TimeGrid(0.32, 0.96, -0.32).length(duration_s) == steps


@given(grids, st.integers(-50, 50), st.integers(-50, 50))
def test_shifted_is_the_same_grid_later(grid: TimeGrid, shift: int, step: int) -> None:
    assert float(grid.shifted(shift).to_seconds(step)) == pytest.approx(
        float(grid.to_seconds(shift + step)), abs=1e-9
    )


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_a_grid_that_is_none_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="stride_s"):
        TimeGrid(bad, 1.0)
    with pytest.raises(ValueError, match="window_s"):
        TimeGrid(1.0, bad)


def test_an_endless_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset_s"):
        TimeGrid(1.0, 1.0, math.nan)


@given(st.integers(1, 6), st.integers(1, 5))
def test_moments_of_all_levels(levels: int, coarsest_count: int) -> None:
    length = coarsest_count * 2 ** (levels - 1)
    moments = pyramid_moments(length, levels)
    assert len(moments) == sum(length // 2**i for i in range(levels))
    assert (np.diff(moments.level) >= 0).all()
    for i in range(levels):
        at = moments.level == i
        assert moments.step[at].tolist() == [2**i * j for j in range(length // 2**i)]
        assert (moments.stride[at] == 2**i).all()
    every_distance = np.array([0.0, 3.99, 4.0, 8.0, 63.0, 64.0, 1e6])
    first = [int(np.argmax(moments.level == i)) for i in range(levels)]
    answers = [(moments.reach_min[first] <= d) & (d < moments.reach_max[first]) for d in every_distance]
    assert (np.sum(answers, axis=1) == 1).all()  # one level, and one alone, answers for every distance


def test_regression_ranges_of_six_levels() -> None:
    moments = pyramid_moments(32, 6)
    ranges = dict.fromkeys(zip(moments.reach_min.tolist(), moments.reach_max.tolist(), strict=True))
    assert list(ranges) == [(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, math.inf)]


@pytest.mark.parametrize("length", [0, -32, 31, 33])
def test_a_length_that_the_pyramid_cannot_halve_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="positive multiple of 32"):
        pyramid_moments(length, 6)
