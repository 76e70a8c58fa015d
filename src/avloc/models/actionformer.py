"""ActionFormer: embedding > stem > branch of halving blocks > neck > classification and regression heads.

ActionFormer: Localizing Moments of Actions with Transformers (Zhang, Wu and Li 2022), Section 3, on the features of
both modalities side by side. Regression is class-agnostic: one segment a point.
Legend: B batch, T time, P points of all levels, K classes.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import ActionFormerConfig
from avloc.models.blocks import zero_biases
from avloc.models.conv_attention import OFFICIAL_BLOCK, ConvAttentionBlock
from avloc.models.family import (
    OFFICIAL_NAMES,
    Embedding,
    Neck,
    Row,
    head,
    padded,
    padded_length,
    pyramid,
    spare_steps,
)
from avloc.models.heads import ClassificationHead, RegressionHead
from avloc.models.network import Network
from avloc.models.outputs import DenseOutputs


class ActionFormer(Network):
    """Features of both modalities on one grid -> DenseOutputs. T must be a multiple of 2^(levels - 1)."""

    official_names: ClassVar = (*OFFICIAL_NAMES, *OFFICIAL_BLOCK)

    def __init__(self, config: ActionFormerConfig) -> None:
        super().__init__()
        self.config: ActionFormerConfig = config
        self.multiple = 2 ** (config.levels - 1)
        c = config
        windows = [max(w - 1, 0) for w in c.windows or (0,) * c.levels]  # even, both sides together
        self.unit = max(2**level * max(w, 1) for level, w in enumerate(windows))

        def block(stride: int, window: int) -> ConvAttentionBlock:
            return ConvAttentionBlock(
                c.width,
                c.heads,
                stride=stride,
                window=window,
                drop_path=c.drop_path,
                reads_padding=c.reads_padding,
            )

        self.embedding = Embedding(c.visual_width + c.audio_width, c)
        self.stem = nn.ModuleList(block(1, windows[0]) for _ in range(c.stem_blocks))
        self.branch = nn.ModuleList(block(2, window) for window in windows[1:])
        zero_biases(self)
        self.neck = Neck(c, c.head_kernel)
        self.classify = ClassificationHead(head(c, c.classes), c.class_prior)
        self.regress = RegressionHead(head(c, 2), c.levels, start=0.0)

    def forward(
        self, visual: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], mask: Bool[Tensor, "B T"]
    ) -> DenseOutputs:
        T = mask.shape[1]
        length = padded_length(T, self.config, self.unit, spare=spare_steps(self.config))
        x, m = padded(torch.cat([visual, audio], dim=-1), mask, length)
        x = self.embedding(x, m)
        row: Row = self.neck(*pyramid(x, m, self.stem, self.branch))
        logits = self.classify(row.x, row.mask, row.real)
        offsets = self.regress(row.x, row.mask, row.lengths, row.real)
        return row.outputs(logits, offsets, T)


def build(config: ActionFormerConfig) -> ActionFormer:
    """The network of these settings."""
    return ActionFormer(config)
