"""The front end of YAMNet and VGGish: waveform > windowed magnitude spectrum > mel bands > logarithm.

Legend: S samples, F frames, B = 257 spectrum bins, M = 64 mel bands.

Constants are those of the published models (16 kHz, window 25 ms, hop 10 ms, periodic Hann, 64 bands of the HTK mel
scale between 125 and 7500 Hz, log(x + 0.001), VGGish log(x + 0.01)).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FeatureError

Array = NDArray[np.float32]
Real = TypeVar("Real", np.float32, np.float64)

SAMPLE_RATE = 16_000
WINDOW = 400
HOP = 160
FFT_SIZE = 512
BANDS = 64
LOWEST_HZ, HIGHEST_HZ = 125.0, 7500.0
LOG_OFFSET = 0.001
VGGISH_LOG_OFFSET = 0.01
PATCH_FRAMES = 96  # what YAMNet and VGGish look at: 0.96 s

BLOCK_FRAMES = 256  # spectra at a time: small enough for the cache, so memory stays flat
PRODUCT_ROWS = 16  # 16 x 235 x 64 multiplications are below the 2^18 from which OpenBLAS uses several threads


def log_mel(
    waveform: NDArray[np.floating], *, offset: float = LOG_OFFSET, dtype: type[np.floating] = np.float32
) -> Array:
    """Log-mel spectrogram (F, 64) of a waveform (S,) at 16 kHz mono in [-1, 1].

    Frame f covers samples 160 f to 160 f + 400; nothing is padded, so F = 1 + (S - 400) // 160, and 0 if S < 400.
    It is computed in `dtype`, in which `offset` keeps the logarithm from silence.

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
    samples = np.ascontiguousarray(samples, dtype)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]  # (F, 400), a view
    result = np.empty((len(frames), BANDS), dtype)
    hann, mel = _hann_window().astype(dtype), mel_matrix().astype(dtype)
    used = slice(int(mel.any(axis=1).argmax()), int(np.flatnonzero(mel.any(axis=1))[-1]) + 1)
    for start in range(0, len(frames), BLOCK_FRAMES):
        block = slice(start, start + BLOCK_FRAMES)
        spectrum = np.abs(np.fft.rfft(frames[block] * hann, FFT_SIZE)[:, used])  # (<=256, B used)
        _product(spectrum.astype(dtype, copy=False), mel[used], result[block])
    result += dtype(offset)
    return np.log(result, out=result).astype(np.float32, copy=False)


def _product(spectrum: NDArray[Real], mel: NDArray[Real], bands: NDArray[Real]) -> None:
    """spectrum (F, B) @ mel (B, M) into bands (F, M), a few rows at a time.

    A product of a whole block makes BLAS start its threads, and their waiting for one another costs more than the
    product, many times more where the other cores decode the video.
    """
    for row in range(0, len(spectrum), PRODUCT_ROWS):
        rows = slice(row, row + PRODUCT_ROWS)
        np.matmul(spectrum[rows], mel, out=bands[rows])


@lru_cache(maxsize=1)
def mel_matrix() -> NDArray[np.float64]:
    """Weights (B, M) of triangular bands whose edges lie evenly on the HTK mel scale; bin 0 has none."""
    bins_mel = hertz_to_mel(np.linspace(0.0, SAMPLE_RATE / 2, FFT_SIZE // 2 + 1))[:, None]
    edges = np.linspace(hertz_to_mel(np.array(LOWEST_HZ)), hertz_to_mel(np.array(HIGHEST_HZ)), BANDS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins_mel - lower) / (centre - lower), (upper - bins_mel) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights


def hertz_to_mel(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """HTK mel scale: 1127 ln(1 + f / 700)."""
    return 1127.0 * np.log1p(frequency_hz / 700.0)


@lru_cache(maxsize=1)
def _hann_window() -> NDArray[np.float64]:
    """Periodic Hann window (400,)."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW))
