"""Settings of ActionFormer and of the methods made from its code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from avloc.config.checks import number, share
from avloc.config.networks.base import NetworkConfig, PyramidLevels


@dataclass(frozen=True)
class FamilyConfig(PyramidLevels, NetworkConfig):
    """What ActionFormer and the methods made from its code share (Zhang, Wu and Li 2022)."""

    steps: int = number(224, least=1)
    """Length to which inputs are padded inside the network where `reads_padding` is on; longer ones to the next
    multiple of what the coarsest level needs, and then positions are stretched from this length to theirs."""
    width: int = number(512, least=2)
    levels: int = number(6, least=1, most=10)
    embedding_blocks: int = number(2, least=1)
    embedding_kernel: int = number(3, least=1)
    embedding_norm: bool = True
    stem_blocks: int = number(2, least=0)
    head_width: int = number(512, least=1)
    head_blocks: int = number(2, least=0)
    """Convolutions of a head before its last."""
    head_kernel: int = number(3, least=1)
    head_norm: bool = True
    position: bool = True
    """Whether sine and cosine position encoding is added."""
    drop_path: float = share(0.1, below=1)
    """0: branches have no learned scale either, as published."""
    class_prior: float = number(0.01, above=0, below=1)
    reads_padding: bool = True
    """As published: convolutions read what stands in padded steps (a trained constant) at a video's end, so that a
    result depends on whether padding follows. Off, padding is neither read nor written."""

    def check(self) -> None:
        """Kernels are odd; lengths can be halved from level to level."""
        self.require("width", self.width % 2 == 0, "an even width")
        for name in ("embedding_kernel", "head_kernel"):
            self.require(name, getattr(self, name) % 2 == 1, "an odd kernel")
        needed = f"a multiple of {self.multiple}, for {self.levels} levels,"
        self.require("steps", self.steps % self.multiple == 0, needed)


@dataclass(frozen=True)
class OneStreamConfig(FamilyConfig):
    """Those of the family that read both modalities side by side, as one stream."""

    neck_norm: bool = True
    """Whether each level passes a norm of its own before the heads."""


@dataclass(frozen=True)
class ActionFormerConfig(OneStreamConfig):
    """ActionFormer (Zhang, Wu and Li 2022) on both modalities side by side."""

    method: ClassVar[str] = "actionformer"

    heads: int = number(4, least=1)
    windows: tuple[int, ...] = number((), least=-1)
    """Window of local attention in steps, level by level, each odd; 1 or less sees all. Empty: all levels see all."""

    def check(self) -> None:
        """Heads divide the width; a window for each level or none."""
        super().check()
        self.require("width", self.width % self.heads == 0, f"a width that {self.heads} heads divide")
        fits = len(self.windows) in (0, self.levels) and all(w % 2 == 1 or w < 1 for w in self.windows)
        self.require("windows", fits, f"one odd window for each of {self.levels} levels, or none,")


@dataclass(frozen=True)
class TriDetConfig(OneStreamConfig):
    """TriDet (Shi et al. 2023) on both modalities side by side."""

    method: ClassVar[str] = "tridet"

    position: bool = False
    hidden: int = number(768, least=1)
    """Width inside the feed-forward part of a block."""
    windows: tuple[int, ...] = number((1,), least=1)
    """Kernel of the window branch, odd: one for all blocks below the stem, or one for each level (the first is the
    stem's, which has kernel 1 whatever it says)."""
    window_growth: float = number(5.0, above=0, most=100)
    """The wider branch has round((window + 1) * window_growth) steps, made odd."""
    bins: int = number(16, least=1)
    """Bins to either side in which a boundary is looked for."""
    boundary_kernel: int = number(3, least=1)
    start_deviation: float = number(0.0, least=0)
    """Standard deviation of the depthwise convolutions' first weights."""
    input_noise: float = number(5e-4, least=0)
    """Standard deviation of the noise that is added to the input in training."""

    def check(self) -> None:
        """Kernels are odd; sixteen groups divide the width."""
        super().check()
        self.require("width", self.width % 16 == 0, "a multiple of 16")
        self.require("boundary_kernel", self.boundary_kernel % 2 == 1, "an odd kernel")
        fits = len(self.windows) in (1, self.levels) and all(w % 2 == 1 for w in self.windows)
        self.require("windows", fits, f"one odd window, or one for each of {self.levels} levels,")
