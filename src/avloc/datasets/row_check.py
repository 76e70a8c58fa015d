"""Rows of a folder of features held against the durations of its videos."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.lengths import compare_lengths, expected_steps
from avloc.errors import FeatureError
from avloc.features.layout import Layout, read_extent, videos_in

_BY_SIDE_ROWS = 1  # that one modality may have more than the other


@dataclass(frozen=True, slots=True)
class RowsChecked:
    """What rows and durations say together; three numbers are least, median and most.

    beyond is how many rows a video has more than windows that lie inside it, fitted_stride_s the slope of durations
    over rows, None where videos are too few or of one length. without counts annotated videos without features.
    """

    layout: str
    stride_s: float
    window_s: float
    videos: int
    without: int
    rows: tuple[int, float, int]
    beyond: tuple[float, float, float]
    fitted_stride_s: float | None
    problems: tuple[str, ...]


def check_rows(
    folder: Path,
    layout: Layout,
    durations_s: Mapping[str, float],
    on_progress: Callable[[int, int], None] | None = None,
) -> RowsChecked:
    """Rows of the videos whose duration is known, from the heads of their files alone.

    Raises:
        FeatureError: the folder holds none of the videos.
    """
    there = sorted(videos_in(folder, layout) & {v for v, s in durations_s.items() if math.isfinite(s) and s > 0})
    if not there:
        raise FeatureError(f"{folder}: holds none of the {len(durations_s)} annotated videos; is it another folder?")
    rows, problems = {}, []
    for done, video in enumerate(there, 1):
        try:
            extent = read_extent(folder, video, layout)
        except FeatureError as error:
            problems.append(str(error))
            continue
        rows[video] = extent.steps
        if abs(extent.visual_steps - extent.audio_steps) > _BY_SIDE_ROWS:
            problems.append(f"{video}: {extent.visual_steps} rows seen and {extent.audio_steps} heard")
        if on_progress is not None:
            on_progress(done, len(there))
    lengths = compare_lengths(layout.grid, rows, durations_s)
    problems += [lengths.complaint] if lengths.complaint else [f"{v}: {m}" for v, m in lengths.contradictory.items()]
    counts = np.array(list(rows.values()) or [0])
    inside = np.array([expected_steps(layout.grid, durations_s[video])[0] for video in rows] or [0])
    beyond = counts - inside
    return RowsChecked(
        layout.name,
        layout.grid.stride_s,
        layout.grid.window_s,
        len(rows),
        len(durations_s) - len(there),
        (int(counts.min()), float(np.median(counts)), int(counts.max())),
        (float(beyond.min()), float(np.median(beyond)), float(beyond.max())),
        _fitted(counts, np.array([durations_s[video] for video in rows] or [0.0])),
        tuple(problems),
    )


def _fitted(rows: NDArray[np.int_], durations_s: NDArray[np.float64]) -> float | None:
    """Seconds of duration a row, by least squares."""
    if len(rows) < 2 or rows.min() == rows.max():
        return None
    return float(np.polyfit(rows, durations_s, 1)[0])
