"""The two encoders that ship with avloc, on one grid: EfficientNet-Lite0 sees, YAMNet hears.

pictures > visual embedding and logits; sound > log-mel > audio embedding and scores, step by step
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.ahead import ahead
from avloc.errors import MediaError
from avloc.features.extractors.efficientnet_lite0 import EfficientNetLite0
from avloc.features.extractors.yamnet import YamNet
from avloc.features.logmel import HOP, PATCH_FRAMES, SAMPLE_RATE, WINDOW, log_mel
from avloc.features.sequence import FeatureSequence
from avloc.media.probe import MediaInfo, probe
from avloc.media.reader import read_audio, read_frames
from avloc.timegrid import TimeGrid

CHUNK_STEPS = 32

OnBlock = Callable[[NDArray[np.float32], int], object]
OnSeconds = Callable[[float], object]


class EmbeddedExtractor:
    """Video file > FeatureSequence, in chunks, so that memory does not grow with the length of the video.

    Raises:
        ModelError: the encoders' files are missing or broken.
    """

    name = "avloc-embedded/1"

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads
        self.see = EfficientNetLite0(threads)
        self.hear = YamNet(threads)

    def extract(self, path: str | Path, grid: TimeGrid, *, on_seconds: OnSeconds | None = None) -> FeatureSequence:
        """All features of one video, with the hash of its file.

        Raises:
            MediaError: the file cannot be read, or has no picture or no sound.
        """
        chunks = list(self.stream(path, grid, on_seconds=on_seconds))
        return FeatureSequence(
            grid=grid,
            duration_s=chunks[0].duration_s,
            visual=np.concatenate([c.visual for c in chunks]),
            audio=np.concatenate([c.audio for c in chunks]),
            visual_scores=np.concatenate([c.visual_scores for c in chunks]),
            audio_scores=np.concatenate([c.audio_scores for c in chunks]),
            extractor=self.name,
            source_hash=file_hash(path),
        )

    def stream(
        self,
        path: str | Path,
        grid: TimeGrid,
        *,
        on_sound: OnBlock | None = None,
        on_seconds: OnSeconds | None = None,
    ) -> Iterator[FeatureSequence]:
        """Consecutive stretches of the video, each on the grid shifted to its first step.

        `on_sound(block, sample_rate)` gets every block of the waveform once, `on_seconds(t)` the time done.

        Raises:
            MediaError: as `extract`.
        """
        info = probe(path)
        require_both(info)
        times_s = grid.to_seconds(np.arange(grid.length(info.duration_s)))
        sound = _Sound(read_audio(path, sample_rate=SAMPLE_RATE), on_sound)
        pictures = ahead(_pictures(path, times_s, self.see.size))
        try:
            for first in range(0, len(times_s), CHUNK_STEPS):
                steps = np.arange(first, min(first + CHUNK_STEPS, len(times_s)))
                audio, audio_scores = self.hear(sound.patches(grid, steps))
                visual, logits = self.see(next(pictures))
                yield FeatureSequence(
                    grid.shifted(first), info.duration_s, visual, audio, logits, audio_scores, self.name
                )
                if on_seconds is not None:
                    on_seconds(min(float(times_s[steps[-1]]) + grid.stride_s / 2, info.duration_s))
            sound.drain()
        finally:
            pictures.close()

    def embed(self, pictures: NDArray[np.uint8], waveform: NDArray[np.float32], grid: TimeGrid) -> FeatureSequence:
        """Features of pictures (T, size, size, 3), one a step of the grid, and a waveform at 16 kHz from 0 s."""
        sound = _Sound(iter([waveform]), None)
        audio, audio_scores = self.hear(sound.patches(grid, np.arange(len(pictures))))
        visual, logits = self.see(pictures)
        duration_s = len(waveform) / SAMPLE_RATE
        return FeatureSequence(grid, duration_s, visual, audio, logits, audio_scores, self.name)


def require_both(info: MediaInfo) -> None:
    """Raise MediaError where a file has no picture or no sound."""
    if info.video is None:
        raise MediaError(
            f"{info.path}: has no picture, so no event can be both seen and heard; give a video with both"
        )
    if info.audio is None:
        raise MediaError(f"{info.path}: has no sound, so no event can be both seen and heard; give a video with both")


def file_hash(path: str | Path) -> str:
    """sha256 of the file's content."""
    with Path(path).open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _pictures(path: str | Path, times_s: NDArray[np.float64], size: int) -> Iterator[NDArray[np.uint8]]:
    frames = read_frames(path, times_s.tolist(), (size, size))
    for first in range(0, len(times_s), CHUNK_STEPS):
        n = min(CHUNK_STEPS, len(times_s) - first)
        chunk = np.empty((n, size, size, 3), np.uint8)
        for i in range(n):
            chunk[i] = next(frames)
        yield chunk


class _Sound:
    """Log-mel patches (N, 96, 64) of grid steps from a stream of blocks; silence before and behind the sound."""

    def __init__(self, blocks: Iterator[NDArray[np.float32]], on_block: OnBlock | None) -> None:
        self.blocks = blocks
        self.on_block = on_block
        self.buffer = np.zeros(0, np.float32)
        self.first = 0  # sample at which the buffer begins
        self.ended = False

    def patches(self, grid: TimeGrid, steps: NDArray[np.intp]) -> NDArray[np.float32]:
        frames = np.round(grid.window_starts_s(steps) * (SAMPLE_RATE / HOP)).astype(np.intp)
        low, high = int(frames[0]), int(frames[-1]) + PATCH_FRAMES
        mel = log_mel(self._take(low * HOP, (high - 1) * HOP + WINDOW))
        index = (frames - low)[:, None] + np.arange(PATCH_FRAMES)
        return np.ascontiguousarray(mel[index])

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
        if self.on_block is not None:
            self.on_block(block, SAMPLE_RATE)
        self.buffer = np.concatenate([self.buffer, block])
