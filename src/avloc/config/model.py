"""Settings of a model folder: which features it reads, its network, and how its events are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from avloc.config.checks import Settings, number, share
from avloc.config.decoding import DecodingConfig
from avloc.config.networks import AnyNetworkConfig, CustomNetworkConfig


@dataclass(frozen=True)
class FeatureConfig(Settings):
    """Which features a model eats, on which grid."""

    group: ClassVar[str] = "features"

    extractor: str = "avloc-embedded/3"
    stride_s: float = number(0.32, above=0)
    window_s: float = number(0.96, above=0)
    offset_s: float = number(-0.32)
    scores: bool = True
    """Whether the network reads the encoders' class scores beside the embeddings."""
    embeddings: bool = True
    """Whether the network reads the embeddings at all."""
    cues: int = number(0, least=0)
    """Number of the extractor's cues that the network reads."""


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

    def check(self) -> None:
        """A label for each class, all different."""
        twice = {label for label in self.labels if self.labels.count(label) > 1}
        self.require("labels", not twice, f"each label once ({', '.join(sorted(twice))} is there twice)")
