"""Losses of networks that judge every point of a pyramid: focal loss of classes, IoU loss of segments.

Paper, Section 3.5; choices of the works it builds on and of its rivals (Zhang, Wu and Li 2022; Shi et al. 2023).
Legend: B batch, P points, K classes, M positives.
"""

from __future__ import annotations

import torch
from torch import Tensor

from avloc.config import DenseLossConfig, NetworkConfig
from avloc.errors import ConfigError
from avloc.learning.focal import focal_loss
from avloc.learning.iou_loss import diou_loss, giou_loss, interval_iou
from avloc.learning.losses import Criterion, Losses, Truth
from avloc.learning.targets import Targets, assign_targets
from avloc.models.outputs import DenseOutputs

_LEAST_IOU = 1e-6


class DenseCriterion(Criterion):
    """Both losses are divided by a moving average of the number of positives."""

    normalizer: Tensor

    def __init__(self, config: DenseLossConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("normalizer", torch.tensor(float(config.normalizer_start)))

    def forward(self, outputs: DenseOutputs, truth: Truth) -> Losses:
        """Losses of a batch; the normaliser moves before it is used."""
        c = self.config
        targets = assign_targets(
            outputs.points,
            truth,
            outputs.mask,
            outputs.logits.shape[-1],
            class_aware=c.assignment == "class-aware",
            centre_radius=c.centre_radius,
            ranges=c.ranges,
            first_reach=c.first_reach,
            inclusive=c.inclusive,
            same_class=c.same_class,
        )
        share = self._share(targets)
        at = self._positives(outputs, targets)
        label = at[2] if targets.offsets.shape[2] > 1 else torch.zeros_like(at[2])
        predicted, target = outputs.offsets_at(at).float(), targets.offsets[at[0], at[1], label]
        classification = self._classification(outputs, targets, at, predicted, target) * share
        iou_loss = giou_loss if c.iou == "giou" else diou_loss
        regression = iou_loss(predicted, target).sum() * share
        return Losses(
            classification + c.regression_weight * regression,
            {"classification": classification, "regression": regression},
        )

    def _share(self, targets: Targets) -> Tensor:
        """What a sum over positives is multiplied by."""
        of_points = self.config.count == "points"
        count = self.ranks.total((targets.positive.any(dim=2) if of_points else targets.positive).sum())
        momentum = self.config.normalizer_momentum
        self.normalizer.lerp_(count.clamp(min=1).to(self.normalizer.dtype), 1 - momentum)
        return self.ranks.world / self.normalizer

    def _positives(self, outputs: DenseOutputs, targets: Targets) -> tuple[Tensor, Tensor, Tensor]:
        """Video, point and class of each segment that is learned: by pair where classes have their own."""
        if outputs.is_class_aware:
            return targets.positive.nonzero(as_tuple=True)  # type: ignore[return-value]
        if self.config.assignment == "class-aware":
            raise ConfigError("loss.assignment is class-aware; this network has one segment a point: class-agnostic")
        video, point = targets.positive.any(dim=2).nonzero(as_tuple=True)
        return video, point, torch.zeros_like(video)

    def _classification(
        self,
        outputs: DenseOutputs,
        targets: Targets,
        at: tuple[Tensor, Tensor, Tensor],
        predicted: Tensor,
        target: Tensor,
    ) -> Tensor:
        """Sum over valid points and classes; `iou_weight_power` weighs positives by the IoU of their segments."""
        c, own = self.config, outputs.mask
        wanted = targets.positive
        if c.smoothing:
            wanted = wanted * (1 - c.smoothing) + c.smoothing / (wanted.shape[2] + 1)
        if c.iou_weight_power is None:
            return focal_loss(outputs.logits[own].float(), wanted[own], c.focal_alpha, c.focal_gamma).sum()
        focal = focal_loss(outputs.logits.float(), wanted, c.focal_alpha, c.focal_gamma)
        iou = torch.ones_like(focal if outputs.is_class_aware else focal[..., :1])
        # A power below 1 has no finite slope at 0.
        overlap = interval_iou(predicted, target).clamp(min=_LEAST_IOU)
        iou = iou.index_put(at, overlap**c.iou_weight_power)
        return (focal * torch.where(targets.positive, iou, 1.0))[own].sum()


def build(loss: DenseLossConfig, network: NetworkConfig) -> DenseCriterion:
    """The criterion of these settings, for any network whose outputs are dense."""
    return DenseCriterion(loss)
