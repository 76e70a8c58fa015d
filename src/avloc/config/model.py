"""Settings of a model folder: which features it reads, its network, and how its events are made."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import ClassVar

from avloc.config.checks import Settings, number, share
from avloc.config.decoding import DecodingConfig
from avloc.config.networks import AnyNetworkConfig, CustomNetworkConfig
from avloc.errors import ConfigError
from avloc.streams import STREAMS, Streams

EMBEDDED = Streams.all("avloc-embedded/3")
"""What the extractor that ships with avloc makes; a test holds it against that."""


@dataclass(frozen=True)
class FeatureConfig(Settings):
    """Which features a model eats, on which grid."""

    group: ClassVar[str] = "features"

    streams: Streams = EMBEDDED
    """Whose making each stream is. Only those that the network reads matter."""
    stride_s: float = number(0.32, above=0)
    window_s: float = number(0.96, above=0)
    offset_s: float = number(-0.32)
    scores: bool = True
    """Whether the network reads the encoders' class scores beside the embeddings."""
    embeddings: bool = True
    """Whether the network reads the embeddings at all."""
    cues: int = number(0, least=0)
    """Number of the extractor's cues that the network reads."""
    resize_steps: int | None = number(None, least=1)
    """Features of a video are stretched to this many steps; None leaves them as they are."""
    visual_columns: tuple[tuple[int, int], ...] | None = None
    """Columns of the visual embedding that the network reads, without class scores; None: all, (): it only hears."""
    audio_columns: tuple[tuple[int, int], ...] | None = None

    @property
    def read(self) -> Streams:
        """The streams that the network reads."""
        return self.streams.only(*(name for name, is_read in zip(STREAMS, self._asked(), strict=True) if is_read))

    def check(self) -> None:
        """Something to read, and an identity for each stream of it."""
        self.require("embeddings", any(self._asked()), "embeddings, scores or cues to read")
        for name, is_read in zip(STREAMS, self._asked(), strict=True):
            identity = getattr(self.streams, name)
            sound = identity.isprintable() and (bool(identity.strip()) or not is_read)
            self.require("streams", sound, f"an identity of {name}, such as avloc-embedded/3,")
        for name in ("visual_columns", "audio_columns"):
            ranges = getattr(self, name) or ()
            self.require(name, all(0 <= a < b for a, b in ranges), "ranges of columns, lower ends first,")

    def _asked(self) -> tuple[bool, ...]:
        """Whether each stream is read."""
        sees, hears = self.visual_columns != (), self.audio_columns != ()
        return (
            self.embeddings and sees,
            self.embeddings and hears,
            self.scores and self.visual_columns is None,
            self.scores and self.audio_columns is None,
            self.cues > 0,
        )


@dataclass(frozen=True)
class TaskConfig(Settings):
    """What a model folder says of a task that its network has beside its own; fields as those of ModelConfig."""

    task: str
    labels: tuple[str, ...]
    features: FeatureConfig
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
    window_steps: int = number(256, least=1)
    show_score: float = share(0.3)


@dataclass(frozen=True)
class ModelConfig(Settings):
    """All that a model folder says of itself beside its weights."""

    name: str
    labels: tuple[str, ...]
    features: FeatureConfig
    network: AnyNetworkConfig | CustomNetworkConfig
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
    window_steps: int = number(256, least=1)
    """Length of the fixed window that the exported network runs on."""
    show_score: float = share(0.3)
    """Events below this score are not shown to people unless asked for."""
    others: tuple[TaskConfig, ...] = ()
    """What is another task's own, of a network of several; all above are of the network's own task."""

    def check(self) -> None:
        """A label for each class, all different."""
        for labels in (self.labels, *(other.labels for other in self.others)):
            twice = {label for label in labels if labels.count(label) > 1}
            self.require("labels", not twice, f"each label once ({', '.join(sorted(twice))} is there twice)")

    def of_task(self, task: str) -> ModelConfig:
        """The same model with another of its tasks, in any letters, as its own; "" is the one it has.

        Raises:
            ConfigError: it has no such task.
        """
        task = task.upper()
        if not task or self.network.tasks[:1] == (task,):
            return self
        chosen = next((other for other in self.others if other.task == task), None)
        network = self.network.for_task(task)
        if chosen is None:
            raise ConfigError(f"the model says nothing of the labels of {task}")
        given = {f.name: getattr(self, f.name) for f in fields(TaskConfig) if f.name != "task"}
        own = TaskConfig(task=self.network.tasks[0], **given)
        return replace(
            self,
            **{name: getattr(chosen, name) for name in given},
            network=network,
            others=(own, *(other for other in self.others if other is not chosen)),
        )
