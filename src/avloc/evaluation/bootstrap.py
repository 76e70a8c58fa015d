"""How far mAP would move with other videos: bootstrap over the videos of a split.

Videos are drawn with replacement, as many as there are (Efron 1979), and mAP is taken of each draw. A detection finds
its truth within its own video, so what it found holds in every draw: a draw is a count of each video, and precision
is a ratio of sums of counts. Nothing is matched anew. Copies of a detection stand side by side in the ranking.

A right detection that is drawn twice raises its own precision twice, so mAP of draws lies above mAP of the data by
about as much as mAP of the data lies above that of endless data. Hence `interval` takes the spread of the draws about
their own mean, and puts it around the measured value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.matching import Matches

Float64 = NDArray[np.float64]

_BLOCK = 200  # draws side by side: a few MB for a class of thousands of detections


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """mAP of R draws of videos.

    Attributes:
        thresholds: T tIoU thresholds.
        labels: The K classes that have truth, sorted.
        by_threshold: mAP of each draw at each threshold, (R, T), over the classes that have truth in the draw.
        by_label: Average precision of each draw and class over the thresholds, (R, K); NaN in draws without truth.
    """

    thresholds: tuple[float, ...]
    labels: tuple[str, ...]
    by_threshold: Float64
    by_label: Float64

    @property
    def average(self) -> Float64:
        """mAP of each draw over all thresholds, (R,)."""
        return np.asarray(self.by_threshold.mean(axis=1), np.float64)


def bootstrap(matches: Matches, draws: int = 1000, seed: int = 0) -> Bootstrap:
    """mAP of `draws` draws of the videos that the truth knows.

    Detections of videos that the truth does not know are part of every draw, once. The same truth and seed give the
    same draws: the difference of two detectors' `average`, draw by draw, is that of a paired bootstrap.

    Raises:
        ValueError: `draws` is not positive.
    """
    videos = matches.truth_videos
    strangers = np.ones((len(matches.videos) - videos, 1), np.int32)
    by_threshold, by_label = [], []
    for times in drawn_videos(videos, draws, seed):
        once = np.broadcast_to(strangers, (len(strangers), times.shape[1]))
        ap = _average_precision(matches, np.vstack([times, once]))
        present = ~np.isnan(ap[0])
        total = np.where(present, ap, 0.0).sum(axis=1) / np.maximum(present.sum(axis=0), 1)
        by_threshold.append(total.T)
        by_label.append(ap.mean(axis=0).T)
    return Bootstrap(matches.thresholds, matches.labels, np.concatenate(by_threshold), np.concatenate(by_label))


def drawn_videos(videos: int, draws: int, seed: int) -> Iterator[NDArray[np.int32]]:
    """How often each draw takes each video, (videos, B), B draws at a time until there are `draws`.

    Raises:
        ValueError: `draws` is not positive.
    """
    if draws < 1:
        raise ValueError(f"draws is {draws}; a positive number is needed")
    random = np.random.default_rng(seed)
    for first in range(0, draws, _BLOCK):
        count = min(_BLOCK, draws - first)
        drawn = random.integers(0, max(videos, 1), (count, videos))
        cell = drawn + videos * np.arange(count)[:, None]
        yield np.bincount(cell.ravel(), minlength=count * videos).reshape(count, videos).T.astype(np.int32)


def interval(draws: Float64, measured: Float64 | float, level: float = 0.95) -> Float64:
    """Lower and upper end of the confidence interval around measured values: (R, ...) and (...) > (2, ...).

    The quantiles of the draws about their mean, put around the measured value. Draws that are NaN (a class without
    truth there) are left out; where all are, both ends are NaN.

    Raises:
        ValueError: `level` does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; a number between 0 and 1 is needed")
    empty = np.isnan(draws).all(axis=0)
    known = np.where(empty, 0.0, draws)
    ends = np.nanquantile(known - np.nanmean(known, axis=0), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray(np.where(empty, np.nan, ends + measured), np.float64)


def _average_precision(matches: Matches, times: NDArray[np.int32]) -> Float64:
    """Average precision by threshold, class and draw, (T, K, B); video v counts times[v, b]. NaN without truth."""
    in_video = np.zeros((len(matches.labels), len(times)))
    np.add.at(in_video, (matches.truth.label, matches.truth.video), 1)
    truths = in_video @ times  # whole numbers, exact
    hit = matches.hit
    ap = np.zeros((len(matches.thresholds), *truths.shape))
    for k, part in enumerate(matches.by_class()):
        once_or_more = np.flatnonzero(hit[:, part].any(axis=0))
        if not once_or_more.size:
            continue
        weight = times[matches.detections.video[part][: once_or_more[-1] + 1]]
        shown = weight.cumsum(axis=0, dtype=np.int32)[once_or_more].astype(np.float64)
        weight = weight[once_or_more]
        for t in range(len(ap)):
            right = hit[t, part][once_or_more]
            ap[t, k] = _area(weight[right], shown[right])
    return np.divide(ap, truths, out=np.full_like(ap, np.nan), where=truths > 0)


def _area(weight: NDArray[np.int32], shown: Float64) -> Float64:
    """Area below the envelope times the number of truths, (B,).

    weight (H, B) is how often each right detection counts, shown (H, B) the number of detections up to and with it.
    Of equal detections that are all right the last has the best precision, so it stands for all. A right detection
    that does not count repeats the precision before it, and changes no envelope.
    """
    precision = np.divide(weight.cumsum(axis=0), shown, out=np.zeros_like(shown), where=shown > 0)
    envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    return np.asarray((envelope * weight).sum(axis=0), np.float64)
