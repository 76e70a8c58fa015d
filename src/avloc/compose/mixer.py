"""The waveform of a Scene: sounds repeated, faded and mixed over ambient sound and noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avloc.compose.library import SAMPLE_RATE
from avloc.compose.scene import Scene, SoundLayer
from avloc.media.whole import Waveform

FADE_S = 0.03
CROSS_FADE_S = 0.05
Wave = NDArray[np.float32]


def mix(scene: Scene) -> Waveform:
    """(S,) float32 mono at 16 kHz, S = duration times rate, within [-1, 1]."""
    length = round(scene.duration_s * SAMPLE_RATE)
    rng = np.random.default_rng([scene.seed, 1])
    out = (10 ** (scene.backdrop.noise_db / 20) * rng.normal(0, 1, length)).astype(np.float32)
    if scene.backdrop.ambient is not None:
        ambient = _filled(scene.backdrop.ambient.waveform(), length, 0.0, rng)
        out += np.float32(10 ** (scene.backdrop.ambient_db / 20)) * ambient
    for layer in scene.sounds:
        first, last = (round(t * SAMPLE_RATE) for t in (layer.start_s, layer.end_s))
        last = min(last, length)
        if last > first:
            out[first:last] += _voice(layer, last - first)
    # Only a mix that would clip is turned down; quiet scenes stay quiet.
    return out / max(1.0, float(np.abs(out).max(initial=0.0)))


def _voice(layer: SoundLayer, length: int) -> Wave:
    rng = np.random.default_rng(layer.seed)
    wave = _filled(layer.sound.waveform(), length, layer.pause_s, rng)
    if layer.reverb:
        wave = _reverberant(wave, layer.reverb, rng)
    wave = wave * np.float32(10 ** (layer.gain_db / 20))
    ramp = np.linspace(0, 1, min(round(FADE_S * SAMPLE_RATE), length // 2), dtype=np.float32)
    wave[: len(ramp)] *= ramp
    wave[length - len(ramp) :] *= ramp[::-1]
    return wave


def _filled(sound: Waveform, length: int, pause_s: float, rng: np.random.Generator) -> Wave:
    """`length` samples of a sound: a stretch of a long one, a short one again and again.

    Without a pause the repeats are cross-faded; with one they are `pause_s` apart, give or take 40 percent.
    """
    if len(sound) >= length:
        start = int(rng.integers(0, len(sound) - length + 1))
        return sound[start : start + length].copy()
    out, at = np.zeros(length, np.float32), 0
    overlap = 0 if pause_s else min(round(CROSS_FADE_S * SAMPLE_RATE), len(sound) // 4)
    rise = np.sqrt(np.linspace(0, 1, overlap, dtype=np.float32))
    while at < length:
        piece = sound.copy()
        if overlap:
            piece[len(piece) - overlap :] *= rise[::-1]
            if at:
                piece[:overlap] *= rise
        piece = piece[: length - at]
        out[at : at + len(piece)] += piece
        at += len(sound) - overlap + round(pause_s * rng.uniform(0.6, 1.4) * SAMPLE_RATE)
    return out


def _reverberant(wave: Wave, share: float, rng: np.random.Generator) -> Wave:
    """Mixed with its convolution with 0.3 s of noise that dies away; same length, same peak."""
    tail = rng.normal(0, 1, round(0.3 * SAMPLE_RATE)) * np.exp(-np.arange(round(0.3 * SAMPLE_RATE)) / 1200)
    size = 1 << (len(wave) + len(tail) - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(tail, size), size)[: len(wave)]
    mixed = (1 - share) * wave + share * wet / max(1e-9, float(np.abs(wet).max()))
    return np.asarray(mixed * (np.abs(wave).max() / max(1e-9, float(np.abs(mixed).max()))), np.float32)
