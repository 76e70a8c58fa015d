"""The sound of each step, from a waveform that comes in blocks: log-mel patches for YAMNet, and the voice in it.

Legend: N steps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.base import OnBlock, OnNote
from avloc.features.extractors.level import levelled
from avloc.features.logmel import HOP, PATCH_FRAMES, SAMPLE_RATE, WINDOW, log_mel
from avloc.features.voice import voice
from avloc.timegrid import TimeGrid


class SoundWindows:
    """Log-mel patches (N, 96, 64) and voice (N, 2) of steps, from a stream of blocks; silence around the sound.

    The blocks may be louder than full scale; on_block gets them within it.
    """

    def __init__(
        self, blocks: Iterator[NDArray[np.float32]], on_block: OnBlock | None, on_note: OnNote | None = None
    ) -> None:
        self.blocks = levelled(_passed_on(blocks, on_block), SAMPLE_RATE, on_note)
        self.buffer = np.zeros(0, np.float32)
        self.first = 0  # sample at which the buffer begins
        self.ended = False

    def patches(self, grid: TimeGrid, steps: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of consecutive steps, none before those of the last call."""
        frames = np.round(grid.window_starts_s(steps) * (SAMPLE_RATE / HOP)).astype(np.intp)
        low, high = int(frames[0]), int(frames[-1]) + PATCH_FRAMES
        waveform = self._take(low * HOP, (high - 1) * HOP + WINDOW)
        mel = log_mel(waveform)
        index = (frames - low)[:, None] + np.arange(PATCH_FRAMES)
        begins = (frames - low) * HOP
        voices = np.stack([voice(waveform[b : b + PATCH_FRAMES * HOP], SAMPLE_RATE) for b in begins])
        return np.ascontiguousarray(mel[index]), voices

    def drain(self) -> None:
        """Read what sound is left behind the last step."""
        while not self.ended:
            self._read()
            self.buffer = self.buffer[:0]

    def _take(self, low: int, high: int) -> NDArray[np.float32]:
        while not self.ended and self.first + len(self.buffer) < high:
            self._read()
        begin = max(low, self.first)
        self.buffer = self.buffer[begin - self.first :]
        self.first = begin
        out = np.zeros(high - low, np.float32)
        have = self.buffer[: max(0, high - begin)]
        out[begin - low : begin - low + len(have)] = have
        return out

    def _read(self) -> None:
        block = next(self.blocks, None)
        if block is None:
            self.ended = True
            return
        self.buffer = np.concatenate([self.buffer, block])


def _passed_on(blocks: Iterator[NDArray[np.float32]], on_block: OnBlock | None) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        if on_block is not None:
            on_block(np.clip(block, -1, 1), SAMPLE_RATE)
        yield block
