"""What a grounded network is trained on: sequences of evidence, one class of one video each.

Composed videos give them with their confusions. Three things keep them honest: a class with an event that the
encoders do not see or do not hear is left out, evidence is made fainter at random, and some events are taken apart.

Legend: K classes, C channels of avloc.models.grounded, T steps, N events.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.batch import Batch, Sample, collate
from avloc.datasets.labelled import LabelledVideo
from avloc.errors import ConfigError, TrainingError

Float32 = NDArray[np.float32]
HEARD, SEEN = 0, 1  # channels of a class's own evidence
OF_SOUND = np.array([0, 2, 5, 8, 9, 10, 11])  # channels that come with what is heard
OF_SIGHT = np.array([1, 3, 6])  # with what is seen
LESSER = ((4, 2, 3), (7, 5, 6))  # channels that are the lesser of two others
_OWN, _OF_RIVALS = slice(0, 2), slice(2, 8)

NOISE_EVERY = 4  # steps that are looked at for noise
NOISE_TIMES = 2.0  # its usual size is not yet evidence
NOISE = ((0.9, 1e-3), (0.5, 5e-4))  # by ear and by eye: which quantile is usual, and the least noise there is
MOST_NOISE = 0.2
LEAST_HEARD, LEAST_SEEN = 0.15, 0.25  # mean brightness within an event below which the encoders do not know it
OFF_SCREEN = 0.6  # of the events taken apart; the others are silent
ABSENT = 0.3  # own evidence is mostly below this where a thing is not there


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Evidence in one video, 0 to 1: by ear (T, K), by eye (T, K), and of the surroundings (T, 4)."""

    heard: Float32
    seen: Float32
    around: Float32


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceSequence:
    """Channels (C, T) of one class, its events in steps (N, 2), and its noise by ear and by eye (2,)."""

    channels: Float32
    segments: Float32
    noise: Float32


@dataclass(frozen=True)
class Mixture:
    """What a batch of sequences is drawn from.

    Raises:
        ConfigError: a share or a length is outside its bounds.
    """

    crop_steps: tuple[int, int] = (24, 200)
    """Steps of a crop, drawn log-uniformly."""
    batch_steps: int = 64 * 96
    """Steps of a batch, about."""
    least_sequences: int = 16
    full: float = 0.35
    """Share of sequences with events."""
    parted: float = 0.3
    """Share of sequences whose events are taken apart: what is heard there is off screen, or what is seen silent."""
    steps: int = 100
    """Batches of an epoch."""

    def __post_init__(self) -> None:
        low, high = self.crop_steps
        if not 1 <= low <= high:
            raise ConfigError(f"mixture.crop_steps is {low} to {high}; a range from 1 on is needed")
        for name in ("batch_steps", "least_sequences", "steps"):
            if getattr(self, name) < 1:
                raise ConfigError(f"mixture.{name} is {getattr(self, name)}; 1 or more is needed")
        if not (self.full >= 0 and self.parted >= 0 and self.full + self.parted <= 1):
            raise ConfigError(
                f"mixture.full and mixture.parted are {self.full}, {self.parted}; two shares are needed"
            )


def measured_noise(evidence: Sequence[Evidence], present: Sequence[NDArray[np.bool_]]) -> Float32:
    """The noise (2, K) of each class: evidence that videos without it have, by ear a high one, by eye a usual one.

    `present` (K,) says for each video which classes it has. Sounds are rare and pictures always there, so the median
    of the one would be nothing.
    """
    steps = [len(e.heard[::NOISE_EVERY]) for e in evidence]
    absent = ~np.repeat(np.stack(present), steps, axis=0)  # (steps, K)
    noise = np.zeros((2, absent.shape[1]), np.float32)
    sides = ([e.heard[::NOISE_EVERY] for e in evidence], [e.seen[::NOISE_EVERY] for e in evidence])
    for row, side, (share, least) in zip(noise, sides, NOISE, strict=True):
        values = np.concatenate(side)
        for k, away in enumerate(absent.T):
            usual = float(np.quantile(values[away, k], share)) if away.any() else 0.0
            row[k] = min(MOST_NOISE, max(least, NOISE_TIMES * usual))
    return noise


def sequences_of(
    video: LabelledVideo, channels: Float32, labels: Sequence[str], noise: Float32, rng: np.random.Generator
) -> list[EvidenceSequence]:
    """The classes of a video's events, and of the others those that are most easily taken for one, and two by lot.

    channels: (K, C, T) of the whole video; noise: (2, K). A class with an event that the encoders do not see or do
    not hear is left out: it would teach that one of the two is enough.
    """
    grid = video.features.grid
    chosen = sorted({labels.index(name) for name in video.truth.labels})
    both = np.minimum(channels[:, HEARD], channels[:, SEEN])
    for strength, count in ((both, 8), (channels[:, HEARD], 4), (channels[:, SEEN], 2)):
        order = [int(k) for k in np.argsort(-strength.max(axis=1)) if int(k) not in chosen]
        chosen += order[:count]
    rest = [k for k in range(len(labels)) if k not in chosen]
    chosen += [int(k) for k in rng.choice(rest, min(2, len(rest)), replace=False)] if rest else []
    start, end = grid.to_steps(video.truth.start_s), grid.to_steps(video.truth.end_s)
    found = []
    for k in chosen:
        own = [i for i, name in enumerate(video.truth.labels) if name == labels[k]]
        inside = [within(channels[k], float(start[i]), float(end[i])).mean(axis=1) for i in own]
        if any(mean[HEARD] < LEAST_HEARD or mean[SEEN] < LEAST_SEEN for mean in inside):
            continue
        segments = np.stack([start[own], end[own]], axis=1).astype(np.float32)
        found.append(EvidenceSequence(channels[k].copy(), segments, noise[:, k]))
    return found


def within(channels: Float32, start: float, end: float) -> Float32:
    """The steps (C, n) of an event, at least one."""
    first = min(max(0, math.ceil(start)), channels.shape[1] - 1)
    return channels[:, first : max(first + 1, math.floor(end) + 1)]


def fainter(channel: Float32, by: float, noise: float) -> Float32:
    """A channel of own evidence as if the evidence were exp(-by) of what it is."""
    scale = math.log1p(1 / noise)
    evidence = np.expm1(channel * scale) * noise * math.exp(-by)
    return np.asarray(np.log1p(np.minimum(evidence, 1) / noise) / scale, np.float32)


def crop_evidence(sequence: EvidenceSequence, length: int, rng: np.random.Generator) -> EvidenceSequence:
    """`length` steps from a random place, events cut; stubs are dropped, and evidence is made fainter and noisy."""
    T = sequence.channels.shape[1]
    n = min(length, T)
    first = int(rng.integers(0, T - n + 1))
    x = sequence.channels[:, first : first + n].copy()
    if rng.random() < 0.5:
        x[HEARD] = fainter(x[HEARD], rng.exponential(0.7), float(sequence.noise[HEARD]))
    if rng.random() < 0.6:
        x[SEEN] = fainter(x[SEEN], rng.exponential(1.0), float(sequence.noise[SEEN]))
    if rng.random() < 0.3:
        x[_OF_RIVALS] *= rng.uniform(0.6, 1.1)
    x[_OWN] += rng.normal(0, 0.02, (2, n))
    cut = sequence.segments.clip(first - 0.5, first + n - 0.5) - first
    left, whole = cut[:, 1] - cut[:, 0], sequence.segments[:, 1] - sequence.segments[:, 0]
    keep = (left > np.maximum(0.35 * whole, 1)) | (left >= 4)
    return EvidenceSequence(x, cut[keep].astype(np.float32), sequence.noise)


class EvidenceBatches:
    """Batches of sequences with events, with events taken apart, and without; functions of (seed, epoch, step).

    Raises:
        TrainingError: one of the kinds is not there.
    """

    def __init__(self, sequences: Sequence[EvidenceSequence], mixture: Mixture, seed: int, multiple: int) -> None:
        self.mixture, self.seed, self.multiple = mixture, seed, multiple
        self.full = [s for s in sequences if len(s.segments)]
        self.empty = [s for s in sequences if not len(s.segments)]
        self.unseen = [s for s in self.empty if np.quantile(s.channels[SEEN], 0.9) < ABSENT]
        self.unheard = [s for s in self.empty if np.quantile(s.channels[HEARD], 0.9) < ABSENT]
        kinds = {"with events": self.full, "without seeing": self.unseen, "without hearing": self.unheard}
        for kind, found in kinds.items():
            if not found:
                raise TrainingError(
                    f"of {len(sequences)} sequences of evidence none is {kind}; compose more videos, or look whether "
                    "the encoders know the vocabulary's classes"
                )

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return self.mixture.steps

    def epoch(self, number: int, first_step: int, rank: int, world: int) -> Iterator[Batch]:
        """Batches of epoch `number` (from 1) from `first_step` on, as process `rank` of `world` gets them."""
        for step in range(first_step, self.steps):
            yield self._batch(np.random.default_rng([self.seed, number, step]), rank, world)

    def _batch(self, rng: np.random.Generator, rank: int, world: int) -> Batch:
        m, multiple = self.mixture, self.multiple
        length = -(-int(np.exp(rng.uniform(*np.log(m.crop_steps)))) // multiple) * multiple
        size = max(m.least_sequences, m.batch_steps // length)
        drawn = [self._parted(length, rng) for _ in range(round(size * m.parted))]
        with_events = round(size * m.full)
        chosen = [self.full[int(i)] for i in rng.integers(len(self.full), size=with_events)]
        chosen += [self.empty[int(i)] for i in rng.integers(len(self.empty), size=size - with_events - len(drawn))]
        drawn += [crop_evidence(s, length, rng) for s in chosen]
        drawn += drawn[: -len(drawn) % world]  # what is gathered must have one shape
        return collate([_sample(s) for s in drawn[rank::world]], multiple, length)

    def _parted(self, length: int, rng: np.random.Generator) -> EvidenceSequence:
        """At most `length` steps in which what is heard of an event is off screen now, or what is seen is silent."""
        x = crop_evidence(self.full[int(rng.integers(len(self.full)))], length, rng).channels
        donors, part = (self.unseen, OF_SIGHT) if rng.random() < OFF_SCREEN else (self.unheard, OF_SOUND)
        donor = crop_evidence(donors[int(rng.integers(len(donors)))], length, rng)
        n = min(x.shape[1], donor.channels.shape[1])
        x = x[:, :n]
        x[part] = donor.channels[part, :n]
        for both, heard, seen in LESSER:
            x[both] = np.minimum(x[heard], x[seen])
        return EvidenceSequence(x, donor.segments[:0], donor.noise)


def _sample(sequence: EvidenceSequence) -> Sample:
    channels = np.ascontiguousarray(sequence.channels.T)
    nothing = np.zeros((len(channels), 0), np.float32)
    return Sample(channels, nothing, sequence.segments, np.zeros(len(sequence.segments), np.int64))
