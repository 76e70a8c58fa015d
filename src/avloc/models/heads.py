"""Classification and regression heads, shared by the levels of a pyramid.

Legend: B batch, T points of a level or of all levels in one row, C channels, K classes, L levels, S segments a point
(K, or 1 for all classes).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.models.blocks import ConvStack, MaskedConv


class ConvHead(ConvStack):
    """1-D convolutions with LayerNorm and ReLU between them, the last one to the outputs."""

    def __init__(
        self,
        width_in: int,
        width: int,
        width_out: int,
        *,
        blocks: int = 2,
        kernel: int = 3,
        normed: bool = True,
        reads_padding: bool = False,
    ) -> None:
        super().__init__(width_in, width, blocks, kernel, normed=normed, reads_padding=reads_padding)
        self.last = MaskedConv(width if blocks else width_in, width_out, kernel, reads_padding=reads_padding)

    def forward(
        self, x: Float[Tensor, "B T Ci"], mask: Bool[Tensor, "B T"], real: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T Co"]:
        return self.last(super().forward(x, mask, real), mask, real)  # type: ignore[no-any-return]

    def start_at(self, bias: float) -> None:
        """Outputs begin around this value."""
        assert self.last.conv.bias is not None
        nn.init.constant_(self.last.conv.bias, bias)


class ClassificationHead(nn.Module):
    """Logits (B, T, K); the bias starts at the prior of a rare class (Lin et al. 2017, Section 4.1)."""

    def __init__(self, convs: ConvHead, prior: float) -> None:
        super().__init__()
        self.convs = convs
        convs.start_at(-math.log((1 - prior) / prior))

    def forward(
        self, x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"], real: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T K"]:
        return self.convs(x, mask, real)  # type: ignore[no-any-return]


class RegressionHead(nn.Module):
    """Distances (B, T, S, 2) >= 0 from a point to start and end of its segments, in strides of its level.

    `start`: where distances begin; at 0 about half of them do not learn at first, behind the ReLU.
    """

    def __init__(self, convs: ConvHead, levels: int, start: float) -> None:
        super().__init__()
        self.convs = convs
        self.scales = nn.Parameter(torch.ones(levels))
        convs.start_at(start)

    def forward(
        self,
        x: Float[Tensor, "B T C"],
        mask: Bool[Tensor, "B T"],
        lengths: Sequence[int],
        real: Bool[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T S 2"]:
        """`lengths`: how many points each level has."""
        return distances(self.convs(x, mask, real), self.scales, lengths)


def distances(
    y: Float[Tensor, "B T S2"], scales: Float[Tensor, "L"], lengths: Sequence[int]
) -> Float[Tensor, "B T S 2"]:
    """What a last convolution says of the levels in a row, by the scale of each level, and never negative."""
    by_point = torch.cat([scale.expand(n) for scale, n in zip(scales, lengths, strict=True)])
    y = torch.relu(y * by_point[:, None])
    return y.reshape(*y.shape[:2], -1, 2)  # (B, T, S, 2)
