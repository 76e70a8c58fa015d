"""Features of a video on another grid, or stretched to a fixed number of steps, as is usual on ActivityNet.

The grid that goes with a fixed number of steps (Zhang, Wu and Li 2022) is the video's own: steps share out what the
windows cover, as in the codes of that family.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avloc.features.sequence import Array, FeatureSequence
from avloc.timegrid import TimeGrid

_SAME = 1e-6  # of a step: strides that differ by rounding are one


def resized_grid(grid: TimeGrid, length: int, steps: int) -> TimeGrid:
    """The grid of `steps` steps over what `length` windows cover."""
    stride_s = ((length - 1) * grid.stride_s + grid.window_s) / steps
    return TimeGrid(stride_s, stride_s, grid.offset_s)


def rescaled_grid(duration_s: float, steps: int) -> TimeGrid:
    """The grid of features that share out a whole video among so many steps."""
    return TimeGrid(duration_s / steps, duration_s / steps)


def resized(features: FeatureSequence, steps: int) -> FeatureSequence:
    """Linear interpolation along time; beyond the first and last step features stay what they are there."""
    f = features
    return replace(
        f,
        grid=resized_grid(f.grid, len(f), steps),
        visual=stretched(f.visual, steps),
        audio=stretched(f.audio, steps),
        visual_scores=stretched(f.visual_scores, steps),
        audio_scores=stretched(f.audio_scores, steps),
        cues=stretched(f.cues, steps),
    )


def stretched(array: Array, steps: int) -> Array:
    """(T, width) -> (steps, width): step i reads T / steps (i + 1/2) - 1/2."""
    return _read_at(array, (np.arange(steps) + 0.5) * (len(array) / steps) - 0.5)


def resampled(array: Array, source: TimeGrid, grid: TimeGrid, steps: int) -> Array:
    """(T, width) on the grid `source` -> (steps, width) on `grid`, moment by moment.

    Where the new steps are no longer apart than the old ones, they are read between them; where they are, each is the
    mean over the time that it stands for. Beyond the first and last step features stay what they are there.
    """
    points = max(1, math.ceil(grid.stride_s / source.stride_s - _SAME))
    within = (np.arange(points) + 0.5) / points - 0.5  # of a step of the new grid
    at = source.to_steps(grid.to_seconds(np.arange(steps)[:, None] + within))  # (steps, points)
    read = _read_at(array, at.reshape(-1))
    return read if points == 1 else np.asarray(read.reshape(steps, points, -1).mean(axis=1), np.float32)


def _read_at(array: Array, at: NDArray[np.floating]) -> Array:
    """(T, width) at fractional steps (N,), by linear interpolation: (N, width)."""
    last = len(array) - 1
    at = at.clip(0, last)
    low = np.floor(at).astype(np.intp)
    high = np.minimum(low + 1, last)
    share = (at - low).astype(np.float32)[:, None]
    return np.asarray(array[low] * (1 - share) + array[high] * share, np.float32)
