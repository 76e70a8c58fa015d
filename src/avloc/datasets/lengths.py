"""Do the lengths of feature files agree with the durations of their videos? The field's commonest silent mistake.

Features of another stride than one believes train without a complaint: every event stands at a wrong place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from avloc.timegrid import TimeGrid

SLACK_S = 2.0
"""Extractors pad or drop at a video's ends, and durations are rounded: this much either way is no contradiction."""

_FEWEST_STEPS = 8  # shorter videos say little of the stride
_STRIDE_OFF = 0.04
_KNOWN_OFF = 0.015
_KNOWN_STRIDES = {
    4 / 30: "4 frames at 30 a second",
    0.16: "4 frames at 25 a second",
    0.25: "4 frames at 16 a second, ONE-PEACE as released",
    8 / 30: "8 frames at 30 a second",
    0.32: "8 frames at 25 a second, I3D and VGGish as released",
    0.48: "half a VGGish window",
    0.5: "",
    16 / 30: "16 frames at 30 a second",
    0.64: "16 frames at 25 a second",
    0.96: "one VGGish window",
    1.0: "",
    2.0: "",
}


@dataclass(frozen=True, slots=True)
class Lengths:
    """What lengths and durations say together.

    `contradictory` has a line for each video whose length does not fit; `stride_s` is the median estimate over the
    videos (None where there is none to estimate from); `complaint` speaks of all videos together, empty if they fit.
    """

    contradictory: Mapping[str, str]
    stride_s: float | None
    complaint: str


def compare_lengths(grid: TimeGrid, steps: Mapping[str, int], durations_s: Mapping[str, float]) -> Lengths:
    """Compare steps found with durations, by video; videos of unknown (infinite) duration are left out."""
    known = [video for video in steps if math.isfinite(durations_s[video])]
    contradictory = {}
    for video in known:
        low, high = expected_steps(grid, durations_s[video])
        if not low - SLACK_S / grid.stride_s <= steps[video] <= high + SLACK_S / grid.stride_s:
            contradictory[video] = (
                f"{steps[video]} steps of {grid.stride_s:g} s for a video of {durations_s[video]:g} s; "
                f"{low} to {high} are expected"
            )
    long = [video for video in known if steps[video] >= _FEWEST_STEPS]
    if not long:
        return Lengths(contradictory, None, "")
    n = np.array([steps[video] for video in long])
    duration_s = np.array([durations_s[video] for video in long])
    stride_s = float(np.median((duration_s - grid.window_s) / (n - 1)))
    return Lengths(contradictory, stride_s, _complaint(grid, stride_s, n, duration_s, len(contradictory)))


def expected_steps(grid: TimeGrid, duration_s: float) -> tuple[int, int]:
    """Fewest and most steps that a video has: windows inside it, and windows that begin inside it."""
    whole = math.floor((duration_s - grid.window_s) / grid.stride_s + 1e-6) + 1
    return max(1, whole), max(1, math.ceil(duration_s / grid.stride_s - 1e-6))


def _complaint(
    grid: TimeGrid, stride_s: float, n: np.ndarray[tuple[int], np.dtype[np.int_]],
    duration_s: np.ndarray[tuple[int], np.dtype[np.float64]], contradictory: int,
) -> str:  # fmt: skip
    if len(n) > 1 and (n == n[0]).all() and duration_s.max() > 1.2 * duration_s.min():
        return (
            f"every video has {n[0]} steps, of {duration_s.min():g} s and of {duration_s.max():g} s alike: these "
            "features are rescaled to one length; take features of one stride, or bring them in with "
            "`avloc import-features --rescaled`"
        )
    expected = np.array([expected_steps(grid, float(d)) for d in duration_s])
    # The estimate takes windows to lie inside the video; those of a centred grid overhang a short one.
    as_expected = np.mean((n >= expected[:, 0]) & (n <= expected[:, 1])) > 0.5
    if as_expected or abs(stride_s / grid.stride_s - 1) <= _STRIDE_OFF:
        return ""
    near = min(_KNOWN_STRIDES, key=lambda known: abs(stride_s / known - 1))
    if abs(stride_s / near - 1) <= _KNOWN_OFF:
        fit = f"{near:.4g} s" + (f" ({_KNOWN_STRIDES[near]})" if _KNOWN_STRIDES[near] else "")
    else:
        fit = f"about {stride_s:.2g} s"
    return (
        f"lengths contradict durations (in {contradictory} of {len(n)} videos beyond doubt): with a stride of "
        f"{grid.stride_s:g} s features would end elsewhere than their videos; a stride of {fit} would fit"
    )
