"""Feature sequences of several videos > one padded Batch with mask.

Legend: B batch, T time, Dv and Da widths of the network's inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sample:
    """One video as the network sees it: inputs (T, Dv) and (T, Da), segments (N, 2) in steps, labels (N,)."""

    visual: Float32
    audio: Float32
    segments: Float32
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class SampleList:
    """Samples that lie in memory, to train on."""

    samples: Sequence[Sample]

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def lengths(self) -> NDArray[np.int_]:
        """Steps of each sample (N,)."""
        return np.array([len(sample.visual) for sample in self.samples], np.int_)

    def sample(self, index: int) -> Sample:
        """One of them."""
        return self.samples[index]


@dataclass(frozen=True, slots=True)
class Batch:
    """visual (B, T, Dv), audio (B, T, Da), mask (B, T), segments (B, N, 2), labels (B, N) padded with -1.

    `task` is the task that it is of, where several are learned in turn.
    """

    visual: Float32
    audio: Float32
    mask: NDArray[np.bool_]
    segments: Float32
    labels: NDArray[np.int64]
    task: str = ""


def collate(samples: Sequence[Sample], multiple: int, least: int = 0) -> Batch:
    """Pad to the longest sample rounded up to `multiple` steps, and to `least` steps."""
    B = len(samples)
    longest = max(len(s.visual) for s in samples)
    T = max(multiple, least, -(-longest // multiple) * multiple)
    N = max(len(s.labels) for s in samples)
    visual = np.zeros((B, T, samples[0].visual.shape[1]), np.float32)
    audio = np.zeros((B, T, samples[0].audio.shape[1]), np.float32)
    mask = np.zeros((B, T), bool)
    segments = np.zeros((B, N, 2), np.float32)
    labels = np.full((B, N), -1, np.int64)
    for i, s in enumerate(samples):
        visual[i, : len(s.visual)] = s.visual
        audio[i, : len(s.audio)] = s.audio
        mask[i, : len(s.visual)] = True
        segments[i, : len(s.labels)] = s.segments
        labels[i, : len(s.labels)] = s.labels
    return Batch(visual, audio, mask, segments, labels)
