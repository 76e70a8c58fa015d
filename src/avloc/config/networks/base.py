"""What the settings of every network have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from avloc.config.checks import Settings, number
from avloc.errors import ConfigError


@dataclass(frozen=True)
class NetworkConfig(Settings):
    """What every network has. `method` is the tag by which a file names the class of its settings."""

    group: ClassVar[str] = "network"
    method: ClassVar[str] = ""
    judges: ClassVar[Literal["points", "queries", "anchors"]] = "points"
    """What scores and segments are of; losses are for one of these."""

    needs_both: ClassVar[bool] = False
    """Whether it has a part for each modality, and cannot read one alone."""

    classes: int = number(100, least=1)
    visual_width: int = number(1536, least=0)
    """0: the network hears alone."""
    audio_width: int = number(1536, least=0)
    """0: the network sees alone."""

    def for_other_classes(self, classes: int) -> Self:
        """These settings for a network that starts from another's weights and learns so many classes of its own."""
        return replace(self, classes=classes)

    @property
    def multiple(self) -> int:
        """What lengths of the input are a multiple of."""
        return 1

    @property
    def longest(self) -> int | None:
        """Most steps that the network can read at once; None where there is no limit."""
        return None

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of its tasks, its own first, where it has several kinds of events to look for; else none."""
        return ()

    def alone(self) -> Self:
        """These settings without the tasks that are not its own; its tensors are among those of the whole network."""
        return self

    def for_task(self, task: str) -> Self:
        """These settings with another of its tasks as its own.

        Raises:
            ConfigError: it has no such task.
        """
        known = ", ".join(self.tasks) or "none, it learns from one data set"
        raise ConfigError(f"network.method {self.method!r} has no task {task!r}; its tasks: {known}")


class PyramidLevels:
    """Networks of several levels, each at half the rate of the one before."""

    levels: int

    @property
    def multiple(self) -> int:
        """Stride of the coarsest level."""
        return 1 << (self.levels - 1)


@dataclass(frozen=True)
class CustomNetworkConfig(NetworkConfig):
    """A network that is not of this package: detection runs its exported file, and asks for no more than sizes."""

    method: ClassVar[str] = "custom"
