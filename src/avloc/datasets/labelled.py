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
    """Steps [first, first + length); events are cut, those left with less than `keep_share` are dropped."""
    low, high = first - 0.5, first + length - 0.5
    cut = sample.segments.clip(low, high)
    whole = sample.segments[:, 1] - sample.segments[:, 0]
    keep = (cut[:, 1] - cut[:, 0]) >= np.maximum(keep_share * whole, 1e-6)
    return Sample(
        sample.visual[first : first + length],
        sample.audio[first : first + length],
        (cut[keep] - first).astype(np.float32),
        sample.labels[keep],
    )


def random_crop(
    sample: Sample, share: tuple[float, float], longest: int, keep_share: float, rng: np.random.Generator
) -> Sample:
    """A random stretch of a random share of the video, of `longest` steps at most."""
    T = len(sample.visual)
    length = min(max(1, round(T * rng.uniform(*share))), longest)
    first = int(rng.integers(0, T - length + 1))
    return crop(sample, first, length, keep_share)


def shuffled(count: int, batch: int, rng: np.random.Generator) -> list[NDArray[np.intp]]:
    """Indices of an epoch's batches, in random order."""
    order = rng.permutation(count)
    return [order[i : i + batch] for i in range(0, count, batch)]
