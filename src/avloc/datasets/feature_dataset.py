"""FeatureDataset: one split of a data set, its features read when they are asked for.

annotations + feature folder > FeatureDataset > LabelledVideo > Sample
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.annotations import Annotations
from avloc.datasets.batch import Sample
from avloc.datasets.labelled import LabelledVideo, to_sample
from avloc.events import Events
from avloc.features.choice import chosen, columns_of, width_of
from avloc.features.layout import Layout, read_layout
from avloc.features.resize import resized
from avloc.features.sequence import FeatureSequence

_ARRAYS = ("visual", "audio", "visual_scores", "audio_scores")


class FeatureDataset:
    """The videos of one split, in the order of the annotations.

    Nothing is read before it is asked for. With `cache` what was read stays in memory in 16-bit floats (a video of
    42 s with ONE-PEACE features takes 1 MB); threads may share one dataset, processes each fill a cache of their own.
    `scores` asks for the encoders' class scores beside the embeddings, which the layout `avloc` alone has. With
    `resize_steps` every video is stretched to so many steps, on a grid of its own, as features that were rescaled
    before they were imported are. `modalities` are names of `columns_of`.

    Raises:
        FormatError: no video is of the split.
        FeatureError: there is no such modality.
    """

    def __init__(
        self,
        annotations: Annotations,
        folder: str | Path,
        layout: Layout,
        split: str,
        *,
        scores: bool = False,
        cache: bool = False,
        resize_steps: int | None = None,
        modalities: Sequence[str] = (),
    ) -> None:
        self.folder = Path(folder)
        self.layout = layout
        self.split = split
        self.labels = annotations.labels
        self.scores = scores
        self.resize_steps = layout.rescaled_steps if resize_steps is None else resize_steps
        self.columns = columns_of(layout, modalities)
        self._truth = annotations.split(split)
        self.names = tuple(self._truth)
        self._cache: dict[int, FeatureSequence] | None = {} if cache else None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def widths(self) -> tuple[int, int]:
        """Widths of the visual and of the audio array that the network reads."""
        store = self.layout.store if self.scores else None
        more = (store.visual_classes, store.audio_classes) if store else (0, 0)
        wholes, read = (self.layout.visual_width, self.layout.audio_width), (self.columns.visual, self.columns.audio)
        visual, audio = (
            whole + scores if ranges is None else width_of(whole, ranges)
            for whole, scores, ranges in zip(wholes, more, read, strict=True)
        )
        return visual, audio

    @property
    def truth(self) -> dict[str, Events]:
        """True events by video, as the evaluation wants them."""
        return {video: entry.events for video, entry in self._truth.items()}

    @property
    def durations_s(self) -> dict[str, float]:
        """Annotated durations by video, infinite where not known."""
        return {video: entry.duration_s for video, entry in self._truth.items()}

    @property
    def lengths(self) -> NDArray[np.int_]:
        """Steps of each video (N,), by its annotated duration; 0 where that is not known."""
        if self.resize_steps is not None:
            return np.full(len(self), self.resize_steps, np.int_)
        durations_s = [entry.duration_s for entry in self._truth.values()]
        return np.array([self.layout.grid.length(d) if math.isfinite(d) else 0 for d in durations_s], np.int_)

    def load(self, i: int) -> LabelledVideo:
        """Features (32-bit floats) and truth of video `i`.

        Raises:
            FeatureError: a file is missing or odd, of a wrong width, or holds a value that is not finite.
        """
        name = self.names[i]
        return LabelledVideo(name, self._features(i), self._truth[name].events)

    def sample(self, i: int) -> Sample:
        """Video `i` as the network sees it, whole.

        Raises:
            FeatureError: as `load`, or a label is unknown.
        """
        return to_sample(self.load(i), self.labels, self.scores)

    def _features(self, i: int) -> FeatureSequence:
        if self._cache is not None and i in self._cache:
            return _converted(self._cache[i], np.float32)
        duration_s = self._truth[self.names[i]].duration_s
        known = duration_s if math.isfinite(duration_s) else None
        features = chosen(read_layout(self.folder, self.names[i], self.layout, known), self.columns)
        if self.resize_steps not in (None, self.layout.rescaled_steps):
            features = resized(features, self.resize_steps)
        if self._cache is not None:
            self._cache[i] = _converted(features, np.float16) if _fits_half(features) else features
            # As every later time: the first epoch, and the first after a pause, must see the same numbers.
            return _converted(self._cache[i], np.float32)
        return features


def _converted(features: FeatureSequence, dtype: type[np.floating]) -> FeatureSequence:
    arrays = {name: getattr(features, name).astype(dtype) for name in _ARRAYS}
    return replace(features, **arrays)


def _fits_half(features: FeatureSequence) -> bool:
    largest = float(np.finfo(np.float16).max)
    return all(float(np.abs(getattr(features, name)).max(initial=0.0)) <= largest for name in _ARRAYS)
