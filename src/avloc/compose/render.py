"""Labelled videos composed of pictures and sounds, with exact truth.

    MediaLibrary > plan > Scene > render, sample_frames, waveform; avloc.compose.scene.truth

An event is a class seen and heard at once. A scene also holds what must not be reported: objects that are seen
and silent, and sounds whose source is off screen. Planning makes sure that those never meet by accident.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from avloc.compose.compositor import Compositor
from avloc.compose.library import SAMPLE_RATE
from avloc.compose.mixer import mix
from avloc.compose.scene import Scene
from avloc.media.whole import Waveform
from avloc.media.writer import write_video


def render(scene: Scene) -> tuple[Iterator[NDArray[np.uint8]], Waveform]:
    """The frames, each (h, w, 3) uint8 at scene.size and scene.fps, one after the other; and the waveform.

    Raises:
        MediaError: a picture or sound cannot be read.
    """
    compositor = Compositor(scene, scene.size)
    frames = (compositor.frame(i / scene.fps) for i in range(max(1, round(scene.duration_s * scene.fps))))
    return frames, mix(scene)


def sample_frames(scene: Scene, times_s: ArrayLike, size: tuple[int, int] = (224, 224)) -> NDArray[np.uint8]:
    """The frames at N times, the whole frame squeezed to `size` (width, height): (N, height, width, 3) uint8.

    Drawn straight at that size, without a video in between; growing objects change size in steps of 4 pixels.

    Raises:
        MediaError: a picture cannot be read.
    """
    compositor = Compositor(scene, size, step_px=4)
    times = np.asarray(times_s, np.float64)
    out = np.empty((len(times), size[1], size[0], 3), np.uint8)
    for i, time_s in enumerate(times):
        out[i] = compositor.frame(float(time_s))
    return out


def waveform(scene: Scene) -> Waveform:
    """(S,) float32 mono at 16 kHz, within [-1, 1].

    Raises:
        MediaError: a sound cannot be read.
    """
    return mix(scene)


def compose_video(path: str | Path, scene: Scene, crf: int = 23) -> Path:
    """Write the scene as a video file (H.264 and AAC in mp4, or what fits the ending).

    Raises:
        MediaError: a picture or sound cannot be read, or the file cannot be written.
    """
    frames, wave = render(scene)
    return write_video(path, frames, scene.fps, wave, SAMPLE_RATE, crf=crf)
