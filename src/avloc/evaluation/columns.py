"""Events of many videos in columns: what matching and diagnosis look at. N events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.events import Events

Float64 = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Columns:
    """Events of many videos in one row each: columns of shape (N,).

    `video` indexes the names of videos, `label` those of classes, `row` the events of the video.
    """

    video: Index
    label: Index
    row: Index
    start_s: Float64
    end_s: Float64
    score: Float64

    def __len__(self) -> int:
        return len(self.video)

    @property
    def length_s(self) -> Float64:
        return self.end_s - self.start_s

    def take(self, index: Index) -> Columns:
        """The events at `index`, in that order."""
        return Columns(
            self.video[index],
            self.label[index],
            self.row[index],
            self.start_s[index],
            self.end_s[index],
            self.score[index],
        )


def columns(events: Mapping[str, Events], videos: Mapping[str, int], labels: Sequence[str]) -> Columns:
    """The events of all videos in columns, in the order of input; a label that is not in `labels` becomes -1."""
    number = {label: k for k, label in enumerate(labels)}
    parts = list(events.values())
    counts = np.fromiter((len(part) for part in parts), np.intp, len(parts))
    total = int(counts.sum())
    first = np.repeat(counts.cumsum() - counts, counts)
    names = np.fromiter((number.get(name, -1) for part in parts for name in part.labels), np.intp, total)

    def joined(arrays: list[Float64]) -> Float64:
        return np.concatenate([np.zeros(0), *arrays])

    return Columns(
        np.repeat(np.fromiter((videos[name] for name in events), np.intp, len(parts)), counts),
        names,
        np.arange(total) - first,
        joined([part.start_s for part in parts]),
        joined([part.end_s for part in parts]),
        joined([part.score for part in parts]),
    )


def columns_by_video(events: Mapping[str, Events], videos: Sequence[str], labels: Sequence[str]) -> Columns:
    """As `columns`, of `videos` alone and in their order, whatever the order of input."""
    return columns({v: events[v] for v in videos if v in events}, {v: i for i, v in enumerate(videos)}, labels)
