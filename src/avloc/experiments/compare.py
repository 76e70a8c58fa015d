"""Whether the difference between two rows is real: paired bootstrap over videos, on all seeds that both rows have.

Each draw takes videos of the test split with replacement; both rows and all seeds are scored on the same draw, and
their mAP is averaged over seeds. The interval of the difference therefore tells how far it would move with other
videos. `seeded` draws seeds with replacement too, each row its own: how far it would move with other videos and
another training. With few seeds the latter is rough, and rather too narrow: three seeds show two thirds of the
variance between seeds on average.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.bootstrap import bootstrap, interval
from avloc.evaluation.comparison import paired
from avloc.evaluation.matching import THRESHOLDS, match
from avloc.events import Events
from avloc.experiments.runs import PREDICTIONS
from avloc.files import replace_file
from avloc.formats.activitynet import read_results

Float64 = NDArray[np.float64]

SHOWN = (0.5, 0.6, 0.7, 0.8, 0.9)
"""tIoU thresholds of the paper's columns; its average is over 0.1, 0.2, ... 0.9."""

COLUMNS = (*(f"{t:g}" for t in SHOWN), "Avg.")


DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """One row's mAP less another's, by column, as shares of one, with 95 % intervals.

    Attributes:
        seeds: How many seeds both have.
        measured: (6,)
        videos: Ends of the interval over draws of videos, (2, 6).
        seeded: Ends of the interval over draws of videos and seeds, (2, 6); those of `videos` with one seed.
        p: Two-sided p-values that belong to `seeded`, (6,), as in `evaluation.comparison`.
    """

    seeds: int
    measured: Float64
    videos: Float64
    seeded: Float64
    p: Float64


def columns(by_threshold: Float64) -> Float64:
    """mAP at the nine thresholds (..., 9) > the paper's columns (..., 6)."""
    at = [int(np.argmin(np.abs(np.array(THRESHOLDS) - t))) for t in SHOWN]
    return np.concatenate([by_threshold[..., at], by_threshold.mean(axis=-1, keepdims=True)], axis=-1)


def draws_of(folder: Path, truth: Mapping[str, Events], draws: int) -> Float64:
    """Columns of a run's detections on each draw of videos, (draws, 6); kept in the run's folder.

    The draws depend on the truth alone, and are the same for every run.

    Raises:
        FormatError: the detections cannot be read.
    """
    path = draws_path(folder, draws)
    stamp = folder / f"bootstrap-{draws}.sha256"
    if path.is_file() and not (folder / PREDICTIONS).is_file():  # of a record: its detections are not here
        return np.asarray(np.load(path, allow_pickle=False), np.float64)
    digest = hashlib.sha256((folder / PREDICTIONS).read_bytes()).hexdigest()
    if path.is_file() and stamp.is_file() and stamp.read_text() == digest:
        return np.asarray(np.load(path, allow_pickle=False), np.float64)
    found = read_results(folder / PREDICTIONS)
    values = columns(bootstrap(match(found, truth), draws).by_threshold)
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    replace_file(path, buffer.getvalue())
    replace_file(stamp, digest.encode())
    return values


def draws_path(folder: Path, draws: int) -> Path:
    """Where `draws_of` keeps them."""
    return folder / f"bootstrap-{draws}.npy"


def difference(
    measured: Sequence[Float64],
    drawn: Sequence[Float64],
    other_measured: Sequence[Float64],
    other_drawn: Sequence[Float64],
) -> Difference:
    """Of a row over another: of each seed its columns (6,) and their draws (R, 6), in the same order of seeds.

    Raises:
        ValueError: the two have not the same number of seeds, or none.
    """
    seeds = len(measured)
    if not seeds or {len(drawn), len(other_measured), len(other_drawn)} != {seeds}:
        raise ValueError("both rows need the same seeds, one at least")
    middle = np.mean(measured, axis=0) - np.mean(other_measured, axis=0)
    mine, other = np.stack(drawn), np.stack(other_drawn)  # (S, R, 6)
    change = mine.mean(axis=0) - other.mean(axis=0)
    videos = interval(change, middle)
    if seeds == 1:
        return Difference(seeds, middle, videos, videos, _p(change, middle))
    random = np.random.default_rng(seeds)
    chosen = random.integers(0, seeds, (2, seeds, mine.shape[1]))  # which seeds each draw takes
    every = np.arange(mine.shape[1])
    seeded = mine[chosen[0], every].mean(axis=0) - other[chosen[1], every].mean(axis=0)
    return Difference(seeds, middle, videos, interval(seeded, middle), _p(seeded, middle))


def _p(change: Float64, measured: Float64) -> Float64:
    """Of measured differences (6,), by their draws (R, 6)."""
    return paired(np.zeros_like(measured), measured, np.zeros_like(change), change).p


@dataclass(frozen=True, slots=True)
class PairedMean:
    """Means of a number that each video has in two rows, and the 95 % interval of their difference."""

    mine: float
    other: float
    low: float
    high: float


def paired_mean(
    mine: Sequence[Sequence[float]], other: Sequence[Sequence[float]], draws: int = 1000, seed: int = 0
) -> PairedMean:
    """By seed and video, (S, V) each, the videos the same: bootstrap over videos and, of more than one, seeds.

    Raises:
        ValueError: the two are not alike in shape, or empty.
    """
    a, b = np.asarray(mine, np.float64), np.asarray(other, np.float64)
    if a.shape != b.shape or a.ndim != 2 or not a.size:
        raise ValueError(f"values by seed and video are of shapes {a.shape} and {b.shape}; two alike are needed")
    random = np.random.default_rng(seed)
    seeds, videos = a.shape
    drawn = np.empty(draws)
    for i in range(draws):
        column = random.integers(0, videos, videos)
        of_a, of_b = random.integers(0, seeds, (2, seeds))
        drawn[i] = a[of_a][:, column].mean() - b[of_b][:, column].mean()
    low, high = interval(drawn, float(a.mean() - b.mean()))
    return PairedMean(float(a.mean()), float(b.mean()), float(low), float(high))
