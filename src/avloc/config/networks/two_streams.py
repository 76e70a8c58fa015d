"""Settings of the methods with a stream for each modality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from avloc.config.checks import number
from avloc.config.networks.family import FamilyConfig


@dataclass(frozen=True)
class TwoStreamConfig(FamilyConfig):
    """Those of the family with a stream for each modality, which ask one another on each level (Geng et al. 2023)."""

    needs_both: ClassVar[bool] = True

    visual_width: int = number(1536, least=1)
    audio_width: int = number(1536, least=1)
    heads: int = number(4, least=1)

    def check(self) -> None:
        """Heads divide the width."""
        super().check()
        self.require("width", self.width % self.heads == 0, f"a width that {self.heads} heads divide")


@dataclass(frozen=True)
class UnavConfig(TwoStreamConfig):
    """UnAV (Geng et al. 2023)."""

    method: ClassVar[str] = "unav"

    class_aware: bool = True
    """Whether each class of a point has a segment of its own."""
    dependency: bool = True
    """Whether classes look at one another and at themselves over time before the heads."""
    dependency_width: int = number(128, least=1)
    """Channels that each class has there."""


@dataclass(frozen=True)
class CcnetConfig(TwoStreamConfig):
    """CCNet (AAAI 2025)."""

    method: ClassVar[str] = "ccnet"

    steps: int = number(256, least=1)
    """Length to which inputs are padded inside the network. Weights run along time, so that longer ones cannot be
    read, and a result depends on this length."""
    class_aware: bool = True
    """Whether each class of a point has a segment of its own."""
    dependency_width: int = number(128, least=1)
    """Channels that each class has where classes look at one another; as many see time as a whole."""
    reads_padding: bool = True
    """As published: convolutions read what stands in padded steps; gates listen to them and pooling sees them. Off,
    they do not; layers along time still run over the padded length."""

    @property
    def longest(self) -> int | None:
        """Layers along time have so many inputs."""
        return self.steps


Task = Literal["AVEL", "TAL", "SED"]
"""What is looked for: audio-visual events, actions that are seen, events that are heard."""


def is_class_aware(task: Task) -> bool:
    """Whether each class of a point has a segment of its own, where several tasks share a network."""
    return task != "TAL"


@dataclass(frozen=True)
class UniavConfig(TwoStreamConfig):
    """UniAV (Geng et al. 2024): one network for several tasks, each with experts of its own."""

    method: ClassVar[str] = "uniav"

    steps: int = number(256, least=1)
    task: Task = "AVEL"
    """The task whose experts run; `classes` are its own."""
    class_aware: bool = True
    """Whether each class of a point has a segment of its own."""
    class_embeddings: str = ""
    """File of text embeddings of the classes: .npy (classes, text_width), in the order of the labels. It is read when
    a run begins, and kept with the weights. Empty: a table of that size is learned instead."""
    others: tuple[tuple[Task, int, str, int], ...] = ()
    """Tasks whose experts are there as well: each with its number of classes, the file of their embeddings, and its
    `steps`. Their segments are class-agnostic for TAL, class-aware else."""
    text_width: int = number(1536, least=1)
    temperature: float = number(0.07, above=0)
    """Of the cosine between a point and a class, at the start; it is learned."""
    most_scale: float | None = number(None, above=0)
    """What the cosine is multiplied by at most; None lets it grow, as published."""
    class_bias: bool = False
    """Whether logits have a bias for each class, which starts at `class_prior`; off, as published, all scores start
    around one half."""
    position_steps: int | None = number(None, least=1)
    """Length of the position code, that of the task with the longest videos; None is the most `steps` of any."""
    squeezed_position: bool = False
    """Whether a task of fewer `steps` than that gets the whole code, squeezed, as the authors' evaluation does; off,
    it gets the code's beginning, as their training does."""

    def for_other_classes(self, classes: int) -> Self:
        """Nobody has embeddings of them: they are learned, from those of the known ones on."""
        return replace(self, classes=classes, class_embeddings="")

    def check(self) -> None:
        """Each task is there once."""
        super().check()
        once = len(set(self.tasks)) == len(self.tasks)
        sound = once and all(classes >= 1 and steps >= 1 for _, classes, _, steps in self.others)
        needed = f"each task once, and none of them {self.task}, with 1 class and 1 step or more,"
        self.require("others", sound, needed)
        if self.others:
            aware = is_class_aware(self.task)
            self.require("class_aware", self.class_aware == aware, f"{aware} for {self.task} among other tasks")

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Its own first."""
        return (self.task, *(name for name, _, _, _ in self.others))

    def for_task(self, task: str) -> Self:
        """These settings with another of the tasks as the network's own: the same weights, by the same names."""
        if task == self.task:
            return self
        if task not in self.tasks:
            return super().for_task(task)
        own = (self.task, self.classes, self.class_embeddings, self.steps)
        name, classes, file, steps = next(other for other in self.others if other[0] == task)
        return replace(
            self,
            task=name,
            classes=classes,
            class_embeddings=file,
            steps=steps,
            class_aware=is_class_aware(name),
            others=(own, *(other for other in self.others if other[0] != task)),
            position_steps=self.position_length,
        )

    def alone(self) -> Self:
        """Without the experts of other tasks."""
        return replace(self, others=(), position_steps=self.position_length) if self.others else self

    @property
    def position_length(self) -> int:
        """Length of the position code."""
        return self.position_steps or max(self.steps, *(steps for _, _, _, steps in self.others), 1)
