"""Pitch of made voices, of noise and of silence."""

from __future__ import annotations

import numpy as np
import pytest

from avloc.features.voice import voice

RATE = 16_000
TIME_S = np.arange(15_360) / RATE


def hum(pitch_hz: float, level: float = 0.3) -> np.ndarray:
    """Twelve partials that fall off, as of a voice."""
    return level * sum(np.sin(2 * np.pi * pitch_hz * k * TIME_S + k) / k for k in range(1, 13))


@pytest.mark.parametrize("pitch_hz", [90, 120, 150, 220, 300, 440])
@pytest.mark.parametrize("level", [0.3, 0.003])
def test_a_voice_has_its_pitch_however_loud(pitch_hz: float, level: float) -> None:
    share, octaves = voice(hum(pitch_hz, level), RATE)
    assert share > 0.9 and octaves == pytest.approx(np.log2(pitch_hz / 100), abs=0.06)


def test_noise_and_silence_have_none() -> None:
    rng = np.random.default_rng(0)
    assert voice(rng.normal(0, 0.1, 15_360), RATE)[0] < 0.1
    assert voice(np.zeros(15_360), RATE).tolist() == [0, 0]
    assert voice(np.zeros(10), RATE).tolist() == [0, 0]


def test_half_a_voice_is_half_voiced() -> None:
    sound = hum(150) * (TIME_S < 0.48)
    share, octaves = voice(sound, RATE)
    assert 0.35 < share < 0.65 and octaves == pytest.approx(np.log2(1.5), abs=0.06)
