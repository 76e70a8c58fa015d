"""Settings of TadTR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from avloc.config.checks import number, share
from avloc.config.networks.base import NetworkConfig


@dataclass(frozen=True)
class TadTrConfig(NetworkConfig):
    """TadTR (Liu et al. 2022) on both modalities side by side. Defaults are the sizes of its THUMOS-14 settings."""

    method: ClassVar[str] = "tadtr"
    judges: ClassVar[Literal["points", "queries", "anchors"]] = "queries"

    width: int = number(256, least=2)
    heads: int = number(8, least=1)
    groups: int = number(32, least=1)
    """Of channels, each normed by itself over the whole video, behind the projection of the input."""
    queries: int = number(40, least=1)
    """Most segments that one input can have."""
    encoder_layers: int = number(4, least=1)
    decoder_layers: int = number(4, least=1)
    encoder_points: int = number(4, least=1)
    """Places that each head of an encoder layer samples for a step."""
    decoder_points: int = number(4, least=1)
    """Places that each head of a decoder layer samples for a query."""
    ffn_width: int = number(1024, least=1)
    activation: Literal["relu", "gelu"] = "relu"
    dropout: float = share(0.1, below=1)
    region_bins: int = number(16, least=1)
    """Bins into which the steps around a query's segment are gathered to judge its actionness."""
    region_size: float = number(1.5, above=0)
    """Length of these steps in lengths of the segment."""
    class_prior: float = number(0.01, above=0, below=1)
    reads_padding: bool = False
    """As published: padded steps count in the group norm, and regions of actionness are placed and cut as if the
    video filled its padded length. Off, a video is judged alike whatever it is padded to; for one that fills its
    input the two are the same."""

    def check(self) -> None:
        """Heads and groups divide the width."""
        self.require("width", self.width % 2 == 0, "an even width")
        self.require("heads", self.width % self.heads == 0, f"a divisor of the width {self.width}")
        self.require("groups", self.width % self.groups == 0, f"a divisor of the width {self.width}")
