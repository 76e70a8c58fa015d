"""What any network says of a batch: scores and segments. How it comes to them is its own affair.

Decoding, runners, export and detection read `Outputs` alone; the points of a pyramid (`DenseOutputs`) are one way of
getting there, queries and anchors are others.
Legend: B batch, T time, P points of all levels (or queries, or anchors), K classes, S segments a point (K or 1),
Q queries, L decoder layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Outputs(Protocol):
    """Scores (B, P, K) from 0 to 1; segments (B, P, K or 1, 2), start and end in steps of the grid; mask (B, P).

    The mask is true where there is something to say; elsewhere scores and segments mean nothing. A class-agnostic
    method has one segment for all classes of a point. `place` (P,) or (B, P) is the step that each speaks for: where
    windows of a long video overlap, each keeps what stands in its middle.
    """

    @property
    def scores(self) -> Float[Tensor, "B P K"]: ...

    @property
    def segments(self) -> Float[Tensor, "B P S 2"]: ...

    @property
    def mask(self) -> Bool[Tensor, "B P"]: ...

    @property
    def place(self) -> Float[Tensor, "*B P"]: ...


@dataclass(frozen=True, slots=True)
class Points:
    """The points of all pyramid levels in one row, finest level first; columns of shape (P,).

    A point stands at `step` of the finest grid, on a level of `stride` steps.
    """

    step: Float[Tensor, "P"]
    stride: Float[Tensor, "P"]

    def __len__(self) -> int:
        return len(self.step)


def pyramid_points(length: int, levels: int, device: torch.device | None = None) -> Points:
    """Points of a pyramid over `length` steps, a multiple of the coarsest of the strides 1, 2, 4, ..."""
    counts = [length >> level for level in range(levels)]
    step = [torch.arange(n, dtype=torch.float32, device=device) * 2**level for level, n in enumerate(counts)]
    stride = [torch.full((n,), float(2**level), device=device) for level, n in enumerate(counts)]
    return Points(torch.cat(step), torch.cat(stride))


@dataclass(frozen=True)
class DenseOutputs:
    """Every point of a pyramid judges every class.

    logits (B, P, K); offsets (B, P, K or 1, 2) from the point to start and end, in strides of its level; mask (B, P)
    is true where a point lies inside its video.
    """

    logits: Float[Tensor, "B P K"]
    offsets: Float[Tensor, "B P S 2"]
    mask: Bool[Tensor, "B P"]
    points: Points

    @property
    def scores(self) -> Float[Tensor, "B P K"]:
        return torch.sigmoid(self.logits.float())

    @property
    def segments(self) -> Float[Tensor, "B P S 2"]:
        step, stride = self.points.step[:, None], self.points.stride[:, None]
        reach = self.offsets.float() * stride[..., None]
        return torch.stack([step - reach[..., 0], step + reach[..., 1]], dim=-1)

    @property
    def place(self) -> Float[Tensor, "P"]:
        return self.points.step

    @property
    def is_class_aware(self) -> bool:
        """Whether each class of a point has a segment of its own."""
        return self.offsets.shape[2] > 1 or self.logits.shape[2] == 1

    def offsets_at(self, at: tuple[Int[Tensor, "M"], Int[Tensor, "M"], Int[Tensor, "M"]]) -> Float[Tensor, "M 2"]:
        """Offsets of chosen videos, points and classes; what a method decodes only there costs only that."""
        video, point, label = at
        return self.offsets[video, point, label if self.offsets.shape[2] > 1 else torch.zeros_like(label)]


@dataclass(frozen=True)
class QueryOutputs:
    """A set of segments, said again by every decoder layer, the best last.

    logits (L, B, Q, K); spans (L, B, Q, 2) are centre and width in shares of a video's own steps: 0 is half a step
    before the first, 1 half a step behind the last; actionness (B, Q) from 0 to 1, how well a segment fits any event;
    lengths (B,) in steps. A video without steps has nothing to say.
    """

    logits: Float[Tensor, "L B Q K"]
    spans: Float[Tensor, "L B Q 2"]
    actionness: Float[Tensor, "B Q"]
    lengths: Float[Tensor, "B"]

    @property
    def scores(self) -> Float[Tensor, "B Q K"]:
        return torch.sigmoid(self.logits[-1].float()) * self.actionness.float()[..., None]

    @property
    def segments(self) -> Float[Tensor, "B Q 1 2"]:
        centre, width = (self.spans[-1].float() * self.lengths[:, None, None]).unbind(dim=-1)
        return torch.stack([centre - width / 2, centre + width / 2], dim=-1)[:, :, None] - 0.5

    @property
    def mask(self) -> Bool[Tensor, "B Q"]:
        return (self.lengths > 0)[:, None].expand(self.actionness.shape)

    @property
    def place(self) -> Float[Tensor, "B Q"]:
        """The centres, on steps that the video has."""
        centre = self.spans[-1][..., 0].float() * self.lengths[:, None] - 0.5
        return torch.minimum(centre.clamp(min=0), (self.lengths - 1).clamp(min=0)[:, None])
