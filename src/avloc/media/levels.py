"""The level of a sound track over time, gathered from blocks of audio as they are read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CELLS_PER_S = 100  # 10 ms: finer than any pixel of a timeline, 1.4 MB for an hour


class LevelMeter:
    """Peaks of a sound track in cells of 10 ms; memory grows by 400 bytes a second of sound.

    begin_s: where in the track the first block begins; what lies before counts as silence.
    """

    def __init__(self, begin_s: float = 0.0) -> None:
        self._begin_s = begin_s
        self._peaks = np.zeros(CELLS_PER_S * 60, np.float32)
        self._sample_rate = 0
        self._heard = 0

    @property
    def duration_s(self) -> float:
        """Where in the track the sound heard so far ends, in seconds."""
        return self._heard / self._sample_rate if self._sample_rate else 0.0

    def add(self, block: NDArray[np.floating], sample_rate: int) -> None:
        """Hear the next block: (n,) mono or (channels, n), full scale at 1; it follows the one before.

        Raises:
            ValueError: the sample rate is not positive or changed between blocks, or the block has 3 axes.
        """
        if sample_rate <= 0 or sample_rate != (self._sample_rate or sample_rate):
            raise ValueError(f"sample_rate is {sample_rate} after {self._sample_rate}; one positive rate is needed")
        if block.ndim not in (1, 2):
            raise ValueError(f"block has shape {block.shape}; (samples,) or (channels, samples) is needed")
        if not self._sample_rate:
            self._heard = round(self._begin_s * sample_rate)
        self._sample_rate = sample_rate
        peaks = np.abs(block) if block.ndim == 1 else np.abs(block).max(axis=0, initial=0.0)
        if not peaks.size:
            return
        first, end = self._heard, self._heard + len(peaks)
        cells = np.arange(first * CELLS_PER_S // sample_rate, (end - 1) * CELLS_PER_S // sample_rate + 1)
        self._make_room(int(cells[-1]) + 1)
        # A cell begins at the first sample whose time is not before it; the first one may be half heard already.
        starts = np.maximum(-(-cells * sample_rate // CELLS_PER_S) - first, 0)
        loudest = np.maximum.reduceat(np.nan_to_num(peaks, nan=0.0, posinf=1.0), starts)
        self._peaks[cells] = np.maximum(self._peaks[cells], np.minimum(loudest, 1.0))
        self._heard = end

    def levels(self, n: int, duration_s: float | None = None) -> NDArray[np.float32]:
        """Peak level in each of `n` equal parts of [0, duration_s]: (n,), 0 to 1; silence after the sound's end.

        Without `duration_s` the sound heard so far is the whole. A part shorter than a cell gets its cell's level.

        Raises:
            ValueError: n is not positive, or duration_s is not a positive number.
        """
        whole_s = self.duration_s if duration_s is None else duration_s
        if n < 1 or not (whole_s > 0 or duration_s is None) or not np.isfinite(whole_s):
            raise ValueError(f"{n} levels of {whole_s} s were asked for; give positive numbers")
        edges = np.arange(n + 1) * (whole_s * CELLS_PER_S / n)
        first = np.floor(edges[:-1]).astype(np.intp)
        end = np.maximum(np.ceil(edges[1:] - 1e-6).astype(np.intp), first + 1)
        heard = min(-(-self._heard * CELLS_PER_S // self._sample_rate), len(self._peaks)) if self._heard else 0
        levels = np.zeros(n, np.float32)
        for i in np.flatnonzero(first < heard):
            levels[i] = self._peaks[first[i] : min(end[i], heard)].max()
        return levels

    def _make_room(self, cells: int) -> None:
        if cells > len(self._peaks):
            self._peaks = np.concatenate([self._peaks, np.zeros(max(cells, len(self._peaks)), np.float32)])
