"""Outputs and truth > named losses (paper, Section 3.5, Eq. 9)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import LccConfig, LossConfig
from avloc.learning.correspondence import correspondence_loss
from avloc.learning.focal import focal_loss
from avloc.learning.iou_loss import diou_loss, giou_loss
from avloc.learning.targets import Truth, assign_targets
from avloc.models.loco import Outputs
from avloc.timegrid import pyramid_moments


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

    def __init__(self, config: LossConfig, lcc: LccConfig, levels: int) -> None:
        super().__init__()
        self.config = config
        self.lcc = lcc
        self.levels = levels
        self.register_buffer("normalizer", torch.tensor(config.normalizer_start))

    def forward(self, outputs: Outputs, mask: Bool[Tensor, "B T"], truth: Truth) -> Losses:
        """`mask` (B, T) is the batch's own mask on the finest grid."""
        c = self.config
        moments = pyramid_moments(mask.shape[1], self.levels)
        targets = assign_targets(moments, truth, outputs.mask, outputs.logits.shape[-1])
        count = targets.positive.sum().clamp(min=1)
        self.normalizer.lerp_(count.to(self.normalizer.dtype), 1 - c.normalizer_momentum)
        logits = outputs.logits[outputs.mask]
        classification = (
            focal_loss(logits, targets.positive[outputs.mask], c.focal_alpha, c.focal_gamma).sum() / self.normalizer
        )
        iou_loss = giou_loss if c.iou == "giou" else diou_loss
        regression = (
            iou_loss(outputs.offsets[targets.positive], targets.offsets[targets.positive]).sum() / self.normalizer
        )
        if c.lcc_weight:
            correspondence = correspondence_loss(outputs.correspondence, mask, self.lcc)
        else:
            correspondence = outputs.logits.new_zeros(())
        total = classification + regression + c.lcc_weight * correspondence
        return Losses(classification, regression, correspondence, total)
