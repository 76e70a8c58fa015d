"""A video cut into segments of one second, or of another length, as AVE, LLP and OV-AVEBench are labelled.

A class is on in a segment whose middle one of its events covers. For events that begin and end with segments, as
those data sets' own, that is the same as any other rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.overlaps import Spans

On = NDArray[np.bool_]
"""Whether something is on in each segment, (T,)."""

_SLACK = 1e-9  # of a segment: 10.0 s are ten seconds, whatever the last binary digit says


def segments_in(video: str, duration_s: float, segment_s: float) -> int:
    """How many segments a video has; a last one that is shorter counts.

    Raises:
        ValueError: the video's length is not known, or the segment's is not positive.
    """
    if not segment_s > 0:
        raise ValueError(f"segment_s is {segment_s}; a positive number of seconds is needed")
    if not math.isfinite(duration_s):
        raise ValueError(f"the length of video {video!r} is not known; give it in the truth (a column duration)")
    return max(1, math.ceil(duration_s / segment_s - _SLACK))


def middles(count: int, segment_s: float) -> NDArray[np.float64]:
    """Middle of each segment in seconds, (T,)."""
    return np.asarray((np.arange(count) + 0.5) * segment_s, np.float64)


def on_in(spans: Spans, count: int, segment_s: float) -> On:
    """In which of `count` segments one of the spans (N, 2) covers the middle, (T,)."""
    middle = middles(count, segment_s)[:, None]
    return np.asarray(((spans[:, 0] <= middle) & (middle < spans[:, 1])).any(axis=1))


def on_by_label(spans: Mapping[str, Spans], count: int, segment_s: float) -> dict[str, On]:
    """As `on_in`, by class; classes that are nowhere on are left out."""
    found = {label: on_in(own, count, segment_s) for label, own in spans.items()}
    return {label: on for label, on in found.items() if on.any()}


def runs(on: On) -> NDArray[np.intp]:
    """First segment, and the one after the last, of each unbroken run of segments that are on, (N, 2)."""
    edges = np.diff(np.concatenate([[False], on, [False]]).astype(np.int8))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)
