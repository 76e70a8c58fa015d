"""Tiny videos whose pictures and sound tell their own time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.codec import Codec, UnknownCodecError
from numpy.typing import NDArray

FPS = 20
SIDES = (160, 120)
FIRST_LEVEL = 20
STEP_LEVELS = 3

# Each holds a moment of sound and picture in step: ending, video encoder, audio encoder, sample rate.
FORMATS = [
    ("mp4", "libx264", "aac", 44100),
    ("mp4", "libx265", "aac", 48000),
    ("mp4", "mpeg4", "libmp3lame", 22050),
    ("mov", "libx264", "pcm_s16le", 8000),
    ("mkv", "libx264", "libopus", 48000),
    ("mkv", "ffv1", "flac", 22050),
    ("mkv", "libx264", "libmp3lame", 44100),
    ("webm", "libvpx-vp9", "libopus", 48000),
    ("webm", "libsvtav1", "libopus", 48000),
    ("ts", "libx264", "aac", 48000),
    ("ts", "libx264", "libmp3lame", 44100),
    ("avi", "mpeg4", "pcm_s16le", 22050),
]


def need(*encoders: str) -> None:
    """Skip the test where libav was built without one of the encoders."""
    for name in encoders:
        try:
            Codec(name, "w")
        except UnknownCodecError:
            pytest.skip(f"libav has no encoder {name}")


def ramp(count: int, sides: tuple[int, int] = SIDES) -> Iterator[NDArray[np.uint8]]:
    """Grey pictures, each STEP_LEVELS brighter than the one before."""
    for i in range(count):
        yield np.full((sides[1], sides[0], 3), FIRST_LEVEL + STEP_LEVELS * i, np.uint8)


def index_of(picture: NDArray[np.uint8]) -> int:
    """Which picture of `ramp` this is."""
    return round((float(picture.mean()) - FIRST_LEVEL) / STEP_LEVELS)


def flash(count: int, at_s: float) -> Iterator[NDArray[np.uint8]]:
    """Dark pictures, bright for 0.2 s from at_s on."""
    for i in range(count):
        bright = at_s <= i / FPS < at_s + 0.2
        yield np.full((SIDES[1], SIDES[0], 3), 230 if bright else 30, np.uint8)


def beep(duration_s: float, rate: int, at_s: float, channels: int = 1) -> NDArray[np.float32]:
    """(S, C): silence with a 1 kHz tone of amplitude 0.5 for 0.2 s from at_s on."""
    t = np.arange(round(duration_s * rate)) / rate
    wave = np.where((t >= at_s) & (t < at_s + 0.2), 0.5 * np.sin(2 * np.pi * 1000 * t), 0)
    return np.repeat(wave.astype(np.float32)[:, None], channels, axis=1)


def beep_in_hiss(duration_s: float, rate: int, at_s: float) -> NDArray[np.float32]:
    """(S, 1): as `beep`, over a faint noise, so that the encoded bytes spread evenly over the time."""
    hiss = np.random.default_rng(7).normal(0, 0.02, (round(duration_s * rate), 1))
    return beep(duration_s, rate, at_s) + hiss.astype(np.float32)


def onset_s(waveform: NDArray[np.float32], rate: int = 16000) -> float:
    """When the beep begins."""
    return float(np.argmax(np.abs(waveform) > 0.1)) / rate


def film(path: Path, rate: Fraction, **tags: str) -> Path:
    """A second and a half of pictures at a rate, with tags of the whole file."""
    with av.open(str(path), "w", container_options={"movflags": "use_metadata_tags"}) as out:
        out.metadata.update(tags)
        stream = out.add_stream("libx264", rate=rate)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for i in range(round(1.5 * rate)):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 2 * i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, 1 / rate
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def cut(path: Path, share: float) -> Path:
    """A copy with only the first share of the bytes."""
    content = path.read_bytes()
    short = path.with_name(f"cut_{path.name}")
    short.write_bytes(content[: int(len(content) * share)])
    return short
