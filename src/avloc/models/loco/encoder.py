"""Unimodal encoding of one modality: masked convolutions > position encoding > transformer blocks.

Paper, Section 3.2 (multimodal input encoding); embedding as in UnAV (Geng et al. 2023).
Legend: B batch, T time, C channels.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import LocoConfig
from avloc.models.attention import TransformerBlock, masked


class MaskedConv(nn.Module):
    """1-D convolution over time that neither reads nor writes padding."""

    def __init__(self, width_in: int, width_out: int, kernel: int = 3, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width_in, width_out, kernel, padding=kernel // 2, bias=bias)

    def forward(self, x: Float[Tensor, "B T Ci"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T Co"]:
        y = self.conv(masked(x, mask).transpose(1, 2)).transpose(1, 2)
        return masked(y, mask)


def sinusoid(length: int, width: int) -> Float[Tensor, "T C"]:
    """Sine and cosine position encoding (Vaswani et al. 2017, Section 3.5), scaled by 1 / sqrt(width).

    The scale is ActionFormer's: unscaled, the code would drown the embedding at the start of training.
    """
    position: Tensor = torch.arange(length, dtype=torch.float32)[:, None]
    rate: Tensor = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))
    code = torch.zeros(length, width)
    code[:, 0::2] = torch.sin(position * rate)
    code[:, 1::2] = torch.cos(position * rate)
    return code * (1 / math.sqrt(width))


class UnimodalEncoder(nn.Module):
    """Features of one modality (B, T, Din) -> f_v or f_a (B, T, C)."""

    def __init__(self, width_in: int, config: LocoConfig) -> None:
        super().__init__()
        c = config
        self.position = c.position
        self.input_dropout = nn.Dropout(c.input_dropout)
        self.convs = nn.ModuleList(MaskedConv(w, c.width, bias=False) for w in (width_in, c.width))
        self.norms = nn.ModuleList(nn.LayerNorm(c.width) for _ in range(2))
        self.blocks = nn.ModuleList(
            TransformerBlock(c.width, c.heads, c.ffn_ratio, c.dropout, c.drop_path, c.self_window)
            for _ in range(c.unimodal_blocks)
        )

    def forward(self, x: Float[Tensor, "B T Din"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T C"]:
        x = self.input_dropout(x)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x, mask)))
        if self.position:
            x = masked(x + sinusoid(x.shape[1], x.shape[2]).to(x), mask)
        for block in self.blocks:
            x = block(x, mask)
        return x
