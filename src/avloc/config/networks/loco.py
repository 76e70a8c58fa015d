"""Settings of LoCo. Where the paper's text leaves a choice open, the choice is a field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from avloc.config.checks import Settings, number, share
from avloc.config.networks.base import NetworkConfig, PyramidLevels

_RANGE = "a finite range above 0, its lower end first,"


@dataclass(frozen=True)
class AttentionConfig(Settings):
    """Cross-modal attention of the pyramid (paper, Section 3.4; variants of Tables 2c and 2d)."""

    group: ClassVar[str] = "attention"

    kind: Literal["global", "fixed", "cdp", "none"] = "cdp"
    """none: the modalities meet in the fusion blocks alone, as in the base model of Tables 2a and 3."""
    window: int = number(8, least=0)
    """Base window in steps of the level; 0 is the whole length."""
    adapt_from: Literal["both", "key"] = "both"
    """Streams that window adaptation pools: key and query together, or the key stream alone."""
    residual: Literal["key", "query"] = "key"
    """Stream that the attended is added to: that of key and value, as in UnAV's code, or that of the query."""

    def check(self) -> None:
        """A window is even."""
        self.require("window", self.window % 2 == 0, "an even number of steps, or 0 for all,")


@dataclass(frozen=True)
class LccConfig(Settings):
    """Locality-aware correspondence correction (paper, Section 3.3)."""

    group: ClassVar[str] = "lcc"

    objective: Literal["learnable", "fixed", "softened", "diagonal"] = "learnable"
    sigma_steps: float = number(1.5, above=0)
    sigma_range_steps: tuple[float, float] = number((0.3, 16.0), above=0)
    softening: float = share(0.2)
    divergence: Literal["cross-entropy", "kl"] = "cross-entropy"
    negatives: Literal["batch", "video", "others", "unlike"] = "batch"
    """Segments that Eq. 2 holds a pair against: all of the batch; those of the own video alone; those of other videos
    alone; all but those of other videos in which a class of the segment's own is on."""
    projection: Literal["each", "shared", "none"] = "each"
    """W of Eq. 2: each modality its own, one for both, or none, so that the encoders' features are compared."""
    temperature: float = number(0.07, above=0)
    temperature_range: tuple[float, float] = number((0.001, 0.5), above=0)

    def check(self) -> None:
        """Both start inside their ranges."""
        for name, range_name in (("sigma_steps", "sigma_range_steps"), ("temperature", "temperature_range")):
            low, high = getattr(self, range_name)
            self.require(range_name, low <= high, _RANGE)
            self.require(name, low <= getattr(self, name) <= high, f"{low:g} to {high:g}, its range,")


@dataclass(frozen=True)
class LocoConfig(PyramidLevels, NetworkConfig):
    """The network. Defaults are the paper's full width on ONE-PEACE features."""

    method: ClassVar[str] = "loco"
    needs_both: ClassVar[bool] = True

    visual_width: int = number(1536, least=1)
    audio_width: int = number(1536, least=1)
    width: int = number(512, least=2)
    heads: int = number(4, least=1)
    ffn_ratio: float = number(4.0, above=0)
    unimodal_blocks: int = number(2, least=0)
    self_window: int = number(0, least=0)
    """Window of self-attention in steps of its level; 0 is the whole length, as transformer blocks are in the paper.
    A window makes cost and memory linear in the length of the video."""
    position: bool = True
    """Whether sine and cosine position encoding is added; off, a shift of the input shifts the output."""
    levels: int = number(6, least=1, most=10)
    fusion_blocks: int = number(1, least=0)
    fusion_ffn_ratio: float | None = number(None, above=0)
    """Feed-forward ratio of the fusion blocks, which are twice as wide; None takes `ffn_ratio`."""
    fusion_attention_width: int | None = number(None, least=1)
    """Width of query, key and value in the fusion blocks; None is that of the block, 2 * `width`."""
    fusion_by_level: bool = False
    """Whether each level has fusion blocks of its own, instead of the same for all."""
    residual_scales: bool = False
    """Whether every branch beside a residual stream is scaled, from 1e-4 on, as in ActionFormer's code."""
    input_dropout: float = share(0.0, below=1)
    dropout: float = share(0.0, below=1)
    drop_path: float = share(0.1, below=1)
    class_prior: float = number(0.01, above=0, below=1)
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    lcc: LccConfig = field(default_factory=LccConfig)

    def check(self) -> None:
        """Heads divide widths; windows are even."""
        divides = self.width % 2 == 0 and self.width % self.heads == 0
        self.require("width", divides, f"an even width that {self.heads} heads divide")
        inner = self.fusion_attention_width
        divides = inner is None or inner % self.heads == 0
        self.require("fusion_attention_width", divides, f"a width that {self.heads} heads divide")
        self.require("self_window", self.self_window % 2 == 0, "an even number of steps, or 0,")
