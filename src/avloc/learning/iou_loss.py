"""IoU losses of segments that share a moment, from their distances to start and end.

Generalized IoU: Rezatofighi et al. 2019. Distance IoU: Zheng et al. 2020. Both in one dimension.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

_TINY = 1e-8


def _overlap(
    predicted: Float[Tensor, "M 2"], target: Float[Tensor, "M 2"]
) -> tuple[Float[Tensor, "M"], Float[Tensor, "M"], Float[Tensor, "M"]]:
    """IoU, length of the union, length of the smallest segment that encloses both; all contain the moment itself."""
    shared = torch.minimum(predicted, target).sum(dim=-1)
    union = predicted.sum(dim=-1) + target.sum(dim=-1) - shared
    enclosing = torch.maximum(predicted, target).sum(dim=-1)
    return shared / union.clamp(min=_TINY), union, enclosing


def interval_iou(predicted: Float[Tensor, "M 2"], target: Float[Tensor, "M 2"]) -> Float[Tensor, "M"]:
    """IoU of each pair."""
    return _overlap(predicted, target)[0]


def giou_loss(predicted: Float[Tensor, "M 2"], target: Float[Tensor, "M 2"]) -> Float[Tensor, "M"]:
    """1 - gIoU of each pair of (distance to start, distance to end), all distances >= 0.

    Segments around one moment always touch, so that the enclosing segment is their union and gIoU is IoU.
    """
    iou, union, enclosing = _overlap(predicted, target)
    return 1 - (iou - (enclosing - union) / enclosing.clamp(min=_TINY))


def diou_loss(predicted: Float[Tensor, "M 2"], target: Float[Tensor, "M 2"]) -> Float[Tensor, "M"]:
    """1 - IoU + (distance of the centres / enclosing length) squared."""
    iou, _, enclosing = _overlap(predicted, target)
    shift = (predicted[:, 1] - predicted[:, 0] - target[:, 1] + target[:, 0]) / 2
    return 1 - iou + (shift / enclosing.clamp(min=_TINY)) ** 2
