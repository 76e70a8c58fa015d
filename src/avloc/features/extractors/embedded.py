"""The encoders that ship with avloc, on one grid: EfficientNet-Lite0, BlazeFace and YOLOv3-tiny see, YAMNet hears.

pictures > visual embedding and scores, faces, objects; sound > log-mel > audio embedding and scores, voice; by step
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.ahead import ahead
from avloc.errors import MediaError
from avloc.features.extractors.blazeface import BlazeFace, letterboxed
from avloc.features.extractors.efficientnet_lite0 import EfficientNetLite0
from avloc.features.extractors.yamnet import YamNet
from avloc.features.extractors.yolov3_tiny import YoloV3Tiny
from avloc.features.logmel import HOP, PATCH_FRAMES, SAMPLE_RATE, WINDOW, log_mel
from avloc.features.sequence import FeatureSequence
from avloc.features.voice import voice
from avloc.media.probe import MediaInfo, probe
from avloc.media.reader import read_audio, read_views
from avloc.timegrid import TimeGrid

CHUNK_STEPS = 32
VIEW_EVERY = 4  # steps from one look at the middle of the frame, faces and objects to the next; divides CHUNK_STEPS
CUES = ("face", *YoloV3Tiny.classes, "voiced", "pitch")
_LEAST = 1e-7  # of a probability, before its logarithm

OnBlock = Callable[[NDArray[np.float32], int], object]
OnSeconds = Callable[[float], object]


class EmbeddedExtractor:
    """Video file > FeatureSequence, in chunks, so that memory does not grow with the length of the video.

    visual is the embedding of the whole frame, squeezed to a square; visual_scores are logarithms of the mean of its
    class probabilities and those of the square in the frame's middle, which is looked at every fourth step. cues
    are the scores of the surest face and of the surest object of each of COCO's classes, and share and pitch of
    voiced sound (`avloc.features.voice`).

    Raises:
        ModelError: the encoders' files are missing or broken.
    """

    name = "avloc-embedded/3"

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads
        self.see = EfficientNetLite0(threads)
        self.faces = BlazeFace(threads)
        self.objects = YoloV3Tiny(threads)
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
            cues=np.concatenate([c.cues for c in chunks]),
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
                yield self._features(*next(pictures), sound, grid, steps, info.duration_s)
                if on_seconds is not None:
                    on_seconds(min(float(times_s[steps[-1]]) + grid.stride_s / 2, info.duration_s))
            sound.drain()
        finally:
            pictures.close()

    def embed(self, pictures: NDArray[np.uint8], waveform: NDArray[np.float32], grid: TimeGrid) -> FeatureSequence:
        """Features of pictures (T, size, size, 3), one a step of the grid, and a waveform at 16 kHz from 0 s.

        Pictures of other proportions, (T, H, W, 3), are squeezed and cut as those of a file.
        """
        sound = _Sound(iter([waveform]), None)
        wide = list(pictures[::VIEW_EVERY])
        squeezed = pictures if pictures.shape[1:3] == (self.see.size,) * 2 else _squeezed(pictures, self.see.size)
        steps = np.arange(len(pictures))
        return self._features(squeezed, wide, sound, grid, steps, len(waveform) / SAMPLE_RATE)

    def _features(
        self,
        squeezed: NDArray[np.uint8],
        wide: list[NDArray[np.uint8]],
        sound: _Sound,
        grid: TimeGrid,
        steps: NDArray[np.intp],
        duration_s: float,
    ) -> FeatureSequence:
        """Features of consecutive steps; `wide` are the views in proportion of every VIEW_EVERY-th of them."""
        patches, voices = sound.patches(grid, steps)
        audio, audio_scores = self.hear(patches)
        visual, logits = self.see(squeezed)
        mean, looked = _softmax(logits), np.zeros((len(steps), len(CUES) - voices.shape[1]), np.float32)
        if wide:
            near = np.minimum(_nearest_look(steps) - steps[0] // VIEW_EVERY, len(wide) - 1)
            middle = self.see(np.stack([_middle(w, self.see.size) for w in wide]))[1]
            mean = (mean + _softmax(middle)[near]) / 2
            faces = self.faces(np.stack([letterboxed(w, self.faces.size) for w in wide]))
            looked = np.concatenate([faces[:, None], self.objects(wide)], axis=1)[near]
        return FeatureSequence(
            grid.shifted(int(steps[0])),
            duration_s,
            visual,
            audio,
            np.log(np.maximum(mean, _LEAST)),
            audio_scores,
            self.name,
            cues=np.concatenate([looked, voices], axis=1),
        )


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


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True), np.float32)


def _nearest_look(steps: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which look at the middle is nearest to a step, of those in the same chunk."""
    last = (steps // CHUNK_STEPS + 1) * (CHUNK_STEPS // VIEW_EVERY) - 1
    return np.minimum((steps + VIEW_EVERY // 2 - 1) // VIEW_EVERY, last)


def _middle(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    top, left = ((length - size) // 2 for length in picture.shape[:2])
    return picture[top : top + size, left : left + size]


def _squeezed(pictures: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(T, H, W, 3), a side of at most 3 `size`, to (T, size, size, 3), each pixel the mean of two by two."""
    for axis in (1, 2):
        if pictures.shape[axis] != size:
            step = pictures.shape[axis] / size
            first, second = ((np.arange(size) * step + share * step).astype(np.intp) for share in (0.25, 0.75))
            pair = pictures.take(first, axis).astype(np.uint16) + pictures.take(second, axis)
            pictures = ((pair + 1) // 2).astype(np.uint8)
    return pictures


def _pictures(
    path: str | Path, times_s: NDArray[np.float64], size: int
) -> Iterator[tuple[NDArray[np.uint8], list[NDArray[np.uint8]]]]:
    views = read_views(path, times_s.tolist(), size, VIEW_EVERY)
    for first in range(0, len(times_s), CHUNK_STEPS):
        n = min(CHUNK_STEPS, len(times_s) - first)
        chunk, wide = np.empty((n, size, size, 3), np.uint8), []
        for i in range(n):
            chunk[i], view = next(views)
            if view is not None:
                wide.append(view)
        yield chunk, wide


class _Sound:
    """Log-mel patches (N, 96, 64) and voice (N, 2) of steps, from a stream of blocks; silence around the sound."""

    def __init__(self, blocks: Iterator[NDArray[np.float32]], on_block: OnBlock | None) -> None:
        self.blocks = blocks
        self.on_block = on_block
        self.buffer = np.zeros(0, np.float32)
        self.first = 0  # sample at which the buffer begins
        self.ended = False

    def patches(self, grid: TimeGrid, steps: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
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
        if self.on_block is not None:
            self.on_block(block, SAMPLE_RATE)
        self.buffer = np.concatenate([self.buffer, block])
