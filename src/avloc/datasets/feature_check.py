"""Two folders of features held against each other, video by video and stream by stream.

    rows of both > cosine of rows at every shift > the shift that fits best, cosine there, videos that stand out

Legend: T and U rows of a video in the two folders, D width, K shifts.

Cosines are of whole rows. The shift is sought with each video's mean row taken off: features of one video are much
alike at any time, and what changes tells the time. Videos in which nothing changes have no say in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FeatureError
from avloc.features.layout import AVLOC, LAYOUTS, Layout, open_layout, read_layout, videos_in
from avloc.features.sequence import Array, FeatureSequence

FURTHEST_ROWS = 8
"""Shifts that are tried, either way."""
_FEWEST_ROWS = 4  # that must lie over one another
_APART = 6.0  # spreads of the cosine from which a video stands out
_LEAST_APART = 0.02
_LEAST_CENTRED = 0.5  # cosine of what changes, from which a shift is believed
_STRIDE_APART = 0.05  # of the ratio of rows
_SCALE_APART = 0.1  # of the ratio of sizes
_MOST_LISTED_ROWS = 1  # by so many rows lengths may differ: tools round differently at the end

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stream:
    """A part of the features that is compared by itself: columns of the visual or of the audio array."""

    name: str
    side: str
    columns: slice

    def of(self, features: FeatureSequence) -> Array:
        """Its rows."""
        rows: Array = (features.visual if self.side == "visual" else features.audio)[:, self.columns]
        return rows


@dataclass(frozen=True, slots=True)
class VideoCompared:
    """One stream of one video: rows in both folders, cosine of rows at the same place, ratio of their norms.

    by_shift (K,) are cosines with the means taken off, NaN where nothing changes or too few rows overlap.
    """

    rows: tuple[int, int]
    cosine: float
    scale: float
    by_shift: Float64


@dataclass(frozen=True, slots=True)
class StreamCompared:
    """One stream over all videos.

    cosine and low are median and fifth percentile at the same place. shift_rows fits best, shift_s between rows: by
    so much the first folder's are later, None where no video tells; centred is the cosine there of what changes.
    scale is the median ratio of norms. outliers are videos whose cosine lies far below the others'.
    """

    name: str
    videos: int
    cosine: float
    low: float
    shift_rows: int | None
    shift_s: float | None
    centred: float
    scale: float
    outliers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FoldersCompared:
    """What came of it; problems are lines on whatever is not the same beyond rounding."""

    layouts: tuple[str, str]
    stride_s: float
    videos: int
    only: tuple[int, int]
    rows_apart: Mapping[int, int]
    streams: tuple[StreamCompared, ...]
    problems: tuple[str, ...]


def find_layout(folder: Path, name: str | None = None) -> Layout:
    """The layout in which a folder's files lie, or that of this name.

    Raises:
        FeatureError: no file there is of a layout that avloc reads.
    """
    if name is not None:
        return open_layout(folder, name)
    if not folder.is_dir():
        raise FeatureError(f"{folder}: is not a folder; name the folder that holds the feature files")
    # The endings of some are endings of others: the one whose files are whole for most videos is meant.
    counts = {layout.name: _whole(folder, layout) for layout in LAYOUTS}
    best = max(counts, key=lambda layout: counts[layout])
    if not counts[best]:
        raise FeatureError(f"{folder}: holds no features in a layout of {', '.join(counts)}; is it another folder?")
    return open_layout(folder, best)


def _whole(folder: Path, layout: Layout) -> int:
    """Files of a layout that are there with all that belong to them, more than one a video counting more."""
    parts = layout.visual + layout.audio
    videos = videos_in(folder, layout)
    if layout.name == AVLOC.name or not parts:
        return len(videos)
    return sum(len(parts) * all(layout.path(folder, video, part).is_file() for part in parts) for video in videos)


def compare_folders(
    first: Path,
    second: Path,
    *,
    layouts: tuple[str | None, str | None] = (None, None),
    least_cosine: float = 0.95,
    on_progress: Callable[[int, int], None] | None = None,
) -> FoldersCompared:
    """Compare the videos that both folders hold.

    Raises:
        FeatureError: a folder holds no features, the two have no video in common, or other steps or widths.
    """
    one, other = find_layout(first, layouts[0]), find_layout(second, layouts[1])
    if one.grid.stride_s != other.grid.stride_s:
        raise FeatureError(
            f"{first} has steps of {one.grid.stride_s:g} s ({one.name}), {second} of {other.grid.stride_s:g} s "
            f"({other.name}); features of one stride can be compared"
        )
    videos, others = videos_in(first, one), videos_in(second, other)
    common = sorted(videos & others)
    if not common:
        raise FeatureError(f"{first} and {second} have no video in common ({len(videos)} and {len(others)} videos)")
    streams = _streams(one, other, (first, second))
    found: dict[str, dict[str, VideoCompared]] = {stream.name: {} for stream in streams}
    problems: list[str] = []
    for done, video in enumerate(common, 1):
        try:
            here, there = read_layout(first, video, one), read_layout(second, video, other)
        except FeatureError as error:
            problems.append(str(error))
            continue
        for stream in streams:
            found[stream.name][video] = compare_video(stream.of(here), stream.of(there))
        if on_progress is not None:
            on_progress(done, len(common))
    compared = tuple(_over_videos(name, by_video, one.grid.stride_s) for name, by_video in found.items() if by_video)
    rows = [result.rows for by_video in list(found.values())[:1] for result in by_video.values()]
    apart = Counter(here - there for here, there in rows)
    ratio = float(np.median([here / max(there, 1) for here, there in rows] or [1.0]))
    problems += _problems(compared, apart, ratio, least_cosine)
    return FoldersCompared(
        (one.name, other.name), one.grid.stride_s, len(common), (len(videos - others), len(others - videos)),
        dict(sorted(apart.items())), compared, tuple(problems),
    )  # fmt: skip


def compare_video(here: Array, there: Array) -> VideoCompared:
    """One stream of a video, (T, D) and (U, D)."""
    length = min(len(here), len(there))
    norms = [np.linalg.norm(rows[:length].astype(np.float64), axis=1) for rows in (here, there)]
    heard = (norms[0] > 0) & (norms[1] > 0)
    products = np.einsum("td,td->t", here[:length].astype(np.float64), there[:length].astype(np.float64))
    cosine = float((products[heard] / (norms[0] * norms[1])[heard]).mean()) if heard.any() else float("nan")
    scale = float(np.median(norms[0][heard] / norms[1][heard])) if heard.any() else float("nan")
    return VideoCompared((len(here), len(there)), cosine, scale, _by_shift(here, there))


def _by_shift(here: Array, there: Array) -> Float64:
    """Cosine of all that changes at each shift: row i + k of the first against row i of the second."""
    a, b = (rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64) for rows in (here, there))
    curve = np.full(2 * FURTHEST_ROWS + 1, np.nan)
    for place, k in enumerate(range(-FURTHEST_ROWS, FURTHEST_ROWS + 1)):
        x, y = a[max(k, 0) :], b[max(-k, 0) :]
        length = min(len(x), len(y))
        power = float(np.linalg.norm(x[:length]) * np.linalg.norm(y[:length]))
        still = 1e-6 * float(np.linalg.norm(here) * np.linalg.norm(there))
        if length >= _FEWEST_ROWS and power > still:
            curve[place] = float((x[:length] * y[:length]).sum()) / power
    return curve


def _streams(one: Layout, other: Layout, folders: tuple[Path, Path]) -> list[Stream]:
    """The parts of whichever layout has several, else what is seen and what is heard."""
    widths = [(layout.visual_width, layout.audio_width) for layout in (one, other)]
    if widths[0] != widths[1]:
        raise FeatureError(
            f"{folders[0]} has features {widths[0][0]} and {widths[0][1]} wide ({one.name}), {folders[1]} "
            f"{widths[1][0]} and {widths[1][1]} ({other.name}); features of the same encoders can be compared"
        )
    parted = one if one.visual else other
    found = []
    for side, parts, width in (("visual", parted.visual, widths[0][0]), ("audio", parted.audio, widths[0][1])):
        begin = 0
        for part in parts:
            name = part.ending.removesuffix(".npy").strip("_") or side
            found.append(Stream(name, side, slice(begin, begin + part.width)))
            begin += part.width
        if not parts and width:
            found.append(Stream(side, side, slice(None)))
    return found


def _over_videos(name: str, by_video: Mapping[str, VideoCompared], stride_s: float) -> StreamCompared:
    cosines = {video: result.cosine for video, result in by_video.items() if np.isfinite(result.cosine)}
    values = np.array(list(cosines.values()) or [np.nan])
    middle = float(np.median(values))
    spread = max(_LEAST_APART, _APART * float(np.median(np.abs(values - middle))))
    outliers = {video: cosine for video, cosine in cosines.items() if cosine < middle - spread}
    curve = _mean_curve([result.by_shift for result in by_video.values()])
    rows, exact = (None, None) if curve is None else _peak(curve)
    scales = [result.scale for result in by_video.values() if np.isfinite(result.scale)]
    return StreamCompared(
        name,
        len(by_video),
        middle,
        float(np.percentile(values, 5)),
        rows,
        None if exact is None else exact * stride_s,
        float("nan") if curve is None or rows is None else float(curve[rows + FURTHEST_ROWS]),
        float(np.median(scales)) if scales else float("nan"),
        dict(sorted(outliers.items(), key=lambda item: item[1])),
    )


def _mean_curve(curves: Sequence[Float64]) -> Float64 | None:
    """(K,), of videos that have a value at no shift at all; a shift that few videos reach counts as unlike."""
    telling = [curve for curve in curves if np.isfinite(curve[FURTHEST_ROWS])]
    return np.asarray(np.nan_to_num(np.stack(telling), nan=-1.0).mean(axis=0)) if telling else None


def _peak(curve: Float64) -> tuple[int, float]:
    """The best shift in rows, and between rows by the parabola through its neighbours."""
    best = int(curve.argmax())
    if not 0 < best < len(curve) - 1:
        return best - FURTHEST_ROWS, float(best - FURTHEST_ROWS)
    left, top, right = curve[best - 1 : best + 2]
    bend = left - 2 * top + right
    between = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return best - FURTHEST_ROWS, float(best - FURTHEST_ROWS + between)


def _problems(streams: Sequence[StreamCompared], apart: Mapping[int, int], ratio: float, least: float) -> list[str]:
    problems = []
    far = sum(count for rows, count in apart.items() if abs(rows) > _MOST_LISTED_ROWS)
    if far:
        most = max(apart, key=abs)
        times = f"; the first has {ratio:.2f} times as many: another stride"
        stride = times if abs(ratio - 1) > _STRIDE_APART else ""
        problems.append(f"{far} videos differ by more than {_MOST_LISTED_ROWS} row, at most by {abs(most)}{stride}")
    for stream in streams:
        if stream.centred < _LEAST_CENTRED and stream.cosine >= least:
            problems.append(
                f"{stream.name}: what changes within a video fits at no shift (cosine {stream.centred:.3f} at best): "
                "another stride, other inputs, other videos by these names, or rows in another order"
            )
        elif stream.shift_rows and stream.centred >= _LEAST_CENTRED:
            later = "later" if stream.shift_rows > 0 else "earlier"
            problems.append(
                f"{stream.name}: rows of the first folder fit those of the second {abs(stream.shift_rows)} "
                f"{'row' if abs(stream.shift_rows) == 1 else 'rows'} {later}: another offset or frame rate"
            )
        elif not stream.cosine >= least:
            problems.append(f"{stream.name}: cosine {stream.cosine:.3f} is below {least:g}: other weights or inputs")
        if abs(stream.scale - 1) > _SCALE_APART:
            problems.append(f"{stream.name}: the first is {stream.scale:.3g} times the size of the second")
    return problems
