"""Losses of networks that judge anchors: class, box, adjusted boundary, and what frames are.

Zhao, Thabet and Ghanem 2021, Section 3.5. Each loss of anchors has positives of its own: the box is learned by
anchors
that fit an event, the class by boxes that do, the adjustment of boundaries by those that fit it well.
Legend: B batch, P anchors, N events (padded), S steps of the network, K classes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from avloc.config import AnchorLossConfig, NetworkConfig
from avloc.learning.losses import Criterion, Losses, Truth
from avloc.models.vsgn.network import AnchorOutputs

_OPEN = 1e-7  # keeps a quotient of lengths finite
_LEAST = 1e-5  # keeps the logarithm of a probability finite
_WIDTH = 1.5  # steps around a boundary that count as it


def match(boxes: Float[Tensor, "*B P 2"], truth: Truth, threshold: float) -> Int[Tensor, "B P"]:
    """The event that each box learns, -1 where it learns none.

    A box of IoU `threshold` or more takes the event that it overlaps most. The boxes that overlap an event more than
    any other box does are positive as well, however little that is, so that no event is left out; they too take the
    event that they overlap most. An event that no box overlaps is left out.
    """
    B, N = truth.labels.shape
    if N == 0:
        return torch.full((B, boxes.shape[-2]), -1, device=boxes.device)
    own = truth.segments[:, None]  # (B, 1, N, 2)
    boxes = boxes[..., None, :]  # (B or none, P, 1, 2)
    inside = (torch.minimum(boxes[..., 1], own[..., 1]) - torch.maximum(boxes[..., 0], own[..., 0])).clamp(min=0)
    # A box of whole steps holds both its ends; an event is a stretch of time.
    union = (boxes[..., 1] - boxes[..., 0] + 1) + (own[..., 1] - own[..., 0]) - inside
    iou = (inside / union).masked_fill(truth.labels[:, None] < 0, 0.0)  # (B, P, N)
    most, event = iou.max(dim=2)
    is_best = ((iou == iou.amax(dim=1, keepdim=True)) & (iou > 0)).any(dim=2)
    return torch.where((most >= threshold) | is_best, event, -1)


def giou_loss(boxes: Float[Tensor, "M 2"], events: Float[Tensor, "M 2"]) -> Float[Tensor, "M"]:
    """1 - gIoU of pairs that need not touch (Rezatofighi et al. 2019); ends in any order."""
    low, high = boxes.amin(dim=1), boxes.amax(dim=1)
    start, end = events.unbind(dim=1)
    inside = (torch.minimum(high, end) - torch.maximum(low, start)).clamp(min=0)
    union = (high - low) + (end - start) - inside + _OPEN
    enclosing = torch.maximum(high, end) - torch.minimum(low, start) + _OPEN
    return 1 - inside / union + (enclosing - union) / enclosing


def frame_targets(truth: Truth, steps: int) -> tuple[Bool[Tensor, "B S"], Bool[Tensor, "B S"], Bool[Tensor, "B S"]]:
    """Which steps are inside an event, at a start, at an end.

    Step i is inside from half a step before the start to half a step behind the end. It is at a boundary where more
    than half of the stretch from i to i + 1 lies within 1.5 steps of it.
    """
    step = torch.arange(steps, device=truth.labels.device)[None, :, None]
    start, end = truth.segments[:, None].unbind(dim=3)  # (B, 1, N) each
    real = truth.labels[:, None] >= 0

    def at(boundary: Tensor) -> Tensor:
        shared = torch.minimum(step + 1, boundary + _WIDTH) - torch.maximum(step, boundary - _WIDTH)
        return ((shared > 0.5) & real).any(dim=2)

    inside = (step >= start - 0.5) & (step <= end + 0.5) & real
    return inside.any(dim=2), at(start), at(end)


class AnchorCriterion(Criterion):
    """A loss without positives is zero; so is each loss of a batch without events but that of the class."""

    def __init__(self, config: AnchorLossConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: AnchorOutputs, truth: Truth) -> Losses:
        """Losses of a batch."""
        c = self.config
        truth = Truth(*outputs.clips.twice(truth.segments, truth.labels))
        boxes = outputs.boxes.detach()
        frames = frame_targets(truth, outputs.action.shape[1])
        said = {"action": outputs.action, "start": outputs.start, "end": outputs.end}
        parts = {
            "class": self._class(outputs.logits, match(boxes, truth, c.match_class), truth),
            "box": self._boxes(outputs.boxes, match(outputs.anchors, truth, c.match_box), truth),
            "boundary": self._boxes(outputs.adjusted, match(boxes, truth, c.match_boundary), truth),
            **{name: self._frames(p, is_so) for (name, p), is_so in zip(said.items(), frames, strict=True)},
        }
        of_frames = parts["action"] + parts["start"] + parts["end"]
        total = parts["class"] + c.box_weight * parts["box"] + c.boundary_weight * parts["boundary"]
        return Losses(total + c.frame_weight * of_frames, parts)

    def _mean(self, values: Float[Tensor, "M"]) -> Float[Tensor, ""]:
        """Over all processes; zero of none."""
        count = self.ranks.total(torch.tensor(float(len(values)), device=values.device))
        return values.sum() * self.ranks.world / count.clamp(min=1)

    def _class(self, logits: Float[Tensor, "B P K1"], event: Int[Tensor, "B P"], truth: Truth) -> Float[Tensor, ""]:
        """Cross-entropy: its mean over positives, and over background."""
        positive = event >= 0
        target = torch.zeros_like(event)
        video = positive.nonzero()[:, 0]
        target[positive] = truth.labels[video, event[positive]] + 1
        loss = F.cross_entropy(logits.float().flatten(0, 1), target.flatten(), reduction="none").reshape(event.shape)
        return self._mean(loss[positive]) + self._mean(loss[~positive])

    def _boxes(self, boxes: Float[Tensor, "B P 2"], event: Int[Tensor, "B P"], truth: Truth) -> Float[Tensor, ""]:
        """Generalised IoU of positives with their events."""
        positive = event >= 0
        video = positive.nonzero()[:, 0]
        return self._mean(giou_loss(boxes[positive], truth.segments[video, event[positive]]))

    def _frames(self, p: Float[Tensor, "B S"], is_so: Bool[Tensor, "B S"]) -> Float[Tensor, ""]:
        """Cross-entropy in which all positives weigh as much as all negatives."""
        counts = torch.stack([is_so.sum(), (~is_so).sum()]).float()
        of, against = self.ranks.total(counts).unbind()
        weight = torch.where(is_so, 0.5 / of.clamp(min=1), 0.5 / against.clamp(min=1))
        loss = -torch.log(torch.where(is_so, p, 1 - p) + _LEAST)
        return (loss * weight).sum() * self.ranks.world * (of > 0)


def build(loss: AnchorLossConfig, network: NetworkConfig) -> AnchorCriterion:
    """The criterion of these settings, for any network that judges anchors."""
    return AnchorCriterion(loss)
