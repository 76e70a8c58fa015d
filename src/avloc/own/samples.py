"""Labelled videos whose features lie in files > samples to train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.config import FeatureConfig
from avloc.datasets.batch import Sample
from avloc.datasets.labelled import LabelledVideo, to_sample
from avloc.events import Events
from avloc.features.choice import Columns, chosen
from avloc.features.inputs import network_inputs
from avloc.features.store import load_features


@dataclass(frozen=True, slots=True)
class StoredVideos:
    """Features by file, steps and true events of each video; a file is read when it is asked for."""

    paths: Mapping[str, Path]
    steps: Mapping[str, int]
    truth: Mapping[str, Events]
    labels: tuple[str, ...]
    wanted: FeatureConfig

    def load(self, name: str) -> LabelledVideo:
        """Features and truth of a video.

        Raises:
            FeatureError: the file is gone or odd.
        """
        return LabelledVideo(name, load_features(self.paths[name]), self.truth[name])

    def sample(self, name: str) -> Sample:
        """A video as the network sees it.

        Raises:
            FeatureError: as `load`.
        """
        video = self.load(name)
        w = self.wanted
        read = chosen(video.features, Columns(w.visual_columns, w.audio_columns))
        visual, audio = network_inputs(read, w.scores, embeddings=w.embeddings, cues=w.cues)
        return replace(to_sample(video, self.labels, False), visual=visual, audio=audio)


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
