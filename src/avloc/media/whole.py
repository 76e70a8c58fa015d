"""Small files read whole: a picture with its transparency, a sound as one waveform."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from avloc.errors import MediaError

Rgba = NDArray[np.uint8]
Waveform = NDArray[np.float32]


def read_picture(path: str | Path) -> Rgba:
    """The first picture of any picture file as (H, W, 4) uint8.

    Raises:
        MediaError: the file cannot be read as a picture.
    """
    try:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            return np.ascontiguousarray(frame.to_ndarray(format="rgba"))
    except (OSError, StopIteration, IndexError, ValueError, av.error.FFmpegError) as error:
        raise MediaError(f"{path} cannot be read as a picture ({error}); take another file") from None


def read_sound(path: str | Path, sample_rate: int = 16_000) -> Waveform:
    """Any sound file as (S,) float32 mono.

    Raises:
        MediaError: the file cannot be read as sound.
    """
    pieces: list[NDArray[np.float32]] = []
    try:
        with av.open(str(path)) as container:
            resampler = AudioResampler(format="fltp", layout="mono", rate=sample_rate)
            for frame in container.decode(audio=0):
                pieces += [f.to_ndarray()[0] for f in resampler.resample(frame)]
            pieces += [f.to_ndarray()[0] for f in resampler.resample(None)]
    except (OSError, IndexError, ValueError, av.error.FFmpegError) as error:
        raise MediaError(f"{path} cannot be read as a sound ({error}); take another file") from None
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
