"""Settings of a run that learns several tasks in turn, each from a data set of its own (Geng et al. 2024, UniAV)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, get_args

from avloc.config.checks import Settings, number, share
from avloc.config.losses import DenseLossConfig
from avloc.config.networks import UniavConfig
from avloc.config.networks.two_streams import Task
from avloc.config.run import DataConfig, RunConfig
from avloc.errors import ConfigError

SetName = Literal["tal", "avel", "sed"]
"""A task's data set, by the name of the task: actions, audio-visual events, sound events."""

_TASKS: Mapping[str, Task] = {task.lower(): task for task in get_args(Task)}
_OWN = "avel"  # the task that a network of several is of where nobody names one


@dataclass(frozen=True)
class SetConfig(DataConfig):
    """A data set among several, and what is its own in training and detection."""

    group: ClassVar[str] = "sets"

    class_embeddings: str = ""
    """File of text embeddings of the classes: .npy, in the order of the labels; empty: a table is learned instead."""
    steps: int = number(256, least=1)
    """Longest crop in training, and window of detection."""
    keep_share: float = share(0.5)
    """An event that a crop leaves less than this share of is no event of the crop."""
    normalizer_start: float = number(300.0, above=0)
    """What the losses are divided by at first: about the number of positive points in a batch."""
    smoothing: float = share(0.0, below=1)
    """Label smoothing."""
    nms_sigma: float = number(0.4, above=0)


@dataclass(frozen=True)
class RestConfig(Settings):
    """Stop and go: a task whose validation mAP no longer improves rests, until it has fallen."""

    group: ClassVar[str] = "rest"

    rests: bool = True
    """Off: every task always trains, as one alone does."""
    better_by: float = number(0.001, least=0)
    """An improvement is more than this share of the best mAP so far."""
    patience: int = number(1, least=0)
    """Validations without an improvement that are waited for; with one more the task rests."""
    cooldown: int = number(1, least=0)
    """Validations after a change that do not count as without an improvement."""
    worse_by: float = share(0.005)
    """A task that rests goes on when its mAP is below the best by more than this share of it."""
    every: int = number(4, least=1)
    """A task that rests still trains every so many rounds."""


@dataclass(frozen=True)
class JointRunConfig(RunConfig):
    """Several data sets in turn: a round is a batch and a step of the optimiser for each task, in order.

    `loss`, `train` and `decoding` are for all; what a set has of its own (its `steps`, say) goes before. Numbers of
    classes and widths follow the data.
    """

    network: UniavConfig = field(default_factory=UniavConfig)
    loss: DenseLossConfig = field(default_factory=DenseLossConfig)
    tasks: tuple[SetName, ...] = ("tal", "avel", "sed")
    """Which of the sets are learned, in the order of a round."""
    sets: dict[str, SetConfig] = field(default_factory=dict)
    rest: RestConfig = field(default_factory=RestConfig)

    def check(self) -> None:
        """Each task once, with a data set."""
        super().check()
        unknown = [name for name in self.sets if name not in _TASKS]
        if unknown:
            raise ConfigError(f"there is no data set sets.{unknown[0]}; they are called {', '.join(_TASKS)}")
        once = bool(self.tasks) and len(set(self.tasks)) == len(self.tasks)
        self.require("tasks", once, "one task or more, each once,")
        for name in self.tasks:
            if name not in self.sets:
                raise ConfigError(f"sets.{name} is missing; give it, or leave the task out ({self._without(name)})")
        for what in ("features", "annotations"):
            if getattr(self.data, what):
                instead = f"--sets.{self.tasks[0]}.{what}"
                raise ConfigError(f"data.{what} is for a run on one data set; this one has several: name {instead}")
        multiple = self.network.multiple
        for name in self.tasks:
            sound = self.sets[name].steps % multiple == 0
            needed = f"a multiple of {multiple}, the stride of the network's coarsest level,"
            if not sound:
                raise ConfigError(f"sets.{name}.steps is {self.sets[name].steps}; {needed} is needed")

    def require_named(self) -> None:
        """Raise ConfigError where a task's features or annotations are not named."""
        for name in self.tasks:
            for what in ("features", "annotations"):
                if not getattr(self.sets[name], what):
                    raise ConfigError(
                        f"sets.{name}.{what} is not set; name it with --sets.{name}.{what}"
                        + (f", or leave the task out with {self._without(name)}" if len(self.tasks) > 1 else "")
                    )

    def _without(self, name: str) -> str:
        return f"--tasks {' '.join(other for other in self.tasks if other != name)}"

    @property
    def main(self) -> str:
        """The task that the network is of where none is named."""
        return _OWN if _OWN in self.tasks else self.tasks[0]

    def fitted(self, classes: Mapping[str, int], widths: tuple[int, int]) -> JointRunConfig:
        """This run with a network of its tasks alone, for so many classes of each and features of these widths."""
        rows: dict[str, tuple[Task, int, str, int]] = {
            name: (_TASKS[name], classes[name], self.sets[name].class_embeddings, self.sets[name].steps)
            for name in self.tasks
        }
        task, own, file, steps = rows[self.main]
        network = replace(
            self.network,
            visual_width=widths[0],
            audio_width=widths[1],
            task=task,
            classes=own,
            class_embeddings=file,
            steps=steps,
            class_aware=task != "TAL",
            others=tuple(row for name, row in rows.items() if name != self.main),
            position_steps=max(steps for _, _, _, steps in rows.values()),
        )
        return replace(self, network=network, train=replace(self.train, longest_steps=steps))

    def of(self, name: str) -> RunConfig:
        """The run on one of its data sets, after `fitted`; the network's experts of other tasks are still there.

        Raises:
            ConfigError: the run has no such task.
        """
        if name not in self.tasks:
            raise ConfigError(f"this run has no task {name!r}; its tasks: {', '.join(self.tasks)}")
        own, network = self.sets[name], self.network.for_task(_TASKS[name])
        return RunConfig(
            data=own,
            network=network,
            loss=replace(
                self.loss,
                assignment="class-aware" if network.class_aware else "class-agnostic",
                normalizer_start=own.normalizer_start,
                smoothing=own.smoothing,
            ),
            train=replace(self.train, longest_steps=own.steps, keep_share=own.keep_share),
            decoding=replace(self.decoding, nms_sigma=own.nms_sigma),
        )
