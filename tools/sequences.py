"""What the default model is trained on: sequences of evidence, one class of one video each.

Composed videos give them with their confusions; the annotations of UnAV-100 (training part) say how real events
start, end, last and follow one another, and `Placed` puts evidence measured in composed videos there.

Legend: K classes, C channels of avloc.models.grounded, T steps, N events.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.datasets.labelled import LabelledVideo
from avloc.features.extractors.embedded import CUES
from avloc.features.inputs import network_inputs
from avloc.models.grounded import CHANNELS, Grounded
from avloc.timegrid import TimeGrid

Float32 = NDArray[np.float32]
HEARD, SEEN = 0, 1  # channels of a class's own evidence
NOISE_EVERY = 4  # steps that are looked at for noise
NOISE_TIMES = 2.0  # its usual size is not yet evidence
MOST_NOISE = 0.2
OF_SOUND = np.array([0, 2, 5, 8, 9, 10, 11])  # channels that come with what is heard
OF_SIGHT = np.array([1, 3, 6])  # with what is seen; 4 and 7 are the lesser of 2 and 3, and of 5 and 6
LEAST_HEARD, LEAST_SEEN = 0.15, 0.25  # mean brightness within an event below which the encoders do not know it
OFF_SCREEN = 0.6  # of the events taken apart; the others are silent
ABSENT = 0.3  # own evidence is mostly below this where a thing is not there


@dataclass(frozen=True)
class Sequence:
    """Channels (C, T) of one class, its events in steps (N, 2), and its noise by ear and by eye (2,)."""

    channels: Float32
    segments: Float32
    noise: Float32


@torch.no_grad()
def evidence_of(network: Grounded, video: LabelledVideo) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """By ear (1, T, K), by eye (1, T, K), and of the surroundings."""
    seen, heard = network_inputs(video.features, True, embeddings=False, cues=len(CUES))
    mask = torch.ones(1, len(seen), dtype=torch.bool)
    found: tuple[torch.Tensor, ...] = network.grounding(
        torch.from_numpy(seen)[None], torch.from_numpy(heard)[None], mask
    )
    return found[0], found[1], found[2]


@torch.no_grad()
def channels_of(network: Grounded, video: LabelledVideo) -> Float32:
    """(K, C, T) of a whole video."""
    return np.asarray(network.channels(*evidence_of(network, video))[0].numpy(), np.float32)


def measure_noise(network: Grounded, videos: list[LabelledVideo], labels: tuple[str, ...]) -> None:
    """Set the noise of each class to the evidence that videos without it have: by ear a high one, by eye a usual one.

    Sounds are rare and pictures always there, so the median of the one would be nothing.
    """
    heard, seen, here = [], [], []
    for video in videos:
        by_ear, by_eye, _ = evidence_of(network, video)
        heard.append(by_ear[0, ::NOISE_EVERY].numpy())
        seen.append(by_eye[0, ::NOISE_EVERY].numpy())
        here.append(np.tile([name in video.truth.labels for name in labels], (len(heard[-1]), 1)))
    absent = ~np.concatenate(here)
    for row, values, share, least in zip(
        network.grounding.noise, map(np.concatenate, (heard, seen)), (0.9, 0.5), (1e-3, 5e-4), strict=True
    ):
        for k in range(len(labels)):
            row[k] = min(MOST_NOISE, max(least, NOISE_TIMES * float(np.quantile(values[absent[:, k], k], share))))


def sequences_of(
    network: Grounded, video: LabelledVideo, labels: tuple[str, ...], rng: np.random.Generator
) -> list[Sequence]:
    """The classes of a video's events, and of the others those that are most easily taken for one, and two by lot.

    A class with an event that the encoders do not see or do not hear is left out: it would teach that one of the two
    is enough.
    """
    channels = channels_of(network, video)
    grid, noise = video.features.grid, network.grounding.noise.numpy()
    here = sorted({labels.index(name) for name in video.truth.labels})
    chosen = list(here)
    both = np.minimum(channels[:, HEARD], channels[:, SEEN])
    for strength, count in ((both, 8), (channels[:, HEARD], 4), (channels[:, SEEN], 2)):
        order = [int(k) for k in np.argsort(-strength.max(axis=1)) if int(k) not in chosen]
        chosen += order[:count]
    rest = [k for k in range(len(labels)) if k not in chosen]
    chosen += [int(k) for k in rng.choice(rest, min(2, len(rest)), replace=False)]
    start, end = grid.to_steps(video.truth.start_s), grid.to_steps(video.truth.end_s)
    found = []
    for k in chosen:
        own = [i for i, name in enumerate(video.truth.labels) if name == labels[k]]
        inside = [own_channels(channels[k], float(start[i]), float(end[i])).mean(axis=1) for i in own]
        if any(mean[HEARD] < LEAST_HEARD or mean[SEEN] < LEAST_SEEN for mean in inside):
            continue
        found.append(Sequence(channels[k], np.stack([start[own], end[own]], axis=1).astype(np.float32), noise[:, k]))
    return found


def own_channels(channels: Float32, start: float, end: float) -> Float32:
    """The steps (C, n) of an event, at least one."""
    first = min(max(0, math.ceil(start)), channels.shape[1] - 1)
    return channels[:, first : max(first + 1, math.floor(end) + 1)]


def fainter(channel: Float32, by: float, noise: float) -> Float32:
    """A channel of own evidence as if the evidence were exp(-by) of what it is."""
    scale = math.log1p(1 / noise)
    evidence = np.expm1(channel * scale) * noise * math.exp(-by)
    return np.asarray(np.log1p(np.minimum(evidence, 1) / noise) / scale, np.float32)


def crop(sequence: Sequence, length: int, rng: np.random.Generator) -> Sequence:
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
        x[2:8] *= rng.uniform(0.6, 1.1)
    x[:2] += rng.normal(0, 0.02, (2, n))
    cut = sequence.segments.clip(first - 0.5, first + n - 0.5) - first
    left, whole = cut[:, 1] - cut[:, 0], sequence.segments[:, 1] - sequence.segments[:, 0]
    keep = (left > np.maximum(0.35 * whole, 1)) | (left >= 4)
    return Sequence(x, cut[keep].astype(np.float32), sequence.noise)


class Parted:
    """Sequences with events taken apart: what is heard there is off screen now, or what is seen there is silent."""

    def __init__(self, sequences: list[Sequence]) -> None:
        self.full = [s for s in sequences if len(s.segments)]
        empty = [s for s in sequences if not len(s.segments)]
        self.unseen = [s for s in empty if np.quantile(s.channels[SEEN], 0.9) < ABSENT]
        self.unheard = [s for s in empty if np.quantile(s.channels[HEARD], 0.9) < ABSENT]

    def draw(self, length: int, rng: np.random.Generator) -> Sequence:
        """At most `length` steps, without any event."""
        x = crop(self.full[int(rng.integers(len(self.full)))], length, rng).channels
        donors, part = (self.unseen, OF_SIGHT) if rng.random() < OFF_SCREEN else (self.unheard, OF_SOUND)
        donor = crop(donors[int(rng.integers(len(donors)))], length, rng)
        n = min(x.shape[1], donor.channels.shape[1])
        x = x[:, :n]
        x[part] = donor.channels[part, :n]
        for both, heard, seen in ((4, 2, 3), (7, 5, 6)):
            x[both] = np.minimum(x[heard], x[seen])
        return Sequence(x, donor.segments[:0], donor.noise)


class Placed:
    """Sequences in which evidence of composed events stands where UnAV-100's training part has events."""

    def __init__(self, annotations: Path, sequences: list[Sequence], grid: TimeGrid) -> None:
        self.sequences = sequences
        self.layouts: list[tuple[int, Float32]] = []
        for video in json.loads(annotations.read_text(encoding="utf-8"))["database"].values():
            if video["subset"] != "train":
                continue
            by_label: dict[str, list[list[float]]] = {}
            for row in video["annotations"]:
                by_label.setdefault(row["label"], []).append(row["segment"])
            for segments_s in by_label.values():
                steps = grid.to_steps(np.array(sorted(segments_s))).astype(np.float32)
                self.layouts.append((min(640, max(8, grid.length(video["duration"]))), steps))
        self.events = [(s, e) for s in sequences for e in s.segments if e[1] - e[0] >= 6]
        self.empty = [s for s in sequences if not len(s.segments)]

    def draw(self, length: int, rng: np.random.Generator) -> Sequence:
        """At most `length` steps; three in four with events, the others only heard or only seen there."""
        n, segments = self._layout(length, rng)
        source, event = self.events[int(rng.integers(len(self.events)))]
        low, high = int(np.ceil(event[0] + 1)), int(np.floor(event[1] - 1)) + 1
        donor = source.channels[:, max(low, 0) : max(high, low + 2)]
        y = self._surroundings(n, rng)
        inside = np.zeros(n, bool)
        for a, b in segments:
            inside[max(0, round(float(a))) : round(float(b)) + 1] = True
        donated = donor[:, walk(donor.shape[1], n, rng)]
        lot = rng.random()
        if lot < 0.75:
            y[:, inside] = donated[:, inside]
            if rng.random() < 0.75:  # the thing stays in view
                y[SEEN, ~inside] = np.maximum(y[SEEN, ~inside], donated[SEEN, ~inside])
            if rng.random() < 0.4:
                _pauses(y[HEARD], inside, rng)
        elif lot < 0.9:  # off screen
            y[np.ix_(OF_SOUND, np.flatnonzero(inside))] = donated[np.ix_(OF_SOUND, np.flatnonzero(inside))]
            y[SEEN] = np.minimum(y[SEEN], 0.25)
            segments = segments[:0]
        else:  # silent
            y[SEEN] = np.maximum(y[SEEN], donated[SEEN])
            y[HEARD] = np.minimum(y[HEARD], 0.3)
            segments = segments[:0]
        heard = y[HEARD].copy()
        y[HEARD, 1:-1] = 0.25 * heard[:-2] + 0.5 * heard[1:-1] + 0.25 * heard[2:]
        return Sequence(y, segments, source.noise)

    def _layout(self, length: int, rng: np.random.Generator) -> tuple[int, Float32]:
        total, segments = self.layouts[int(rng.integers(len(self.layouts)))]
        segments = segments[segments[:, 0] < total - 1].clip(-0.5, total - 0.5)
        segments = segments[segments[:, 1] - segments[:, 0] >= 1]
        first = 0
        if total > length and len(segments):
            middle = float(segments[int(rng.integers(len(segments)))].mean()) + rng.uniform(-0.5, 0.5) * length
            first = int(np.clip(middle - length / 2, 0, total - length))
        n = min(length, total)
        segments = (segments - first).clip(-0.5, n - 0.5)
        return n, segments[segments[:, 1] - segments[:, 0] >= 1]

    def _surroundings(self, n: int, rng: np.random.Generator) -> Float32:
        empty = self.empty[int(rng.integers(len(self.empty)))].channels
        T = empty.shape[1]
        if n > T:
            return np.ascontiguousarray(empty[:, walk(T, n, rng)])
        first = int(rng.integers(T - n + 1))
        return empty[:, first : first + n].copy()


def _pauses(heard: Float32, inside: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Short drops of what is heard within events, as between two barks."""
    at = 0
    while (at := at + int(rng.integers(3, 14))) < len(heard):
        gap = int(rng.integers(1, 4))
        stretch = np.flatnonzero(inside[at : at + gap]) + at
        heard[stretch] *= rng.uniform(0.1, 0.7)
        at += gap


def walk(length: int, steps: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices to and fro over `length`, from a random one on."""
    round_trip = np.concatenate([np.arange(length), np.arange(length)[::-1]])
    return np.resize(np.roll(round_trip, -int(rng.integers(len(round_trip)))), steps)


def batch(sequences: list[Sequence], length: int) -> tuple[Float32, NDArray[np.bool_], Float32, NDArray[np.int64]]:
    """Channels (B, C, T), mask (B, T), segments (B, N, 2) and labels (B, N), 0 for events and -1 for padding."""
    B, N = len(sequences), max(1, max(len(s.segments) for s in sequences))
    x, mask = np.zeros((B, CHANNELS, length), np.float32), np.zeros((B, length), bool)
    segments, labels = np.zeros((B, N, 2), np.float32), np.full((B, N), -1)
    for i, s in enumerate(sequences):
        n = s.channels.shape[1]
        x[i, :, :n], mask[i, :n] = s.channels, True
        segments[i, : len(s.segments)], labels[i, : len(s.segments)] = s.segments, 0
    return x, mask, segments, labels
