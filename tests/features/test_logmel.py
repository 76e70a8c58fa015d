"""The log-mel front end against plain arithmetic and against the original's own front end."""

from __future__ import annotations

import math
from pathlib import Path

import encoder_inputs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from avloc.errors import FeatureError
from avloc.features.logmel import log_mel, mel_matrix

REFERENCE = Path(__file__).parent / "data" / "yamnet_reference.safetensors"


def plain_frame(samples: list[float]) -> list[float]:
    """One frame of 400 samples in double precision, written out term by term."""
    windowed = [s * (0.5 - 0.5 * math.cos(2 * math.pi * n / 400)) for n, s in enumerate(samples)]
    magnitudes = []
    for k in range(257):
        real = sum(s * math.cos(2 * math.pi * k * n / 512) for n, s in enumerate(windowed))
        imaginary = sum(s * math.sin(2 * math.pi * k * n / 512) for n, s in enumerate(windowed))
        magnitudes.append(math.hypot(real, imaginary))

    def mel(hertz: float) -> float:
        return 1127.0 * math.log(1 + hertz / 700)

    low, high = mel(125), mel(7500)
    edges = [low + (high - low) * i / 65 for i in range(66)]
    frame = []
    for band in range(64):
        left, centre, right = edges[band : band + 3]
        energy = 0.0
        for k in range(1, 257):
            at = mel(k * 16000 / 512)
            energy += magnitudes[k] * max(0.0, min((at - left) / (centre - left), (right - at) / (right - centre)))
        frame.append(math.log(energy + 0.001))
    return frame


@pytest.mark.parametrize("index", range(0, encoder_inputs.COUNT, 3))
def test_equals_a_plain_double_precision_loop(index: int) -> None:
    waveform = encoder_inputs.waveforms()[index]
    result = log_mel(waveform)
    for frame in (0, 50, 95):
        expected = plain_frame([float(s) for s in waveform[160 * frame : 160 * frame + 400]])
        np.testing.assert_allclose(result[frame], expected, atol=2e-3)


def test_equals_the_original_front_end() -> None:
    stored = load_file(REFERENCE)["log_mel"]
    ours = np.stack([log_mel(waveform) for waveform in encoder_inputs.waveforms()[: len(stored)]])
    np.testing.assert_allclose(ours, stored, atol=2e-3)


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (15_600, 96), (1_000_000, 6248)]
)
def test_number_of_frames(samples: int, frames: int) -> None:
    result = log_mel(np.zeros(samples, np.float32))
    assert result.shape == (frames, 64)
    assert result.dtype == np.float32
    assert np.allclose(result, math.log(0.001))


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 700), length=st.integers(1, 700))
def test_frames_do_not_depend_on_where_the_waveform_is_cut(start: int, length: int) -> None:
    """So long sounds can be read in pieces: also across the border of the blocks that are computed together."""
    noise = (np.random.default_rng(3).random(160 * 1400 + 400) * 2 - 1).astype(np.float32)
    piece = log_mel(noise[160 * start : 160 * (start + length - 1) + 400])
    np.testing.assert_allclose(piece, log_mel(noise)[start : start + length], atol=1e-5)


def test_a_tone_is_loudest_in_the_band_around_it() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    band_of_1000_hz = int(mel_matrix()[32].argmax())  # bin 32 is 1000 Hz
    assert set(log_mel(tone).argmax(axis=1)) == {band_of_1000_hz}


def test_double_precision_and_strided_input_give_the_same() -> None:
    waveform = encoder_inputs.waveforms()[1]
    strided = np.repeat(waveform, 2)[::2]
    np.testing.assert_array_equal(log_mel(strided), log_mel(waveform))
    np.testing.assert_array_equal(log_mel(waveform.astype(np.float64)), log_mel(waveform))


@pytest.mark.parametrize("bad", [np.zeros((2, 1000), np.float32), np.zeros(1000, np.int16)])
def test_other_input_is_refused_in_one_line(bad: np.ndarray) -> None:
    with pytest.raises(FeatureError, match="mono floating-point") as caught:
        log_mel(bad)
    assert "\n" not in str(caught.value)
