"""What an extractor with brought weights asks of torch: eyes for frames, ears for sound.

Legend: N windows, D width.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.features.sequence import Array


class Frames:
    """Prepared pictures by number, from a source that makes them in order; those before the last ask are let go."""

    def __init__(self, source: Generator[Tensor], first: int) -> None:
        self._source = source
        self._kept: deque[Tensor] = deque()
        self.first = first

    def take(self, low: int, high: int) -> Tensor:
        """Frames [low, high), stacked."""
        while self.first < low:
            if self._kept:
                self._kept.popleft()
            else:
                next(self._source)
            self.first += 1
        while self.first + len(self._kept) < high:
            self._kept.append(next(self._source))
        return torch.stack([self._kept[i] for i in range(high - low)])

    def close(self) -> None:
        """Stop reading."""
        self._source.close()


class Eyes(Protocol):
    """Frames > visual features."""

    def prepare(self, picture: NDArray[np.uint8]) -> Tensor:
        """A picture (H, W, 3) as it is kept for the windows that it is part of; called in the thread that reads."""

    def see(self, frames: Frames, begins: Sequence[int]) -> Array:
        """Features (N, D) of windows that begin at these frames, none before those of the last call."""


class Ears(Protocol):
    """Sound at 16 kHz > audio features."""

    @property
    def samples(self) -> int:
        """How many a window needs."""

    def hear(self, windows: Array) -> Array:
        """Windows of the waveform (N, samples) -> features (N, D)."""


def as_array(parts: Sequence[Tensor]) -> Array:
    """Parts of a batch in one array of single precision."""
    return np.asarray(torch.cat([part.float().cpu() for part in parts]).numpy(), np.float32)
