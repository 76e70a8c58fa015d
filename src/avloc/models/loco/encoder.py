"""Unimodal encoding of one modality: masked convolutions > position encoding > transformer blocks.

Paper, Section 3.2 (multimodal input encoding); embedding as in UnAV (Geng et al. 2023).
Legend: B batch, T time, C channels.
"""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import LocoConfig
from avloc.models.attention import TransformerBlock
from avloc.models.blocks import ConvStack, masked, sinusoid


class UnimodalEncoder(ConvStack):
    """Features of one modality (B, T, Din) -> f_v or f_a (B, T, C)."""

    def __init__(self, width_in: int, config: LocoConfig) -> None:
        c = config
        super().__init__(width_in, c.width)
        self.position = c.position
        self.input_dropout = nn.Dropout(c.input_dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                c.width, c.heads, c.ffn_ratio, c.dropout, c.drop_path, c.self_window, scaled=c.residual_scales
            )
            for _ in range(c.unimodal_blocks)
        )

    def forward(  # type: ignore[override]  # an encoder is no part of a row of levels
        self, x: Float[Tensor, "B T Din"], mask: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B T C"]:
        x = super().forward(self.input_dropout(x), mask)
        if self.position:
            x = masked(x + sinusoid(x.shape[1], x.shape[2]).to(x), mask)
        for block in self.blocks:
            x = block(x, mask)
        return x
