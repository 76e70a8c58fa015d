"""A waveform that comes in blocks, cut at any place: what lies before the last cut is let go.

Legend: S samples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.base import OnBlock


class SoundBuffer:
    """Stretches of a stream of blocks, each beginning at or behind the last one's begin; silence around the sound.

    first: the sample at which the stream begins.
    """

    def __init__(self, blocks: Iterator[NDArray[np.float32]], first: int = 0) -> None:
        self.blocks = blocks
        self.buffer = np.zeros(0, np.float32)
        self.first = first  # sample at which the buffer begins
        self.ended = False

    def take(self, low: int, high: int) -> NDArray[np.float32]:
        """Samples [low, high), (S,)."""
        while not self.ended and self.first + len(self.buffer) < high:
            self._read()
        begin = max(low, self.first)
        self.buffer = self.buffer[begin - self.first :]
        self.first = begin
        out = np.zeros(high - low, np.float32)
        have = self.buffer[: max(0, high - begin)]
        out[begin - low : begin - low + len(have)] = have
        return out

    def drain(self) -> None:
        """Read what sound is left behind the last stretch."""
        while not self.ended:
            self._read()
            self.first += len(self.buffer)
            self.buffer = self.buffer[:0]

    def _read(self) -> None:
        block = next(self.blocks, None)
        if block is None:
            self.ended = True
            return
        self.buffer = np.concatenate([self.buffer, block])


def passed_on(
    blocks: Iterator[NDArray[np.float32]], on_block: OnBlock | None, sample_rate: int
) -> Iterator[NDArray[np.float32]]:
    """The same blocks; on_block gets each within full scale."""
    for block in blocks:
        if on_block is not None:
            on_block(np.clip(block, -1, 1), sample_rate)
        yield block
