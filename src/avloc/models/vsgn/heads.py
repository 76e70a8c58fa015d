"""Heads: class and box of every anchor, what frames are, and boundaries adjusted by the features around them.

Zhao, Thabet and Ghanem 2021, Section 3.4. Legend: B batch, T steps of a level, S steps of the network, C channels,
A anchors of a place, K classes, P anchors of all levels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from avloc.config import VsgnConfig
from avloc.models.vsgn.stitching import take_rows


def tower(config: VsgnConfig) -> nn.Sequential:
    """Convolutions with group norm and ReLU."""
    layers: list[nn.Module] = []
    for _ in range(config.head_blocks):
        conv = nn.Conv1d(config.width, config.width, 3, padding=1)
        layers += [conv, nn.GroupNorm(config.groups, config.width), nn.ReLU()]
    return nn.Sequential(*layers)


class AnchorHead(nn.Module):
    """Logits (B, P, 1 + K), background first, and shifts (B, P, 2) of every anchor; one head for all levels.

    Background has a layer of its own, and a class its rows, so that classes can be taken over from other networks.
    """

    def __init__(self, config: VsgnConfig) -> None:
        super().__init__()
        self.anchors = len(config.scales)
        self.class_tower, self.box_tower = tower(config), tower(config)
        self.background = nn.Conv1d(config.width, self.anchors, 3, padding=1)
        self.classify = nn.Conv1d(config.width, config.classes * self.anchors, 3, padding=1)
        self.box = nn.Conv1d(config.width, 2 * self.anchors, 3, padding=1)

    def forward(self, levels: list[Float[Tensor, "B C T"]]) -> tuple[Float[Tensor, "B P K1"], Float[Tensor, "B P 2"]]:
        """`levels` finest first, as anchors are."""
        logits, shifts = [], []
        for level in levels:
            x = self.class_tower(level)
            both = torch.cat([self.background(x), self.classify(x)], dim=1)
            apart = both.unflatten(1, (-1, self.anchors))  # type: ignore[no-untyped-call]
            logits.append(apart.permute(0, 3, 2, 1).flatten(1, 2))
            shift = self.box(self.box_tower(level))
            shifts.append(shift.unflatten(1, (self.anchors, 2)).permute(0, 3, 1, 2).flatten(1, 2))
        return torch.cat(logits, dim=1), torch.cat(shifts, dim=1)


class FrameHead(nn.Module):
    """How likely each step of the network is something, from the finest level."""

    def __init__(self, config: VsgnConfig) -> None:
        super().__init__()
        self.conv = nn.Conv1d(config.width, config.width, 3, padding=1)
        self.out = nn.Conv1d(config.width, 1, 1)

    def forward(self, finest: Float[Tensor, "B C T"], length: int) -> Float[Tensor, "B S"]:
        """Drawn out linearly, end to end, to `length` steps."""
        p = torch.sigmoid(self.out(torch.relu(self.conv(finest))))
        return F.interpolate(p.float(), length, mode="linear", align_corners=True)[:, 0]


class BoundaryAdjustment(nn.Module):
    """How far a boundary is from where a box has it, in steps, by the features there and to either side.

    A convolution over these three reads single steps of the finest level: they are multiplied once a step, and what
    is gathered for the boxes is products.
    """

    def __init__(self, config: VsgnConfig) -> None:
        super().__init__()
        self.conv = nn.Conv1d(config.width, config.width, 3)
        self.out = nn.Conv1d(config.width, 1, 1)

    def forward(
        self, finest: Float[Tensor, "B C T"], at: Float[Tensor, "B P"], reach: Float[Tensor, "B P"]
    ) -> Float[Tensor, "B P"]:
        """`at` and `reach`, to either side, in strides of the finest level."""
        x, last = finest.transpose(1, 2), finest.shape[2] - 1
        hidden: Tensor | None = self.conv.bias
        for weight, place in zip(self.conv.weight.unbind(dim=2), (at - reach, at, at + reach), strict=True):
            rows = take_rows(F.linear(x, weight), place.long().clamp(0, last))
            hidden = rows if hidden is None else hidden + rows
        assert hidden is not None
        return F.linear(torch.relu(hidden), self.out.weight[:, :, 0], self.out.bias)[..., 0].float()
