"""The level meter against plain arithmetic on the whole wave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.media.levels import CELLS_PER_S, LevelMeter


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 12345]),
    cuts=st.lists(st.integers(0, 6000), max_size=8),
    seed=st.integers(0, 99),
)
def test_blocks_of_any_size_give_the_peaks_of_the_whole(rate: int, cuts: list[int], seed: int) -> None:
    wave = np.random.default_rng(seed).uniform(-1, 1, 6000).astype(np.float32)
    meter = LevelMeter()
    for block in np.split(wave, sorted(cuts)):
        meter.add(block, rate)
    cell_of = np.arange(len(wave)) * CELLS_PER_S // rate
    peaks = np.array([np.abs(wave[cell_of == k]).max() for k in range(cell_of[-1] + 1)])
    np.testing.assert_array_equal(meter.levels(len(peaks), len(peaks) / CELLS_PER_S), peaks)
    assert meter.levels(1)[0] == np.abs(wave).max()
    assert meter.duration_s == pytest.approx(len(wave) / rate)


def test_sound_that_begins_later_is_silent_before() -> None:
    meter = LevelMeter(begin_s=70.25)
    meter.add(np.full(8000, 0.5, np.float32), 16000)
    levels = meter.levels(400, 100.0)
    assert np.flatnonzero(levels).tolist() == [281, 282] and meter.duration_s == 70.75


def test_a_click_is_where_it_was_and_the_rest_is_silent() -> None:
    meter = LevelMeter()
    for second in range(90):  # longer than the room the meter begins with
        block = np.zeros((2, 16000), np.float32)
        block[1, 8000] = -0.75 if second == 70 else 0.0
        meter.add(block, 16000)
    levels = meter.levels(100, duration_s=100.0)
    assert levels[70] == 0.75
    assert np.count_nonzero(levels) == 1


def test_no_sound_is_silence() -> None:
    assert LevelMeter().levels(5).tolist() == [0.0] * 5
    meter = LevelMeter()
    meter.add(np.zeros(0, np.float32), 16000)
    assert meter.levels(3, 2.0).tolist() == [0.0] * 3


def test_clipped_and_broken_samples_stay_within_the_scale() -> None:
    meter = LevelMeter()
    meter.add(np.array([np.nan, -3.0, np.inf], np.float32), 100)
    assert meter.levels(3).tolist() == [0.0, 1.0, 1.0]


def test_odd_calls_are_errors() -> None:
    meter = LevelMeter()
    meter.add(np.zeros(10, np.float32), 16000)
    with pytest.raises(ValueError, match="sample_rate is 8000 after 16000"):
        meter.add(np.zeros(10, np.float32), 8000)
    with pytest.raises(ValueError, match="shape"):
        meter.add(np.zeros((1, 2, 3), np.float32), 16000)
    with pytest.raises(ValueError, match="positive"):
        meter.levels(0)
