"""The level of sound for the encoders: usual sound as it is, quiet sound raised, loud sound lowered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from avloc.features.extractors.level import LOWERED, RAISED, gain_of, levelled

RATE = 16000


def tone(seconds: float, amplitude: float) -> NDArray[np.float32]:
    return (amplitude * np.sin(0.3 * np.arange(round(seconds * RATE)))).astype(np.float32)


def blocks(wave: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    return (wave[at : at + 10 * RATE] for at in range(0, len(wave), 10 * RATE))


def heard(wave: NDArray[np.float32]) -> tuple[NDArray[np.float32], list[str]]:
    notes: list[str] = []
    return np.concatenate(list(levelled(blocks(wave), RATE, notes.append))), notes


def test_usual_sound_stays_as_it_is() -> None:
    wave = np.concatenate([tone(25, 0.001), tone(5, 0.3), np.zeros(10 * RATE, np.float32), tone(70, 0.01)])
    got, notes = heard(wave)
    assert np.array_equal(got, wave) and notes == []
    assert list(levelled(iter([]), RATE)) == []
    silence = np.zeros(30 * RATE, np.float32)
    assert np.array_equal(heard(silence)[0], silence)


def test_quiet_sound_is_raised_by_one_gain() -> None:
    wave = np.concatenate([tone(20, 0.0005), tone(12, 0.003), tone(17, 0.0008)])
    got, notes = heard(wave)
    gain = got[100] / wave[100]
    assert np.allclose(got, gain * wave, rtol=1e-5) and notes == [RAISED]
    assert np.sqrt(np.mean(got[25 * RATE : 30 * RATE] ** 2)) == pytest.approx(0.03, rel=0.02)


def test_quiet_sound_that_is_steady_stays_as_it_is() -> None:
    hiss = np.random.default_rng(2).normal(0, 0.002, 40 * RATE).astype(np.float32)
    got, notes = heard(hiss + np.pad(tone(3, 0.004), (10 * RATE, 27 * RATE)))
    assert np.abs(got).max() < 0.02 and notes == []


def test_loud_sound_is_lowered_to_full_scale_and_not_cut() -> None:
    wave = np.concatenate([tone(20, 0.5), tone(20, 8.0)])
    got, notes = heard(wave)
    assert np.allclose(got * 8, wave, atol=1e-3) and notes == [LOWERED]


def test_what_comes_later_than_a_minute_changes_nothing_yet() -> None:
    """A long quiet beginning is raised until louder sound comes near; the gain falls without a leap."""
    wave = np.concatenate([tone(5, 0.002), tone(115, 0.0004), tone(60, 0.4)])
    got, notes = heard(wave)
    assert got[: 50 * RATE].max() == pytest.approx(0.03 * np.sqrt(2), rel=0.02)
    assert np.array_equal(got[100 * RATE :], wave[100 * RATE :]) and notes == [RAISED]
    assert np.abs(np.diff(got[6 * RATE : 120 * RATE])).max() < 0.02


@given(st.lists(st.floats(0, 3, width=32), max_size=9), st.floats(0, 3))
def test_gains_have_bounds(tenths: list[float], more: float) -> None:
    loudest = max(tenths, default=0.0)
    gain = gain_of(np.array(tenths, np.float32), loudest + more)
    assert 0 < gain <= 50 and gain * (loudest + more) <= 1.0001
    assert gain == 1 or loudest < 0.03 or loudest + more > 1
