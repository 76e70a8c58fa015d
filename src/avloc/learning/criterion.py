"""Outputs and truth > named losses (paper, Section 3.5, Eq. 9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import LccConfig, LossConfig
from avloc.learning.correspondence import correspondence_loss
from avloc.learning.focal import focal_loss
from avloc.learning.iou_loss import diou_loss, giou_loss
from avloc.learning.targets import Truth, assign_targets
from avloc.models.lcc import Correspondence
from avloc.models.loco import Outputs
from avloc.timegrid import pyramid_moments


@dataclass(frozen=True, slots=True)
class Ranks:
    """Several processes that share one batch: `total` sums a tensor over them, `gather` stacks it along axis 0.

    Gradients flow back through `gather`. Each process then averages its gradients with the others', so that losses
    that are sums over a process's own videos are multiplied by `world`.
    """

    world: int
    total: Callable[[Tensor], Tensor]
    gather: Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Losses:
    """Classification, regression and correspondence loss, and their weighted sum."""

    classification: Float[Tensor, ""]
    regression: Float[Tensor, ""]
    correspondence: Float[Tensor, ""]
    total: Float[Tensor, ""]


class Criterion(nn.Module):
    """Eq. 9. Both detection losses are divided by a moving average of the number of positives."""

    normalizer: Tensor

    def __init__(self, config: LossConfig, lcc: LccConfig, levels: int, ranks: Ranks | None = None) -> None:
        super().__init__()
        self.ranks = ranks
        self.config = config
        self.lcc = lcc
        self.levels = levels
        self.register_buffer("normalizer", torch.tensor(config.normalizer_start))

    def forward(self, outputs: Outputs, mask: Bool[Tensor, "B T"], truth: Truth) -> Losses:
        """`mask` (B, T) is the batch's own mask on the finest grid."""
        c = self.config
        moments = pyramid_moments(mask.shape[1], self.levels)
        targets = assign_targets(moments, truth, outputs.mask, outputs.logits.shape[-1])
        count = targets.positive.sum()
        if self.ranks is not None:
            count = self.ranks.total(count)
        self.normalizer.lerp_(count.clamp(min=1).to(self.normalizer.dtype), 1 - c.normalizer_momentum)
        share = (1 if self.ranks is None else self.ranks.world) / self.normalizer
        own = outputs.mask
        focal = focal_loss(outputs.logits[own].float(), targets.positive[own], c.focal_alpha, c.focal_gamma)
        classification = focal.sum() * share
        iou_loss = giou_loss if c.iou == "giou" else diou_loss
        at = targets.positive
        regression = iou_loss(outputs.offsets[at].float(), targets.offsets[at]).sum() * share
        correspondence = self._correspondence(outputs, mask)
        total = classification + regression + c.lcc_weight * correspondence
        return Losses(classification, regression, correspondence, total)

    def _correspondence(self, outputs: Outputs, mask: Bool[Tensor, "B T"]) -> Float[Tensor, ""]:
        """LCC over the whole batch: negatives come from the videos of all processes."""
        c = outputs.correspondence
        if not self.config.lcc_weight:
            # Zero, yet of these parameters: several processes wait for a gradient of each.
            return 0.0 * (c.visual.sum() + c.audio.sum() + c.temperature + c.sigma_steps)
        if self.ranks is None:
            return correspondence_loss(c, mask, self.lcc)
        everyone = Correspondence(
            self.ranks.gather(c.visual), self.ranks.gather(c.audio), c.temperature, c.sigma_steps
        )
        return correspondence_loss(everyone, self.ranks.gather(mask), self.lcc)
