"""Features stretched to a fixed number of steps, against a plain loop and torch's interpolation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avloc.features.resize import resampled, resized, resized_grid, stretched
from avloc.features.sequence import FeatureSequence
from avloc.timegrid import TimeGrid


@given(length=st.integers(1, 60), steps=st.integers(1, 60))
def test_as_torch_interpolates(length: int, steps: int) -> None:
    array = np.random.default_rng(length).normal(size=(length, 3)).astype(np.float32)
    wanted = torch.nn.functional.interpolate(
        torch.from_numpy(array.T.copy())[None], size=steps, mode="linear", align_corners=False
    )
    np.testing.assert_allclose(stretched(array, steps), wanted[0].numpy().T, atol=3e-5)


def test_the_grid_covers_what_the_windows_covered() -> None:
    # 41 windows of 16 frames every 8 frames, at 16 frames a second, on 48 steps: (40 * 8 + 16) / 48 = 7 frames.
    grid = resized_grid(TimeGrid(0.5, 1.0), 41, 48)
    assert grid.stride_s == pytest.approx(7 / 16) and grid.to_seconds(0) == pytest.approx(3.5 / 16)
    assert grid.to_seconds(47) + grid.window_s / 2 == pytest.approx(21.0)


def test_every_stream_is_stretched_and_none_stays_none() -> None:
    rng = np.random.default_rng(0)
    visual, audio, seen, heard = (rng.random((9, w)).astype(np.float32) for w in (3, 0, 4, 2))
    got = resized(FeatureSequence(TimeGrid(0.5, 1.0), 5.0, visual, audio, seen, heard), 32)
    assert got.visual.shape == (32, 3) and got.audio.shape == (32, 0) and got.cues.shape == (32, 0)
    assert got.duration_s == 5.0 and got.visual_scores.shape == (32, 4)
    assert np.array_equal(got.visual[0], visual[0]) and np.array_equal(got.visual[-1], visual[-1])


def plain_resampled(array: np.ndarray, source: TimeGrid, grid: TimeGrid, steps: int) -> np.ndarray:
    """A moment lies on the line between its neighbours; a longer step is a mean of such moments."""
    points = max(1, math.ceil(grid.stride_s / source.stride_s - 1e-6))
    rows = []
    for step in range(steps):
        values = []
        for p in range(points):
            moment_s = grid.offset_s + grid.window_s / 2 + step * grid.stride_s
            moment_s += ((p + 0.5) / points - 0.5) * grid.stride_s
            at = (moment_s - source.offset_s - source.window_s / 2) / source.stride_s
            at = min(max(at, 0.0), len(array) - 1.0)
            low = int(at)
            high = min(low + 1, len(array) - 1)
            values.append(array[low] + (at - low) * (array[high] - array[low]))
        rows.append(np.mean(values, axis=0))
    return np.array(rows)


grids = st.builds(
    TimeGrid, st.sampled_from([0.1, 0.25, 0.32, 0.5, 1.0]), st.sampled_from([0.25, 0.96, 2.0]), st.floats(-1, 1)
)


@given(length=st.integers(1, 30), steps=st.integers(1, 30), source=grids, grid=grids)
def test_another_grid_is_read_moment_by_moment(length: int, steps: int, source: TimeGrid, grid: TimeGrid) -> None:
    array = np.random.default_rng(length).normal(size=(length, 2)).astype(np.float32)
    got = resampled(array, source, grid, steps)
    np.testing.assert_allclose(got, plain_resampled(array.astype(float), source, grid, steps), atol=1e-4)


@given(length=st.integers(1, 30), grid=grids)
def test_the_same_grid_changes_nothing(length: int, grid: TimeGrid) -> None:
    array = np.random.default_rng(length).normal(size=(length, 2)).astype(np.float32)
    np.testing.assert_allclose(resampled(array, grid, grid, length), array, atol=1e-4)
