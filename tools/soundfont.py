"""Short melodies of a General MIDI program, played from a soundfont."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tinysoundfont
from numpy.typing import NDArray

RATE = 16_000
LENGTH_S = 12.0
# Lowest note of the melody by General MIDI program; the others begin at G3.
LOWEST = {14: 55, 22: 60, 33: 33, 34: 33, 42: 41, 47: 41, 57: 46, 60: 48, 65: 53, 66: 50, 73: 67}
SCALE = (0, 2, 4, 5, 7, 9, 11, 12, 14, 16)


def play(soundfont: Path, program: int, seed: int) -> NDArray[np.float32]:
    """(S,) float32 at 16 kHz: 12 s of a random walk on a scale, in a tempo of its own."""
    rng = np.random.default_rng([program, seed])
    synth = tinysoundfont.Synth(samplerate=RATE)
    synth.program_select(0, synth.sfload(str(soundfont)), 0, program)
    beat_s, step = rng.uniform(0.25, 0.6) * (3 if program == 14 else 1), int(rng.integers(0, 5))
    lowest = LOWEST.get(program, 55) + int(rng.integers(0, 5))
    pieces: list[NDArray[np.float32]] = []
    while sum(map(len, pieces)) < LENGTH_S * RATE:
        step = int(np.clip(step + rng.integers(-2, 3), 0, len(SCALE) - 1))
        notes = [lowest + SCALE[step]]
        if program in (0, 16, 21, 24, 25) and rng.random() < 0.5:
            notes += [notes[0] - 5, notes[0] + 4]
        for note in notes:
            synth.noteon(0, note, int(rng.integers(80, 120)))
        pieces.append(_generate(synth, round(beat_s * rng.choice([1, 1, 2]) * RATE)))
        for note in notes:
            synth.noteoff(0, note)
    return np.concatenate(pieces)[: round(LENGTH_S * RATE)]


def _generate(synth: tinysoundfont.Synth, length: int) -> NDArray[np.float32]:
    return np.frombuffer(bytes(synth.generate(length)), np.float32).reshape(-1, 2).mean(axis=1)
