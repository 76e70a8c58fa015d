"""How events depend on one another: each class looks along time, and at the other classes of its step.

UnAV (Geng et al. 2023, Section 4.3): expand to some channels a class > temporal branch + co-occurrence branch >
squeeze. In the authors' code the temporal branch gives most videos of a batch the mask of another one, so that its
results depend on which videos share a batch; here each has its own, which is what theirs does with one video.
Classes are neighbours in the order of their ids: convolutions of the co-occurrence branch run over them.
Legend: B batch, S steps of all levels in one row, T time of a level, C channels, K classes, E channels of a class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from avloc.models.blocks import zero_biases
from avloc.models.conv_attention import ConvAttentionBlock
from avloc.models.family import Row
from avloc.models.wide_conv import WideConv

OFFICIAL_BRANCHES = (
    (r"\.feature_expand\.conv\.", ".expand.conv."),
    (r"\.feature_squeeze\.conv\.", ".squeeze.conv."),
    (r"\.temporal_branch\.", ".branches.temporal."),
    (r"\.cooccur_branch\.", ".branches.cooccurrence."),
)


_TENSORS = 34
"""Of the input's size, which both branches keep."""


@dataclass
class Room:
    """Bytes that may still be kept."""

    left: int

    def takes(self, size: int) -> bool:
        """Whether there is room for so many more, which are then taken."""
        fits = size <= self.left
        self.left -= size if fits else 0
        return fits


class Branches(nn.Module):
    """Attention of each class over time, plus attention over the classes of each step; shared by all levels."""

    def __init__(self, width: int, drop_path: float, reads_padding: bool) -> None:
        super().__init__()

        def block() -> ConvAttentionBlock:
            return ConvAttentionBlock(
                width, 1, drop_path=drop_path, crossed=True, reads_padding=reads_padding, ffn_width=width
            )

        self.temporal = block()
        self.cooccurrence = block()

    def forward(self, x: Float[Tensor, "B T K E"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T K E"]:
        B, T, K, E = x.shape
        by_class = x.transpose(1, 2).reshape(B * K, T, E)
        own_mask = mask[:, None].expand(B, K, T).reshape(B * K, T)
        over_time = self.temporal(by_class, own_mask)[0].reshape(B, K, T, E).transpose(1, 2)
        by_step = x.reshape(B * T, K, E)
        all_or_none = mask.reshape(B * T, 1).expand(B * T, K)
        over_classes = self.cooccurrence(by_step, all_or_none)[0].reshape(B, T, K, E)
        return over_time + over_classes  # type: ignore[no-any-return]

    def by_parts(
        self, x: Float[Tensor, "B T K E"], mask: Bool[Tensor, "B T"], most: int, room: Room
    ) -> Float[Tensor, "B T K E"]:
        """The same, for about `most` steps at a time: where there is no room to keep what is in between for the
        gradient, it is made anew."""
        videos = max(1, most // x.shape[1])
        trains = self.training and torch.is_grad_enabled()
        parts = zip(torch.split(x, videos), torch.split(mask, videos), strict=True)
        return torch.cat([self._cut(part, own, room) if trains else self(part, own) for part, own in parts])

    def _cut(self, x: Float[Tensor, "B T K E"], mask: Bool[Tensor, "B T"], room: Room) -> Float[Tensor, "B T K E"]:
        """Of the padding one step alone is looked at, which is as far as convolutions read."""
        T = mask.shape[1]
        inside = mask.any(dim=0).nonzero()
        length = min(T, int(inside[-1]) + 2) if len(inside) else 1
        x, mask = x[:, :length], mask[:, :length]
        is_kept = room.takes(_TENSORS * x.numel() * x.element_size())
        y: Tensor = self(x, mask) if is_kept else checkpoint(self, x, mask, use_reentrant=False)
        return F.pad(y, (0, 0, 0, 0, 0, T - length))


class Dependency(nn.Module):
    """Row of levels (B, S, C) > the same with classes that know of one another.

    `room`: bytes that a training step may keep for the gradient of the branches.
    """

    room = 1_500_000_000

    def __init__(self, width: int, classes: int, class_width: int, *, drop_path: float, reads_padding: bool) -> None:
        super().__init__()
        self.classes = classes
        inner = classes * class_width
        self.expand = WideConv(width, inner, reads_padding=reads_padding)
        self.branches = Branches(class_width, drop_path, reads_padding)
        self.squeeze = WideConv(inner, width, reads_padding=reads_padding)
        zero_biases(self)

    def forward(self, row: Row) -> Row:
        """Wide convolutions run once over the row, whose levels they do not tell apart."""
        return replace(row, x=self.squeeze(self._related(row), row.mask, row.real))

    def _related(self, row: Row) -> Float[Tensor, "B S KE"]:
        expanded, gap, room = self.expanded(row), row.gap, Room(self.room)
        related = [
            F.pad(self.branches.by_parts(x, mask, max(row.lengths), room).flatten(2), (0, 0, 0, gap))
            for x, mask in zip(row.levels(expanded), row.levels(row.mask), strict=True)
        ]
        return torch.cat(related, dim=1)

    def expanded(self, row: Row) -> Float[Tensor, "B S K E"]:
        """Some channels for each class."""
        expanded = torch.relu(self.expand(row.x, row.mask, row.real))
        return expanded.reshape(*expanded.shape[:2], self.classes, -1)
