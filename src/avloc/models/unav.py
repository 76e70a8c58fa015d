"""UnAV: stream of each modality > cross-modal pyramid > dependency of classes > classification and regression heads.

Dense-Localizing Audio-Visual Events in Untrimmed Videos: A Large-Scale Benchmark and Baseline (Geng et al. 2023),
Section 4. Regression is class-aware: each class of a point has a segment of its own.
Legend: B batch, T time, P points of all levels, K classes.
"""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor

from avloc.config import UnavConfig
from avloc.models.blocks import zero_biases
from avloc.models.conv_attention import OFFICIAL_BLOCK
from avloc.models.dependency import OFFICIAL_BRANCHES, Dependency
from avloc.models.family import OFFICIAL_NAMES, head, joined, padded, padded_length, spare_steps
from avloc.models.heads import ClassificationHead, RegressionHead
from avloc.models.network import Network
from avloc.models.outputs import DenseOutputs
from avloc.models.two_streams import TwoStreams, official_streams


class Unav(Network):
    """Features of both modalities on one grid -> DenseOutputs. T must be a multiple of 2^(levels - 1)."""

    official_names: ClassVar = (
        *official_streams("cross_att_Va", "cross_att_Av"),
        (r"^dependency_block\.", "dependency."),
        *OFFICIAL_BRANCHES,
        *OFFICIAL_NAMES,
        *OFFICIAL_BLOCK,
    )

    def __init__(self, config: UnavConfig) -> None:
        super().__init__()
        self.config: UnavConfig = config
        self.multiple = 2 ** (config.levels - 1)
        c = config
        both = 2 * c.width
        self.streams = TwoStreams(c)
        zero_biases(self)
        self.dependency = (
            Dependency(both, c.classes, c.dependency_width, drop_path=c.drop_path, reads_padding=c.reads_padding)
            if c.dependency
            else None
        )
        self.classify = ClassificationHead(head(c, c.classes, width_in=both), c.class_prior)
        segments = c.classes if c.class_aware else 1
        self.regress = RegressionHead(head(c, 2 * segments, width_in=both), c.levels, start=0.0)

    def forward(
        self, visual: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], mask: Bool[Tensor, "B T"]
    ) -> DenseOutputs:
        T, c = mask.shape[1], self.config
        length = padded_length(T, c, self.multiple, spare=spare_steps(c))
        (seen, m), (heard, _) = padded(visual, mask, length), padded(audio, mask, length)
        levels, masks = self.streams(seen, heard, m)
        row = joined(levels, masks, gap=max(1, c.head_kernel // 2))
        if self.dependency is not None:
            row = self.dependency(row)
        logits = self.classify(row.x, row.mask, row.real)
        offsets = self.regress(row.x, row.mask, row.lengths, row.real)
        return row.outputs(logits, offsets, T)


def build(config: UnavConfig) -> Unav:
    """The network of these settings."""
    return Unav(config)
