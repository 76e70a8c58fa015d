"""Batches of several data sets in turn, one task a batch; and which tasks rest (Geng et al. 2024, UniAV).

A round has a slot for each task, in order: a batch, or nothing where the task rests. An epoch has as many rounds as
the largest data set has batches; smaller ones begin anew. Which tasks rest is a function of all validations so far,
so that a run that was stopped goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from avloc.config import RestConfig
from avloc.datasets.batch import Batch
from avloc.training.batches import Batches


class JointBatches:
    """`sets` by the task that each is for, in the order of a round."""

    def __init__(self, sets: Mapping[str, Batches], rest: RestConfig) -> None:
        self.sets, self.rest = dict(sets), rest
        self.resting: tuple[str, ...] = ()

    @property
    def rounds(self) -> int:
        """Rounds of an epoch."""
        return max(data.steps for data in self.sets.values())

    @property
    def steps(self) -> int:
        """Slots of an epoch."""
        return self.rounds * len(self.sets)

    def hear(self, validations: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
        """mAP of each task at all validations so far; the tasks that rest from now on."""
        if self.rest.rests:
            scores = {task: [one[task] for one in validations if task in one] for task in self.sets}
            self.resting = tuple(task for task in self.sets if is_resting(scores[task], self.rest))
        return self.resting

    def epoch(self, number: int, first_step: int, rank: int, world: int) -> Iterator[Batch | None]:
        """Slots of epoch `number` from `first_step` on; None where a task rests."""
        tasks, resting = list(self.sets), self.resting
        for slot in range(first_step, self.steps):
            in_epoch, task = slot // len(tasks), tasks[slot % len(tasks)]
            at = (number - 1) * self.rounds + in_epoch
            if task in resting and at % self.rest.every:
                yield None
            else:
                yield replace(self._batch(task, number, in_epoch, rank, world), task=task)

    def _batch(self, task: str, number: int, at: int, rank: int, world: int) -> Batch:
        """The set's own epochs follow one another without a gap and without a repetition."""
        data = self.sets[task]
        again = -(-self.rounds // data.steps)
        own_epoch = (number - 1) * again + at // data.steps + 1
        batch = next(data.epoch(own_epoch, at % data.steps, rank, world))
        assert batch is not None
        return batch


def is_resting(scores: Sequence[float], config: RestConfig) -> bool:
    """Whether a task of these validation mAPs, in order, rests after the last one.

    It begins to rest when more than `patience` validations in a row were no improvement, those of a cooldown not
    counted, and goes on when an mAP lies below the best by more than `worse_by` of it.
    """
    best, bad, cooldown, resting = float("-inf"), 0, 0, False
    for score in scores:
        if score > best * (1 + config.better_by):
            best, bad = score, 0
        else:
            bad += 1
        if cooldown:
            cooldown, bad = cooldown - 1, 0
        if bad > config.patience:
            resting, cooldown, bad = True, config.cooldown, 0
        elif resting and score < best * (1 - config.worse_by):
            resting, cooldown, bad = False, config.cooldown, 0
    return resting
