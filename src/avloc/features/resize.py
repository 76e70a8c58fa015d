"""Features of a video stretched to a fixed number of steps, as is usual on ActivityNet (Zhang, Wu and Li 2022).

The grid that goes with it is the video's own: steps share out what the windows cover, as in the codes of that family.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avloc.features.sequence import Array, FeatureSequence
from avloc.timegrid import TimeGrid


def resized_grid(grid: TimeGrid, length: int, steps: int) -> TimeGrid:
    """The grid of `steps` steps over what `length` windows cover."""
    stride_s = ((length - 1) * grid.stride_s + grid.window_s) / steps
    return TimeGrid(stride_s, stride_s, grid.offset_s)


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
    length = len(array)
    at = ((np.arange(steps) + 0.5) * (length / steps) - 0.5).clip(0, length - 1)
    low = np.floor(at).astype(np.intp)
    high = np.minimum(low + 1, length - 1)
    share = (at - low).astype(np.float32)[:, None]
    return np.asarray(array[low] * (1 - share) + array[high] * share, np.float32)
