"""Lengths against durations: a wrong stride is refused, and the right one named."""

from __future__ import annotations

import math

import numpy as np
import pytest

from avloc.datasets.lengths import compare_lengths, expected_steps
from avloc.timegrid import TimeGrid

ONEPEACE, I3D = TimeGrid(0.25, 1.0), TimeGrid(0.32, 0.96)
DURATIONS_S = {f"v{i}": float(d) for i, d in enumerate(np.random.default_rng(0).uniform(10, 60, 50))}


def extracted(stride_s: float, window_s: float) -> dict[str, int]:
    return {video: int((d - window_s) / stride_s) + 1 for video, d in DURATIONS_S.items()}


def test_the_longest_videos_of_the_released_features() -> None:
    assert expected_steps(ONEPEACE, 60.0) == (237, 240) and expected_steps(I3D, 60.0) == (185, 188)
    assert expected_steps(ONEPEACE, 0.3) == (1, 2)


@pytest.mark.parametrize("more", [-4, 0, 4])
def test_what_fits_is_no_complaint(more: int) -> None:
    for grid in (ONEPEACE, I3D):
        steps = {video: n + more for video, n in extracted(grid.stride_s, grid.window_s).items()}
        got = compare_lengths(grid, steps, DURATIONS_S)
        assert got.complaint == "" and got.contradictory == {}
        assert got.stride_s == pytest.approx(grid.stride_s, rel=0.04)


@pytest.mark.parametrize(
    ("believed", "stride_s", "window_s", "named"),
    [
        (ONEPEACE, 0.32, 0.96, "a stride of 0.32 s (8 frames at 25 a second, I3D and VGGish as released) would fit"),
        (I3D, 0.25, 1.0, "a stride of 0.25 s (4 frames at 16 a second, ONE-PEACE as released) would fit"),
        (ONEPEACE, 1.0, 1.0, "a stride of 1 s would fit"),
        (ONEPEACE, 8 / 30, 16 / 30, "a stride of 0.2667 s (8 frames at 30 a second) would fit"),
        (I3D, 0.96, 0.96, "a stride of 0.96 s (one VGGish window) would fit"),
        (ONEPEACE, 0.4, 0.4, "a stride of about 0.4 s would fit"),
    ],
)
def test_a_wrong_stride_is_named(believed: TimeGrid, stride_s: float, window_s: float, named: str) -> None:
    got = compare_lengths(believed, extracted(stride_s, window_s), DURATIONS_S)
    assert got.complaint.endswith(named) and "\n" not in got.complaint
    assert got.stride_s is not None and got.stride_s == pytest.approx(stride_s, rel=0.03)


def test_features_rescaled_to_one_length() -> None:
    got = compare_lengths(ONEPEACE, dict.fromkeys(DURATIONS_S, 224), DURATIONS_S)
    assert got.complaint.startswith("every video has 224 steps")
    # Videos of one duration have one length: that is no rescaling.
    assert compare_lengths(ONEPEACE, dict.fromkeys("ab", 37), dict.fromkeys("ab", 10.0)).complaint == ""


def test_one_odd_video_among_many() -> None:
    steps = {**extracted(0.25, 1.0), "v7": 12}
    got = compare_lengths(ONEPEACE, steps, DURATIONS_S)
    assert got.complaint == "" and list(got.contradictory) == ["v7"]
    assert got.contradictory["v7"].startswith("12 steps of 0.25 s for a video of ")


def test_unknown_durations_and_nothing_at_all() -> None:
    got = compare_lengths(ONEPEACE, {"v": 500}, {"v": math.inf})
    assert (got.contradictory, got.stride_s, got.complaint) == ({}, None, "")
    assert compare_lengths(ONEPEACE, {}, {}).complaint == ""


@pytest.mark.parametrize("least_s", [3, 7, 20, 60])
def test_short_videos_on_a_centred_grid_are_as_expected(least_s: int) -> None:
    """Their first and last windows overhang the video, so that it has more steps than windows lie inside it."""
    grid = TimeGrid.centred(0.32, 0.96)
    durations = {str(i): least_s + 0.37 * i for i in range(12)}
    found = compare_lengths(grid, {video: grid.length(d) for video, d in durations.items()}, durations)
    assert found.complaint == "" and not found.contradictory
