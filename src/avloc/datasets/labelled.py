"""Videos at hand as features and truth > Samples on the grid, whole or randomly cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.batch import Sample
from avloc.errors import FeatureError
from avloc.events import Events
from avloc.features.inputs import network_inputs
from avloc.features.sequence import FeatureSequence


@dataclass(frozen=True, slots=True, eq=False)
class LabelledVideo:
    """Features and true events of one video."""

    name: str
    features: FeatureSequence
    truth: Events


def to_sample(video: LabelledVideo, labels: Sequence[str], scores: bool) -> Sample:
    """The video as the network sees it, its events in steps of the grid.

    Raises:
        FeatureError: an event's label is not among `labels`.
    """
    unknown = sorted(set(video.truth.labels) - set(labels))
    if unknown:
        raise FeatureError(f"{video.name}: label {unknown[0]!r} is not among the model's {len(labels)} labels")
    grid = video.features.grid
    segments = np.stack([grid.to_steps(video.truth.start_s), grid.to_steps(video.truth.end_s)], axis=1)
    index = np.array([labels.index(name) for name in video.truth.labels], np.int64)
    visual, audio = network_inputs(video.features, scores)
    return Sample(visual, audio, segments.astype(np.float32), index)


def crop(sample: Sample, first: int, length: int, keep_share: float) -> Sample:
    """Steps [first, first + length); events are cut, those left with less than `keep_share` are dropped.

    Where the crop begins or ends with the video, nothing is cut: an event may begin before the first moment.
    """
    place = np.array([first])
    low, high = _ends(sample, place, length)
    cut = sample.segments.clip(low, high)
    keep = _left(sample, place, length, keep_share)[0]
    return Sample(
        sample.visual[first : first + length],
        sample.audio[first : first + length],
        (cut[keep] - first).astype(np.float32),
        sample.labels[keep],
    )


def random_crop(
    sample: Sample, share: tuple[float, float], longest: int, keep_share: float, rng: np.random.Generator
) -> Sample:
    """A random stretch of the video: of a random share of it, or of `longest` steps where the video is longer.

    Every place that leaves an event is as likely as another, as in training of the field's detectors (Zhang, Wu and
    Li 2022), which draw again until one is left. Where no place will do (every event is longer than the crop by far)
    the crop stands on the middle of an event and whatever is left of events counts.
    """
    T = len(sample.visual)
    length = longest if longest < T else min(T, max(1, round(T * rng.uniform(*share))))
    places = np.arange(T - length + 1)
    if len(sample.labels):
        places = places[_left(sample, places, length, keep_share).any(axis=1)]
    if len(places):
        return crop(sample, int(rng.choice(places)), length, keep_share)
    middle = float(sample.segments[int(rng.integers(len(sample.labels)))].clip(-0.5, T - 0.5).mean())
    return crop(sample, int(np.clip(round(middle - length / 2), 0, T - length)), length, 0.0)


def _left(sample: Sample, places: NDArray[np.intp], length: int, keep_share: float) -> NDArray[np.bool_]:
    """Which events (N,) are left by crops of `length` at `places` (F,): (F, N)."""
    low, high = (side[:, None] for side in _ends(sample, places, length))  # (F, 1)
    start, end = sample.segments[:, 0], sample.segments[:, 1]
    inside = end.clip(low, high) - start.clip(low, high)  # (F, N)
    return np.asarray(inside >= np.maximum(keep_share * (end - start), 1e-6))


def _ends(sample: Sample, places: NDArray[np.intp], length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where crops of `length` at `places` (F,) cut events: half a step outside, nowhere at an end of the video."""
    half = np.float32(0.5)
    low = np.where(places == 0, -np.float32(np.inf), places.astype(np.float32) - half)
    high = np.where(
        places + length == len(sample.visual), np.float32(np.inf), places.astype(np.float32) + length - half
    )
    return low, high


def shuffled(
    lengths: NDArray[np.int_], batch: int, pool_batches: int, rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Indices of an epoch's batches, in random order.

    lengths: steps of each video. `pool_batches` batches are drawn together and shared out by length, so that little
    of a batch is padding; 1 leaves all to chance. One batch alone may be smaller than the others.
    """
    order = rng.permutation(len(lengths))
    pools = (order[i : i + batch * pool_batches] for i in range(0, len(order), batch * pool_batches))
    ordered = (pool[np.argsort(lengths[pool], kind="stable")] for pool in pools)
    batches = [pool[i : i + batch] for pool in ordered for i in range(0, len(pool), batch)]
    return [batches[i] for i in rng.permutation(len(batches))]
