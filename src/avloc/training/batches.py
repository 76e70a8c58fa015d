"""Videos > the batches of an epoch. Everything random is a function of (seed, epoch, video)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from avloc.config import TrainConfig
from avloc.datasets.batch import Batch, Sample, collate
from avloc.datasets.labelled import random_crop, shuffled


class Samples(Protocol):
    """Videos to train on: how many, how long each is about, and each as a Sample."""

    @property
    def lengths(self) -> NDArray[np.int_]:
        """Steps of each video (N,); batches are made of videos of like length."""
        ...

    def __len__(self) -> int: ...

    def sample(self, index: int) -> Sample: ...


class Batches(Protocol):
    """What `fit` asks of its data; the same arguments must give the same batches."""

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        ...

    def epoch(self, number: int, first_step: int, rank: int, world: int) -> Iterator[Batch | None]:
        """Batches of epoch `number` (from 1) from `first_step` on, as process `rank` of `world` gets them; None is a
        step at which nothing is learned."""
        ...


@runtime_checkable
class Listens(Protocol):
    """Batches that depend on how validation goes."""

    def hear(self, validations: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
        """mAP by task at all validations so far, before each epoch; returns the tasks that rest in it."""
        ...


class CroppedBatches:
    """Every video once an epoch, randomly cropped, with videos of like length."""

    def __init__(self, samples: Samples, config: TrainConfig, multiple: int) -> None:
        self.samples, self.config, self.multiple = samples, config, multiple

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        n, batch = len(self.samples), self.config.batch
        return max(1, n // batch if self.config.drop_last else -(-n // batch))

    def epoch(self, number: int, first_step: int, rank: int, world: int) -> Iterator[Batch]:
        """As Batches."""
        c = self.config
        rng = np.random.default_rng([c.seed, number])
        batches = shuffled(self.samples.lengths, c.batch, c.pool_batches, rng)
        if c.drop_last:
            batches = [b for b in batches if len(b) == c.batch] or batches
        for indices in batches[first_step:]:
            yield self._batch(indices, number, rank, world)

    def _batch(self, indices: NDArray[np.intp], epoch: int, rank: int, world: int) -> Batch:
        c, longest = self.config, 0
        crops: list[Sample] = []
        for place, i in enumerate(indices):
            rng = np.random.default_rng([c.seed, epoch, int(i)])
            cropped = random_crop(self.samples.sample(int(i)), c.crop_share, c.longest_steps, c.keep_share, rng)
            longest = max(longest, len(cropped.visual))
            if place % world == rank:
                crops.append(cropped)
        # What is gathered must have one shape: processes with a video less get an empty one.
        crops += [_nothing_of(cropped)] * (-(-len(indices) // world) - len(crops))
        return collate(crops, self.multiple, -(-longest // self.multiple) * self.multiple)


def _nothing_of(sample: Sample) -> Sample:
    return Sample(sample.visual[:0], sample.audio[:0], sample.segments[:0], sample.labels[:0])
