"""Classification and class-aware regression heads, shared by the pyramid's levels.

Paper, Section 3.2 (multimodal decoder). Legend: B batch, T moments, C channels, K classes, L levels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.models.loco.encoder import MaskedConv


class ConvHead(nn.Module):
    """Three 1-D convolutions with LayerNorm and ReLU between them."""

    def __init__(self, width_in: int, width: int, width_out: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(MaskedConv(w, width, bias=False) for w in (width_in, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.last = MaskedConv(width, width_out)

    def forward(self, x: Float[Tensor, "B T Ci"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T Co"]:
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x, mask)))
        return self.last(x, mask)  # type: ignore[no-any-return]


class ClassificationHead(nn.Module):
    """Logits (B, T, K); the bias starts at the prior of a rare class (Lin et al. 2017, Section 4.1)."""

    def __init__(self, width_in: int, width: int, classes: int, prior: float) -> None:
        super().__init__()
        self.convs = ConvHead(width_in, width, classes)
        bias = self.convs.last.conv.bias
        assert bias is not None
        nn.init.constant_(bias, -math.log((1 - prior) / prior))

    def forward(self, x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T K"]:
        return self.convs(x, mask)  # type: ignore[no-any-return]


class RegressionHead(nn.Module):
    """Distances (B, T, K, 2) from a moment to start and end of each class's event, in strides of the level."""

    def __init__(self, width_in: int, width: int, classes: int, levels: int) -> None:
        super().__init__()
        self.convs = ConvHead(width_in, width, 2 * classes)
        self.scales = nn.Parameter(torch.ones(levels))
        # Distances start near one stride: a ReLU that starts at zero on all moments would not learn.
        bias = self.convs.last.conv.bias
        assert bias is not None
        nn.init.ones_(bias)

    def forward(
        self, x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"], lengths: Sequence[int]
    ) -> Float[Tensor, "B T K 2"]:
        """`lengths`: how many moments each level has."""
        scales = torch.cat([scale.expand(n) for scale, n in zip(self.scales, lengths, strict=True)])
        y = torch.relu(self.convs(x, mask) * scales[:, None])
        return y.reshape(*y.shape[:2], -1, 2)  # (B, T, K, 2)
