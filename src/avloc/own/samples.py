"""Labelled videos whose features lie in files > samples to train on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.config import FeatureConfig, TrainConfig
from avloc.datasets.batch import Sample
from avloc.datasets.labelled import LabelledVideo, to_sample
from avloc.events import Events
from avloc.features.inputs import network_inputs
from avloc.features.sequence import FeatureSequence
from avloc.features.store import load_features
from avloc.own.stretches import Stretch, length_s
from avloc.streams import STREAMS


@dataclass(frozen=True, slots=True)
class StoredVideos:
    """Features by file, steps and true events of each video; a file is read when it is asked for.

    first: where a stretch of a video begins in its file; elsewhere it is the whole video.
    """

    paths: Mapping[str, Path]
    steps: Mapping[str, int]
    truth: Mapping[str, Events]
    labels: tuple[str, ...]
    wanted: FeatureConfig
    first: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls, parts: Mapping[str, Stretch], paths: Mapping[str, Path], labels: tuple[str, ...], wanted: FeatureConfig
    ) -> StoredVideos:
        """Stretches of videos, whose features lie at `paths`, as if each were a video."""
        return cls(
            {name: paths[part.video] for name, part in parts.items()},
            {name: part.count for name, part in parts.items()},
            {name: part.events for name, part in parts.items()},
            labels,
            wanted,
            {name: part.first for name, part in parts.items() if name != part.video},
        )

    def load(self, name: str) -> LabelledVideo:
        """Features and truth of a video.

        Raises:
            FeatureError: the file is gone or odd.
        """
        features = load_features(self.paths[name])
        if name in self.first:
            features = _stretch(features, self.first[name], self.steps[name])
        return LabelledVideo(name, features, self.truth[name])

    def sample(self, name: str) -> Sample:
        """A video as the network sees it.

        Raises:
            FeatureError: as `load`.
        """
        video = self.load(name)
        w = self.wanted
        visual, audio = network_inputs(video.features, w.scores, embeddings=w.embeddings, cues=w.cues)
        return replace(to_sample(video, self.labels, False), visual=visual, audio=audio)


def _stretch(features: FeatureSequence, first: int, count: int) -> FeatureSequence:
    """Steps [first, first + count) as a video of its own."""
    arrays = {name: getattr(features, name)[first : first + count] for name in STREAMS}
    return replace(features, duration_s=length_s(count, features.grid), **arrays)


@dataclass(frozen=True, slots=True)
class Repeated:
    """Some of the videos, each `times` over, so that an epoch of few videos is long enough to be one.

    The repetitions of a video differ by the random crop of training.
    """

    videos: StoredVideos
    names: Sequence[str]
    times: int

    def __len__(self) -> int:
        return len(self.names) * self.times

    @property
    def lengths(self) -> NDArray[np.int_]:
        """Steps of each (N,)."""
        return np.tile(np.array([self.videos.steps[name] for name in self.names], np.int_), self.times)

    def sample(self, index: int) -> Sample:
        """Number `index`, whole."""
        return self.videos.sample(self.names[index % len(self.names)])


def repetitions(videos: int, steps: int, train: TrainConfig) -> int:
    """How often each video stands in an epoch, so that all epochs have at least `steps` batches together."""
    return max(1, math.ceil(steps * train.batch / (train.epochs * videos)))
