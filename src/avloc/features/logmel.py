"""YAMNet's front end: waveform > windowed magnitude spectrum > mel bands > logarithm.

Legend: S samples, F frames, B = 257 spectrum bins, M = 64 mel bands.

Constants are those of the published model (16 kHz, window 25 ms, hop 10 ms, periodic Hann, 64 bands of the HTK mel
scale between 125 and 7500 Hz, log(x + 0.001)).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FeatureError

Array = NDArray[np.float32]

SAMPLE_RATE = 16_000
WINDOW = 400
HOP = 160
FFT_SIZE = 512
BANDS = 64
LOWEST_HZ, HIGHEST_HZ = 125.0, 7500.0
LOG_OFFSET = 0.001
PATCH_FRAMES = 96  # what YAMNet looks at: 0.96 s

BLOCK_FRAMES = 512  # spectra at a time: small enough for the cache, so memory stays flat


def log_mel(waveform: NDArray[np.floating]) -> Array:
    """Log-mel spectrogram (F, 64) of a waveform (S,) at 16 kHz mono in [-1, 1].

    Frame f covers samples 160 f to 160 f + 400; nothing is padded, so F = 1 + (S - 400) // 160, and 0 if S < 400.

    Raises:
        FeatureError: the waveform is not one-dimensional or not of a floating type.
    """
    samples = np.asarray(waveform)
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        raise FeatureError(
            f"log_mel was given {samples.dtype} of shape {samples.shape}; "
            "mono floating-point samples (S,) in [-1, 1] at 16 kHz are needed"
        )
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    samples = np.ascontiguousarray(samples, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]  # (F, 400), a view
    result = np.empty((len(frames), BANDS), np.float32)
    hann, mel = _hann_window(), mel_matrix()
    for start in range(0, len(frames), BLOCK_FRAMES):
        block = slice(start, start + BLOCK_FRAMES)
        spectrum = np.abs(np.fft.rfft(frames[block] * hann, FFT_SIZE))  # (<=512, B)
        result[block] = np.log(spectrum.astype(np.float32, copy=False) @ mel + np.float32(LOG_OFFSET))
    return result


@lru_cache(maxsize=1)
def mel_matrix() -> Array:
    """Weights (B, M) of triangular bands whose edges lie evenly on the HTK mel scale; bin 0 has none."""
    bins_mel = hertz_to_mel(np.linspace(0.0, SAMPLE_RATE / 2, FFT_SIZE // 2 + 1))[:, None]
    edges = np.linspace(hertz_to_mel(np.array(LOWEST_HZ)), hertz_to_mel(np.array(HIGHEST_HZ)), BANDS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins_mel - lower) / (centre - lower), (upper - bins_mel) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights.astype(np.float32)


def hertz_to_mel(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """HTK mel scale: 1127 ln(1 + f / 700)."""
    return 1127.0 * np.log1p(frequency_hz / 700.0)


@lru_cache(maxsize=1)
def _hann_window() -> Array:
    """Periodic Hann window (400,)."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
