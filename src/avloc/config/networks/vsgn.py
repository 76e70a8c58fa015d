"""Settings of VSGN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from avloc.config.checks import number, share
from avloc.config.networks.base import NetworkConfig


@dataclass(frozen=True)
class VsgnConfig(NetworkConfig):
    """VSGN (Zhao, Thabet and Ghanem 2021) on both modalities side by side. Defaults are for UnAV-100, not
    stitched."""

    method: ClassVar[str] = "vsgn"
    judges: ClassVar[Literal["points", "queries", "anchors"]] = "anchors"

    steps: int = number(256, least=1)
    """Length to which inputs are padded inside the network; longer ones to the next multiple of the coarsest
    stride. Padding counts, as published: a result depends on this length."""
    width: int = number(256, least=1)
    levels: int = number(5, least=1, most=10)
    stem_stride: int = number(1, least=1, most=2)
    """Of the first convolution; the finest level has twice this stride."""
    graph: bool = True
    """Whether levels have graph layers; off, a level is a convolution of stride 2."""
    neighbours: int = number(12, least=2)
    """Steps of like features that each step of a graph layer listens to, itself among them."""
    head_blocks: int = number(4, least=0)
    """Convolutions of the two towers, each followed by a group norm."""
    groups: int = number(32, least=1)
    scales: tuple[float, ...] = number((3.0, 7.5), above=0)
    """Lengths of a place's anchors in strides of its level."""
    stitch: bool = False
    """Self-stitching: a short clip stands beside a magnified copy of itself."""
    stitch_share: float = number(0.4, above=0, below=1)
    """Clips of at most this share of `steps` are short."""
    stitch_gap: int = number(30, least=0)
    """Empty steps between a clip and its copy."""
    least_probability: float = share(0.005)
    """A class of an anchor that is not likelier than this has a score of 0."""

    def check(self) -> None:
        """Levels can be halved, neighbours be found, a short clip be magnified."""
        coarsest = self.stem_stride << self.levels
        self.require("steps", self.steps % coarsest == 0, f"a multiple of {coarsest}, for {self.levels} levels,")
        self.require("groups", self.width % self.groups == 0, f"a divisor of the width {self.width}")
        self.require("scales", bool(self.scales), "a scale or more")
        if self.graph:
            fewest = 2 * self.steps // coarsest
            self.require("neighbours", self.neighbours <= fewest, f"at most {fewest}, the steps of the last graph,")
        if self.stitch:
            most = self.steps - int(self.stitch_share * self.steps) - 1
            self.require("stitch_gap", self.stitch_gap <= most, f"at most {most}, so that a copy has room,")
