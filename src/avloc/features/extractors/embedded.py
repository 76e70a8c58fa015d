"""The encoders that ship with avloc, on one grid: EfficientNet-Lite0, BlazeFace and YOLOv3-tiny see, YAMNet hears.

pictures > visual embedding and scores, faces, objects; sound > log-mel > audio embedding and scores, voice; by step
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.ahead import ahead
from avloc.features.extractors.base import Extractor, OnBlock, OnNote, OnSeconds, require_both, steps_of
from avloc.features.extractors.blazeface import BlazeFace, letterboxed
from avloc.features.extractors.efficientnet_lite0 import EfficientNetLite0
from avloc.features.extractors.sound_windows import SoundWindows
from avloc.features.extractors.yamnet import YamNet
from avloc.features.extractors.yolov3_tiny import YoloV3Tiny
from avloc.features.logmel import HOP, PATCH_FRAMES, SAMPLE_RATE
from avloc.features.sequence import FeatureSequence
from avloc.media.probe import probe
from avloc.media.reader import read_audio, read_views
from avloc.streams import Streams
from avloc.timegrid import WHOLE, Stretch, TimeGrid

CHUNK_STEPS = 32  # stretches of a video begin with a chunk (avloc.timegrid.ALIGNED_STEPS)
WINDOW_S = PATCH_FRAMES * HOP / SAMPLE_RATE
VIEW_EVERY = 4  # steps from one look at the middle of the frame, faces and objects to the next; divides CHUNK_STEPS
CUES = ("face", *YoloV3Tiny.classes, "voiced", "pitch")
_LEAST = 1e-7  # of a probability, before its logarithm


class EmbeddedExtractor(Extractor):
    """Video file > FeatureSequence, in chunks, so that memory does not grow with the length of the video.

    visual is the embedding of the whole frame, squeezed to a square; visual_scores are logarithms of the mean of its
    class probabilities and those of the square in the frame's middle, which is looked at every fourth step. cues
    are the scores of the surest face and of the surest object of each of COCO's classes, and share and pitch of
    voiced sound (`avloc.features.voice`).

    Raises:
        ModelError: at first use: the encoders' files are missing or broken.
    """

    name = "avloc-embedded"
    # Each stream has a number of its own: whoever changes one raises that alone.
    streams = Streams.all("avloc-embedded/3")
    widths: Mapping[str, int] = {
        "visual": EfficientNetLite0.embedding_width,
        "audio": YamNet.embedding_width,
        "visual_scores": len(EfficientNetLite0.classes),
        "audio_scores": len(YamNet.classes),
        "cues": len(CUES),
    }
    grid = TimeGrid.centred(0.32, WINDOW_S)

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads

    @cached_property
    def see(self) -> EfficientNetLite0:
        """Encoder of pictures."""
        return EfficientNetLite0(self.threads)

    @cached_property
    def faces(self) -> BlazeFace:
        """Detector of faces."""
        return BlazeFace(self.threads)

    @cached_property
    def objects(self) -> YoloV3Tiny:
        """Detector of objects."""
        return YoloV3Tiny(self.threads)

    @cached_property
    def hear(self) -> YamNet:
        """Encoder of sound."""
        return YamNet(self.threads)

    def works_on(self, grid: TimeGrid) -> bool:
        """Any stride will do; the window is what YAMNet hears at once."""
        return math.isclose(grid.window_s, WINDOW_S)

    def stream(
        self,
        path: str | Path,
        grid: TimeGrid,
        *,
        on_sound: OnBlock | None = None,
        on_seconds: OnSeconds | None = None,
        on_note: OnNote | None = None,
        stretch: Stretch = WHOLE,
    ) -> Iterator[FeatureSequence]:
        """Consecutive stretches of the video, each on the grid shifted to its first step.

        `on_sound(block, sample_rate)` gets every block of the waveform once, `on_seconds(t)` the time done,
        `on_note(text)` what was chosen in reading.

        Raises:
            MediaError: the file cannot be read, has no picture or no sound, or ends before the stretch.
            FeatureError: the grid's windows are of another length.
        """
        self.require(grid)
        info = probe(path)
        require_both(info)
        wanted, begin_s = steps_of(info, grid, stretch), stretch.sound_from_s(grid)
        times_s = grid.to_seconds(np.arange(wanted.start, wanted.stop))
        if on_note is not None:
            for note in info.notes:
                on_note(note)
        blocks = read_audio(path, sample_rate=SAMPLE_RATE, start_s=begin_s, clipped=False, on_note=on_note)
        sound = SoundWindows(blocks, on_sound, on_note, begin_s)
        pictures = ahead(_pictures(path, times_s, self.see.size))
        try:
            for first in range(0, len(times_s), CHUNK_STEPS):
                steps = np.arange(first, min(first + CHUNK_STEPS, len(times_s)))
                shifted = grid.shifted(wanted.start)
                yield self._features(*next(pictures), sound, shifted, steps, info.duration_s)
                if on_seconds is not None:
                    on_seconds(min(float(times_s[steps[-1]]) + grid.stride_s / 2, info.duration_s))
            if math.isinf(stretch.end_s):
                sound.drain()
        finally:
            pictures.close()

    def embed(self, pictures: NDArray[np.uint8], waveform: NDArray[np.float32], grid: TimeGrid) -> FeatureSequence:
        """Features of pictures (T, size, size, 3), one a step of the grid, and a waveform at 16 kHz from 0 s.

        Pictures of other proportions, (T, H, W, 3), are squeezed and cut as those of a file.
        """
        sound = SoundWindows(iter([waveform]), None)
        wide = list(pictures[::VIEW_EVERY])
        squeezed = pictures if pictures.shape[1:3] == (self.see.size,) * 2 else _squeezed(pictures, self.see.size)
        steps = np.arange(len(pictures))
        return self._features(squeezed, wide, sound, grid, steps, len(waveform) / SAMPLE_RATE)

    def _features(
        self,
        squeezed: NDArray[np.uint8],
        wide: list[NDArray[np.uint8]],
        sound: SoundWindows,
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
            self.streams,
            cues=np.concatenate([looked, voices], axis=1),
        )


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
