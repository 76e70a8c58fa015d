"""Windows over a long video: every step, and every moment of every level, is spoken for exactly once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.decoding.stitch import Window, windows
from avloc.timegrid import pyramid_moments

lengths = st.integers(0, 3000)
sizes = st.integers(1, 16).map(lambda n: 32 * n)


@given(lengths, sizes)
def test_every_step_is_spoken_for_once_by_a_window_that_reads_it(length: int, size: int) -> None:
    said = np.zeros(length, int)
    for window in windows(length, size):
        assert window.size == size
        assert window.first <= window.speak_from and window.speak_to <= window.first + size
        said[window.speak_from : window.speak_to] += 1
    assert (said == 1).all()


@given(lengths, sizes)
def test_a_step_sees_a_quarter_window_to_either_side_unless_the_video_ends(length: int, size: int) -> None:
    for window in windows(length, size):
        before, behind = window.speak_from - window.first, window.first + size - window.speak_to
        assert before >= size // 4 or window.first == 0
        assert behind >= size // 4 or window.first + size >= length


@given(lengths, sizes)
def test_windows_go_forward_by_half_and_stop_at_the_end(length: int, size: int) -> None:
    found = list(windows(length, size))
    assert [w.first for w in found] == [i * size // 2 for i in range(len(found))]
    assert all(w.first + size < length for w in found[:-1])
    assert found[-1].first + size >= length


@pytest.mark.parametrize("length", [0, 1, 63, 64])
def test_a_short_video_is_one_window(length: int) -> None:
    assert list(windows(length, 64)) == [Window(0, 64, 0, max(length, 1))]


@pytest.mark.parametrize(("size", "levels"), [(256, 6), (128, 6), (64, 5), (32, 4)])
@given(length=st.integers(1, 1200))
def test_every_moment_of_every_level_is_spoken_for_once(size: int, levels: int, length: int) -> None:
    """From four strides of the coarsest level on, windows begin and change over at moments of every level."""
    moments = pyramid_moments(size, levels)
    said = [np.zeros(-(-length // 2**level), int) for level in range(levels)]
    for window in windows(length, size):
        step = moments.step.astype(int) + window.first
        speaks = (step >= window.speak_from) & (step < window.speak_to)
        for level in range(levels):
            assert (step[moments.level == level] % 2**level == 0).all()
            np.add.at(said[level], step[speaks & (moments.level == level)] // 2**level, 1)
    assert all((counts == 1).all() for counts in said)
