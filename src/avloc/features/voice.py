"""Pitch of a voice, step by step: waveform > autocorrelation of short frames > how voiced, how high.

Legend: S samples, F frames, T steps.

The first high peak of the normalised autocorrelation (after Boersma 1993, without his path search).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

FRAME, HOP = 1024, 480  # 64 ms every 30 ms at 16 kHz
LOWEST_HZ, HIGHEST_HZ = 75.0, 500.0
REFERENCE_HZ = 100.0
PERIODIC = 0.6  # autocorrelation from which a frame counts as voiced
NEARLY = 0.9  # the first peak of this share of the highest one wins: a multiple of the period is as high


def voice(waveform: NDArray[np.floating], sample_rate: int) -> Float32:
    """(2,): the share of frames that are voiced, 0 to 1, and their median pitch in octaves above 100 Hz (else 0).

    Frames more than 20 dB below the loudest do not count.
    """
    if len(waveform) < FRAME:
        return np.zeros(2, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(waveform, np.float32), FRAME)[::HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = (frames**2).mean(axis=1)
    loud = power > max(1e-8, 0.01 * float(power.max()))
    if not loud.any():
        return np.zeros(2, np.float32)
    pitch_hz, periodic = _pitch(frames[loud], sample_rate)
    voiced = periodic > PERIODIC
    height = float(np.median(np.log2(pitch_hz[voiced] / REFERENCE_HZ))) if voiced.any() else 0.0
    return np.array([voiced.sum() / len(frames), height], np.float32)


def _pitch(frames: Float32, sample_rate: int) -> tuple[NDArray[np.float64], Float32]:
    """Pitch in Hz and height of the chosen peak, both (F,)."""
    window = np.hanning(FRAME).astype(np.float32)
    found = _autocorrelation(frames * window) / _autocorrelation(window[None])
    low, high = int(sample_rate / HIGHEST_HZ), int(sample_rate / LOWEST_HZ)
    around = found[:, low - 1 : high + 2]
    r = around[:, 1:-1]
    peaks = np.where((r >= around[:, :-2]) & (r > around[:, 2:]), r, -1.0)
    highest = peaks.max(axis=1)
    first = (peaks >= NEARLY * highest[:, None]).argmax(axis=1)
    return sample_rate / (first + low), highest.astype(np.float32)


def _autocorrelation(frames: Float32) -> Float32:
    spectrum = np.fft.rfft(frames, 2 * FRAME)
    r = np.fft.irfft(np.abs(spectrum) ** 2)[:, : FRAME // 2]
    return np.asarray(r / np.maximum(r[:, :1], 1e-12), np.float32)
