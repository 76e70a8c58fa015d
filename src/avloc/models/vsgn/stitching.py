"""Self-stitching: a short clip stands beside a magnified copy of itself, and what is found on either is one thing.

Zhao, Thabet and Ghanem 2021, Section 3.2 (video self-stitching). Legend: B batch, T steps of the clips, S
steps of the
network, D features, N events, P boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from avloc.config import VsgnConfig


def take_rows(table: Float[Tensor, "B T C"], index: Int[Tensor, "B N"]) -> Float[Tensor, "B N C"]:
    """Rows of each item by their numbers."""
    B, T, C = table.shape
    first = torch.arange(B, device=index.device)[:, None] * T
    return table.reshape(B * T, C).index_select(0, (index + first).flatten()).reshape(B, -1, C)


@dataclass(frozen=True)
class Clips:
    """Where the clips of a batch stand in the network's steps.

    `steps` are what a clip, the gap and its copy fill; `lengths` (B,) those of the clips; `stitched` (B,) says
    which of
    them have a copy.
    """

    steps: int
    gap: int
    lengths: Int[Tensor, "B"]
    stitched: Bool[Tensor, "B"]

    @classmethod
    def of(cls, mask: Bool[Tensor, "B T"], config: VsgnConfig) -> Clips:
        """The clips that a batch holds."""
        lengths = mask.sum(dim=1)
        short = lengths <= int(config.stitch_share * config.steps)
        return cls(config.steps, config.stitch_gap, lengths, short if config.stitch else torch.zeros_like(short))

    @property
    def copies(self) -> Int[Tensor, "B"]:
        """Steps of each copy."""
        return (self.steps - self.gap - self.lengths).clamp(min=1)

    @property
    def copied_from(self) -> Int[Tensor, "B"]:
        """First step of each copy."""
        return self.lengths + self.gap

    def laid_out(self, clips: Float[Tensor, "B T D"], length: int) -> Float[Tensor, "B S D"]:
        """The network's input of `length` steps: the clips, zeros, and the copies, drawn out linearly end to end."""
        step = torch.arange(length, device=clips.device)[None]
        n, first = self.lengths[:, None], self.copied_from[:, None]
        source = (step - first) * ((n - 1).clamp(min=0) / (self.copies[:, None] - 1).clamp(min=1))
        source = torch.minimum(source.clamp(min=0), (n - 1).clamp(min=0))
        low = source.floor().long()
        share = source - low
        is_copy = self.stitched[:, None] & (step >= first) & (step < self.steps)
        empty = clips.shape[1]  # the number of a row of zeros
        low = torch.where(is_copy, low, torch.where(step < n, step, empty))
        high = torch.where(is_copy, torch.minimum(low + 1, (n - 1).clamp(min=0)), low)
        rows = F.pad(clips, (0, 0, 0, 1))
        return torch.lerp(take_rows(rows, low), take_rows(rows, high), (share * is_copy)[..., None].to(clips.dtype))

    def magnified(self, length: int, stride: int) -> Bool[Tensor, "B T"]:
        """Which of `length` steps of a level are those of copies."""
        first = torch.div(self.copied_from, stride, rounding_mode="floor")
        return self.stitched[:, None] & (torch.arange(length, device=first.device)[None] >= first[:, None])

    def twice(
        self, segments: Float[Tensor, "B N 2"], labels: Int[Tensor, "B N"]
    ) -> tuple[Float[Tensor, "B N2 2"], Int[Tensor, "B N2"]]:
        """Events of the clips and of their copies; labels are -1 where there is none."""
        scale = self.copies / self.lengths.clamp(min=1)
        copied = segments * scale[:, None, None] + self.copied_from[:, None, None]
        own = torch.where(self.stitched[:, None], labels, -1)
        return torch.cat([segments, copied], dim=1), torch.cat([labels, own], dim=1)

    def back(self, boxes: Float[Tensor, "B P 2"]) -> Float[Tensor, "B P 2"]:
        """Boxes in steps of the clips: those that begin behind the clip are of its copy."""
        of_copy = self.stitched[:, None] & (boxes[..., 0] >= self.lengths[:, None])
        scale = self.lengths / self.copies
        shrunk = (boxes - self.copied_from[:, None, None]) * scale[:, None, None]
        return torch.where(of_copy[..., None], shrunk, boxes)
