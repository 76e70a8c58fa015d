"""Fixed inputs of the encoders, made by formula, so that only the originals' outputs need to be stored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COUNT = 12
SAMPLES = 15_600  # one YAMNet patch: 95 hops of 160 samples and a window of 400
SAMPLE_RATE = 16_000
SIZE = 224


def waveforms() -> NDArray[np.float32]:
    """Waveforms (12, 15600) in [-1, 1]: chirps, harmonic tones, clicks, beats and noises of several levels."""
    time_s = np.arange(SAMPLES) / SAMPLE_RATE
    return np.stack([_waveform(index, time_s) for index in range(COUNT)]).astype(np.float32)


def _waveform(index: int, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    noise = np.random.default_rng(index).random(len(time_s)) * 2 - 1
    pitch_hz = 110.0 * 1.4**index
    if index % 4 == 0:
        sound = np.sin(2 * np.pi * (pitch_hz * time_s + 900 * time_s**2))
    elif index % 4 == 1:
        vibrato = 0.02 * np.sin(2 * np.pi * 5.5 * time_s)
        partials = [np.sin(2 * np.pi * pitch_hz * k * (time_s + vibrato / 40)) / k for k in range(1, 7)]
        sound = np.sum(partials, axis=0) / 2.5
    elif index % 4 == 2:
        sound = noise * np.exp(-((time_s * (3 + index)) % 1.0) * 12)
    else:
        sound = np.sin(2 * np.pi * pitch_hz * time_s) * np.sin(2 * np.pi * (index / 2) * time_s) + 0.3 * noise
    level = (0.8, 0.3, 0.05)[index % 3]
    return np.clip(level * sound + 0.002 * noise, -1, 1)


def images() -> NDArray[np.uint8]:
    """Images (12, 224, 224, 3): gradients, checks, stripes, discs and coarse noise, in integer arithmetic."""
    return np.stack([_image(index) for index in range(COUNT)])


def _image(index: int) -> NDArray[np.uint8]:
    row, column = np.mgrid[:SIZE, :SIZE]
    random = np.random.default_rng(100 + index)
    dark, light = random.integers(0, 128, 3), random.integers(128, 256, 3)
    if index % 4 == 0:
        share = (row * (index + 1) + column * 2) % 256
    elif index % 4 == 1:
        share = ((row // (6 + 5 * index) + column // (4 + 3 * index)) % 2) * 255
    elif index % 4 == 2:
        distance = (row - 112) ** 2 + (column - 90 - 4 * index) ** 2
        share = np.where(distance < (20 + 6 * index) ** 2, 255, distance // 90 % 200)
    else:
        side = 2 + index
        coarse = random.integers(0, 256, (SIZE // side + 1, SIZE // side + 1))
        share = coarse[row // side, column // side]
    colours = (dark * (255 - share[..., None]) + light * share[..., None]) // 255
    return np.asarray(colours, np.uint8)
