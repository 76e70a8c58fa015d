"""TimeGrid: steps of a feature sequence <-> seconds of the video. The only place that converts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

AROUND_S = 5.0
"""Seconds before and behind a stretch that are looked at as well, at least."""
ALIGNED_STEPS = 32


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """Step i looks at the window [offset_s + i * stride_s, offset_s + i * stride_s + window_s].

    Its moment is the window's centre. With offset 0 this is the field's rule for sliding-window features,
    step = (t * fps - window / 2) / stride (Zhang, Wu and Li 2022; Geng et al. 2023).
    """

    stride_s: float
    window_s: float
    offset_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("stride_s", "window_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}; a positive number of seconds is needed")
        if not math.isfinite(self.offset_s):
            raise ValueError(f"offset_s is {self.offset_s}; a finite number of seconds is needed")

    @classmethod
    def centred(cls, stride_s: float, window_s: float) -> TimeGrid:
        """The grid whose moments are the middles of consecutive cells of `stride_s`, the first cell at 0 s."""
        # Rounded, so that the grid is the same as one whose numbers a person wrote down.
        return cls(stride_s, window_s, round((stride_s - window_s) / 2, 9))

    def to_seconds(self, steps: ArrayLike) -> NDArray[np.float64]:
        """Moment of each (fractional) step, in seconds; same shape."""
        return np.asarray(steps, np.float64) * self.stride_s + (self.offset_s + self.window_s / 2)

    def to_steps(self, seconds: ArrayLike) -> NDArray[np.float64]:
        """Fractional step whose moment is at each time; same shape."""
        return (np.asarray(seconds, np.float64) - (self.offset_s + self.window_s / 2)) / self.stride_s

    def window_starts_s(self, steps: ArrayLike) -> NDArray[np.float64]:
        """Start of each step's window, in seconds; same shape."""
        return self.to_seconds(steps) - self.window_s / 2

    def length(self, duration_s: float) -> int:
        """Number of steps whose moment lies inside [0, duration_s), at least 1 for a positive duration."""
        if not duration_s > 0:
            return 0
        # 1e-6 of a step: a duration of exactly n cells must not gain a step by rounding.
        return max(1, math.ceil(float(self.to_steps(duration_s)) - 1e-6))

    def shifted(self, steps: int) -> TimeGrid:
        """The same grid beginning `steps` steps later."""
        return TimeGrid(self.stride_s, self.window_s, self.offset_s + steps * self.stride_s)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch [start_s, end_s) of a video; as it stands, the whole.

    Raises:
        ValueError: it begins before the video, or ends before it begins.
    """

    start_s: float = 0.0
    end_s: float = math.inf

    def __post_init__(self) -> None:
        if not (0 <= self.start_s < self.end_s and math.isfinite(self.start_s)):
            raise ValueError(f"the stretch from {self.start_s:g} to {self.end_s:g} s is none; end it after its start")

    @property
    def is_whole(self) -> bool:
        """Whether it is all of every video."""
        return self.start_s == 0 and math.isinf(self.end_s)

    def first_step(self, grid: TimeGrid) -> int:
        """The first step that is looked at, some seconds before the stretch, so that its first events are known.

        A multiple of ALIGNED_STEPS: extractors work in chunks, and are to see what they see in the whole video.
        """
        first = math.floor(float(grid.to_steps(self.start_s - AROUND_S))) if self.start_s else 0
        return max(0, first) // ALIGNED_STEPS * ALIGNED_STEPS

    def steps(self, grid: TimeGrid, duration_s: float) -> range:
        """The steps of a video that are looked at, to some seconds behind the stretch; none where it ends before."""
        if self.start_s >= duration_s > 0:
            return range(0)
        return range(self.first_step(grid), grid.length(min(self.end_s + AROUND_S, duration_s)))

    def sound_from_s(self, grid: TimeGrid) -> float:
        """Where the sound of the first step's window begins, in whole hundredths of a second."""
        first = self.first_step(grid)
        return max(0.0, math.floor(100 * float(grid.window_starts_s(first)) + 1e-6) / 100) if first else 0.0


WHOLE = Stretch()
"""All of a video."""


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments of all pyramid levels in one row, finest level first; columns of shape (P,).

    A moment stands at `step` of the finest grid, on a level of `stride` steps, and answers for events whose
    larger distance from the moment to an end lies in [reach_min, reach_max) steps.
    """

    step: NDArray[np.float32]
    stride: NDArray[np.float32]
    reach_min: NDArray[np.float32]
    reach_max: NDArray[np.float32]
    level: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.step)


def pyramid_moments(length: int, levels: int, first_reach: float = 4.0) -> Moments:
    """Moments of a pyramid over `length` steps with strides 1, 2, 4, ...

    Regression ranges are (0, 4), (4, 8), ... (64, inf) steps for six levels (Zhang, Wu and Li 2022).

    Raises:
        ValueError: `length` is no positive multiple of the coarsest stride.
    """
    coarsest = 2 ** (levels - 1)
    if length < 1 or length % coarsest:
        raise ValueError(f"length is {length}; a positive multiple of {coarsest} is needed for {levels} levels")
    step, stride, low, high, level = [], [], [], [], []
    for i in range(levels):
        n = length >> i
        step.append(np.arange(n, dtype=np.float32) * 2**i)
        stride.append(np.full(n, 2**i, np.float32))
        low.append(np.full(n, 0 if i == 0 else first_reach * 2 ** (i - 1), np.float32))
        high.append(np.full(n, np.inf if i == levels - 1 else first_reach * 2**i, np.float32))
        level.append(np.full(n, i, np.intp))
    columns = [np.concatenate(c) for c in (step, stride, low, high)]
    return Moments(columns[0], columns[1], columns[2], columns[3], np.concatenate(level))
