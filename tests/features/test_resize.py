"""Features stretched to a fixed number of steps, against a plain loop and torch's interpolation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avloc.features.resize import resized, resized_grid, stretched
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
