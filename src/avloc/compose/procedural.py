"""Pictures and sounds made by formulas: ten classes that look and sound different, in endless variations.

They need no file, so tests and small trainings run anywhere. A variation is a number; the same number gives
the same picture and the same sound. Sounds are 4 s at 16 kHz, pictures 256 x 256 RGBA.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

CLASSES = (
    "arcade",
    "beacon",
    "bell",
    "buzzer",
    "cricket",
    "drum",
    "engine",
    "string",
    "surf",
    "whistle",
)
RATE = 16_000
SIDE_PX = 256
LENGTH_S = 4.0
Field = NDArray[np.float64]
Mask = NDArray[np.bool_]


def picture(label: str, variation: int) -> NDArray[np.uint8]:
    """(256, 256, 4) uint8: the shape of a class, or (256, 456, 4) for "background"."""
    rng = _rng("picture", label, variation)
    if label == "background":
        return _background(rng)
    axis = np.linspace(-1, 1, SIDE_PX)
    x, y = np.meshgrid(axis, axis)
    hue, mask, lit = _SHAPES[label](rng, x, y)
    rgb = np.array([0.5 + 0.5 * np.cos(2 * np.pi * (hue + k / 3)) for k in range(3)])
    shade = np.clip(lit, 0, 1)[..., None] * (0.8 + 0.2 * (1 - np.hypot(x, y))[..., None])
    out = np.zeros((SIDE_PX, SIDE_PX, 4), np.uint8)
    out[..., :3] = np.clip(255 * (shade * (0.25 + 0.75 * rgb)), 0, 255)
    out[..., 3] = 255 * mask
    return out


def sound(label: str, variation: int) -> NDArray[np.float32]:
    """(64000,) float32 in [-1, 1]: the sound of a class, or of "ambient" or "rattle"."""
    rng = _rng("sound", label, variation)
    wave = _SOUNDS[label](rng, np.arange(round(LENGTH_S * RATE)) / RATE)
    return np.asarray(wave / np.abs(wave).max(), np.float32)


def _rng(kind: str, label: str, variation: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(f"{kind} {label}".encode()), variation])


def _background(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A slow colour gradient with soft clouds: a few random plane waves."""
    y, x = np.mgrid[0:256, 0:456] / 256.0
    out = np.full((256, 456, 4), 255, np.uint8)
    for channel in range(3):
        clouds = sum(
            rng.uniform(0.2, 1) * np.cos(2 * np.pi * (rng.normal(0, 1.2) * x + rng.normal(0, 1.2) * y + rng.random()))
            for _ in range(4)
        )
        out[..., channel] = np.clip(rng.uniform(60, 190) + 35 * clouds, 0, 255)
    return out


# Pictures: (hue, where the object is, how bright it is there).


def _arcade(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    n = rng.integers(4, 7)
    board = (np.floor((x + 1) * n / 2) + np.floor((y + 1) * n / 2)) % 2
    return 0.83 + rng.normal(0, 0.02), np.maximum(abs(x), abs(y)) < 0.95, 0.15 + 0.85 * board


def _beacon(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    points, turn = rng.integers(5, 8), rng.uniform(0, 6)
    edge = 0.6 + 0.35 * np.cos(points * np.arctan2(y, x) + turn)
    return 0.0 + rng.normal(0, 0.02), np.hypot(x, y) < edge, 1.1 - 0.5 * np.hypot(x, y)


def _bell(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    width = rng.uniform(0.35, 0.45) + 0.4 * np.clip((y + 0.2) / 1.1, 0, 1) ** 2
    body = (abs(x) < width) & (y > -0.75) & (y < 0.7)
    clapper = np.hypot(x, y - 0.75) < 0.17
    return 0.13 + rng.normal(0, 0.01), body | clapper, 0.6 + 0.4 * np.cos(3 * x - 0.5)


def _buzzer(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    stripes = np.sin(2 * np.pi * rng.uniform(2, 3) * (x + y)) > 0
    return 0.16 + rng.normal(0, 0.01), abs(x) + abs(y) < 0.98, np.where(stripes, 1.0, 0.08)


def _cricket(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    body = (x / 0.9) ** 2 + (y / rng.uniform(0.25, 0.35)) ** 2 < 1
    legs = (abs(abs(x) - 0.5 - 0.35 * np.sin(4 * y)) < 0.06) & (abs(y) < 0.9)
    return 0.36 + rng.normal(0, 0.02), body | legs, 0.55 + 0.3 * np.sin(25 * x)


def _drum(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    top = (x / 0.9) ** 2 + ((y + 0.45) / 0.3) ** 2 < 1
    side = (abs(x) < 0.9) & (y > -0.45) & (y < 0.55 + 0.25 * np.sqrt(np.clip(1 - x**2, 0, 1)))
    lacing = 0.35 + 0.4 * (abs(((x * rng.integers(3, 6)) % 1) - 0.5 - 0.4 * np.sin(3 * y)) < 0.12)
    return 0.03 + rng.normal(0, 0.01), top | side, np.where(top, 1.0, lacing)


def _engine(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    teeth = rng.integers(8, 13)
    radius = np.hypot(x, y)
    gear = radius < 0.75 + 0.18 * (np.sin(teeth * np.arctan2(y, x)) > 0)
    return 0.6 + rng.normal(0, 0.02), gear & (radius > 0.25), 0.5 + 0.2 * np.cos(12 * radius)


def _string(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    frame = (abs(x) < 0.7) & (abs(y) < 0.95)
    strings = abs(((x * rng.integers(4, 7)) % 1) - 0.5) < 0.1
    return 0.07 + rng.normal(0, 0.01), frame, np.where(strings, 1.0, 0.3)


def _surf(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    waves = np.sin(14 * y + 3 * np.sin(rng.uniform(4, 6) * x + rng.uniform(0, 6)))
    return 0.52 + rng.normal(0, 0.02), abs(y) < 0.6 + 0.25 * np.sin(5 * x), 0.6 + 0.4 * waves


def _whistle(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    ring = np.hypot(x + 0.2, y - 0.1)
    tube = (x > -0.2) & (abs(y + 0.38) < 0.22)
    return 0.72 + rng.normal(0, 0.02), (ring < 0.7) & (ring > 0.25) | tube, 0.8 - 0.3 * y


def _cross(rng: np.random.Generator, x: Field, y: Field) -> tuple[float, Mask, Field]:
    arm = rng.uniform(0.2, 0.35)
    return rng.random(), (np.minimum(abs(x), abs(y)) < arm) & (np.maximum(abs(x), abs(y)) < 0.95), np.ones_like(x)


_SHAPES: dict[str, Callable[[np.random.Generator, Field, Field], tuple[float, Mask, Field]]] = {
    "arcade": _arcade,
    "beacon": _beacon,
    "bell": _bell,
    "buzzer": _buzzer,
    "cricket": _cricket,
    "drum": _drum,
    "engine": _engine,
    "string": _string,
    "surf": _surf,
    "whistle": _whistle,
    "cross": _cross,
}

# Sounds: t is time in seconds.


def _arcade_sound(rng: np.random.Generator, t: Field) -> Field:
    notes = 220 * 2 ** (rng.choice([0, 3, 5, 7, 10, 12], 64) / 12)
    tone = notes[(t * rng.uniform(7, 10)).astype(int)]
    return np.sign(np.sin(2 * np.pi * np.cumsum(tone) / RATE))


def _beacon_sound(rng: np.random.Generator, t: Field) -> Field:
    on = (t * rng.uniform(2, 3)) % 1 < 0.6
    return np.sin(2 * np.pi * rng.uniform(900, 1100) * t) * _smooth(on)


def _bell_sound(rng: np.random.Generator, t: Field) -> Field:
    """FM synthesis of a bell: ratio 1.4, the index dying with the tone (Chowning 1973)."""
    pitch, out = rng.uniform(380, 620), np.zeros_like(t)
    for start in np.arange(0, LENGTH_S, rng.uniform(0.7, 1.0)):
        u = np.clip(t - start, 0, None)
        fade = np.where(t >= start, np.exp(-3 * u), 0)
        out += fade * np.sin(2 * np.pi * pitch * u + 5 * fade * np.sin(2 * np.pi * 1.4 * pitch * u))
    return out


def _buzzer_sound(rng: np.random.Generator, t: Field) -> Field:
    pitch = rng.uniform(110, 150)
    return (((t * pitch) % 1) - 0.5) * (0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(25, 35) * t))


def _cricket_sound(rng: np.random.Generator, t: Field) -> Field:
    chirp = np.sin(2 * np.pi * rng.uniform(4200, 4800) * t) * (np.sin(2 * np.pi * 45 * t) > 0)
    return chirp * _smooth((t * rng.uniform(2.5, 3.5)) % 1 < 0.5)


def _drum_sound(rng: np.random.Generator, t: Field) -> Field:
    beat = 1 / rng.uniform(3, 4.5)
    u = t % beat
    noise = rng.normal(0, 1, len(t)) * np.exp(-u * 45)
    thump = np.sin(2 * np.pi * (80 * u + 12 * (1 - np.exp(-u * 20)))) * np.exp(-u * 12)
    return np.asarray(0.5 * noise + thump)


def _engine_sound(rng: np.random.Generator, t: Field) -> Field:
    pitch = rng.uniform(35, 55) * (1 + 0.1 * np.sin(2 * np.pi * 0.4 * t))
    phase = np.cumsum(pitch) / RATE
    return sum((np.sin(2 * np.pi * k * phase + k) / k for k in range(1, 12)), np.zeros_like(t))


def _string_sound(rng: np.random.Generator, t: Field) -> Field:
    """Plucked strings: a burst of noise going round a lossy delay line (Karplus and Strong 1983)."""
    out = np.zeros(len(t))
    for start in np.arange(0, len(t), int(rng.uniform(0.3, 0.45) * RATE)):
        period = int(RATE / (196 * 2 ** (rng.choice([0, 4, 7, 12]) / 12)))
        line, plucked = rng.uniform(-1, 1, period), []
        for _ in range(int(0.9 * RATE) // period):
            plucked.append(line)
            line = 0.996 * 0.5 * (line + np.roll(line, 1))
        note = np.concatenate(plucked)[: len(t) - start]
        out[start : start + len(note)] += note
    return out


def _surf_sound(rng: np.random.Generator, t: Field) -> Field:
    return _pink(rng, len(t)) * (0.7 + 0.3 * np.sin(2 * np.pi * rng.uniform(0.4, 0.7) * t))


def _whistle_sound(rng: np.random.Generator, t: Field) -> Field:
    pitch = 2000 + 700 * np.sin(2 * np.pi * rng.uniform(1.0, 1.8) * t)
    return np.sin(2 * np.pi * np.cumsum(pitch) / RATE)


def _ambient_sound(rng: np.random.Generator, t: Field) -> Field:
    return _pink(rng, len(t))


def _rattle_sound(rng: np.random.Generator, t: Field) -> Field:
    return rng.normal(0, 1, len(t)) * (np.sin(2 * np.pi * rng.uniform(8, 12) * t) > 0.5)


def _pink(rng: np.random.Generator, length: int) -> Field:
    spectrum = np.fft.rfft(rng.normal(0, 1, length))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 20.0), length)


def _smooth(gate: Mask) -> Field:
    """A gate with 5 ms edges, so that switching does not click."""
    return np.convolve(gate.astype(np.float64), np.full(80, 1 / 80), mode="same")


_SOUNDS: dict[str, Callable[[np.random.Generator, Field], Field]] = {
    "arcade": _arcade_sound,
    "beacon": _beacon_sound,
    "bell": _bell_sound,
    "buzzer": _buzzer_sound,
    "cricket": _cricket_sound,
    "drum": _drum_sound,
    "engine": _engine_sound,
    "string": _string_sound,
    "surf": _surf_sound,
    "whistle": _whistle_sound,
    "ambient": _ambient_sound,
    "rattle": _rattle_sound,
}
