"""The sound of each step, from a waveform that comes in blocks: log-mel patches for YAMNet, and the voice in it.

Legend: N steps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.base import OnBlock, OnNote
from avloc.features.extractors.level import levelled
from avloc.features.extractors.sound_buffer import SoundBuffer, passed_on
from avloc.features.logmel import HOP, PATCH_FRAMES, SAMPLE_RATE, WINDOW, log_mel
from avloc.features.voice import voice
from avloc.timegrid import TimeGrid


class SoundWindows:
    """Log-mel patches (N, 96, 64) and voice (N, 2) of steps, from a stream of blocks; silence around the sound.

    The blocks may be louder than full scale; on_block gets them within it. They begin at begin_s.
    """

    def __init__(
        self,
        blocks: Iterator[NDArray[np.float32]],
        on_block: OnBlock | None,
        on_note: OnNote | None = None,
        begin_s: float = 0.0,
    ) -> None:
        sound = levelled(passed_on(blocks, on_block, SAMPLE_RATE), SAMPLE_RATE, on_note)
        self._sound = SoundBuffer(sound, round(begin_s * SAMPLE_RATE))

    def patches(self, grid: TimeGrid, steps: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of consecutive steps, none before those of the last call."""
        frames = np.round(grid.window_starts_s(steps) * (SAMPLE_RATE / HOP)).astype(np.intp)
        low, high = int(frames[0]), int(frames[-1]) + PATCH_FRAMES
        waveform = self._sound.take(low * HOP, (high - 1) * HOP + WINDOW)
        mel = log_mel(waveform)
        index = (frames - low)[:, None] + np.arange(PATCH_FRAMES)
        begins = (frames - low) * HOP
        voices = np.stack([voice(waveform[b : b + PATCH_FRAMES * HOP], SAMPLE_RATE) for b in begins])
        return np.ascontiguousarray(mel[index]), voices

    def drain(self) -> None:
        """Read what sound is left behind the last step."""
        self._sound.drain()
