"""Attention to a few places in time that each query chooses.

Zhu et al. 2021 (Deformable DETR), in time as in Liu et al. 2022 (TadTR).
Legend: B batch, T time, C channels, Q queries, H heads, D channels per head, S sampled places of a head.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.models.attention import split_heads
from avloc.models.blocks import masked
from avloc.models.sampling import sample_fading


class DeformableAttention(nn.Module):
    """Each query reads a few places that it chooses around its own (Zhu et al. 2021)."""

    def __init__(self, width: int, heads: int, points: int) -> None:
        super().__init__()
        self.heads, self.points = heads, points
        self.sampling_offsets = nn.Linear(width, heads * points)
        self.attention_weights = nn.Linear(width, heads * points)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        # At first heads look to the right, ahead, to the left, ahead, ..., each a step further from point to point.
        side = torch.cos(torch.arange(heads) * (4 * math.pi / heads))
        with torch.no_grad():
            self.sampling_offsets.bias.copy_((side[:, None] * torch.arange(1, points + 1)).flatten())
        for zero in (self.sampling_offsets.weight, self.attention_weights.weight, self.attention_weights.bias):
            nn.init.zeros_(zero)
        for layer in (self.value, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def places(
        self,
        query: Float[Tensor, "B Q C"],
        centre: Float[Tensor, "B Q"],
        extent: Float[Tensor, "B Q"] | None,
    ) -> Float[Tensor, "B Q H S"]:
        """Where each query looks, in steps. Its own place is given from the beginning of the first step's cell on, as
        a point, or as a segment with an extent; of a segment the offsets are shares."""
        # Places in single precision: half precision has only whole steps left from step 128 on.
        offset: Tensor = self.sampling_offsets(query).float().reshape(*query.shape[:2], self.heads, self.points)
        if extent is not None:
            offset = offset * (extent * (0.5 / self.points))[..., None, None]
        return centre[..., None, None] + offset - 0.5

    def shares(self, query: Float[Tensor, "B Q C"]) -> Float[Tensor, "B Q H S"]:
        """How much each place counts; 1 in all, head by head."""
        weights: Tensor = self.attention_weights(query)
        return weights.reshape(*query.shape[:2], self.heads, self.points).softmax(dim=-1)

    def forward(
        self,
        query: Float[Tensor, "B Q C"],
        centre: Float[Tensor, "B Q"],
        extent: Float[Tensor, "B Q"] | None,
        memory: Float[Tensor, "B T C"],
        mask: Bool[Tensor, "B T"],
    ) -> Float[Tensor, "B Q C"]:
        """Beyond a video's ends there is zero to be read."""
        B, Q, H, S = *query.shape[:2], self.heads, self.points
        value = split_heads(masked(self.value(memory), mask), H)  # (B, H, T, D)
        places = self.places(query, centre, extent).transpose(1, 2).reshape(B, H, Q * S)
        sampled = sample_fading(value, places).reshape(B, H, Q, S, -1)
        shares = self.shares(query).transpose(1, 2)[..., None]  # (B, H, Q, S, 1)
        y: Tensor = self.out((sampled * shares).sum(dim=3).transpose(1, 2).reshape(B, Q, -1))
        return y
