"""Focal loss for independent classes (Lin et al. 2017, Eq. 5)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor


def focal_loss(
    logits: Float[Tensor, ...],
    positive: Bool[Tensor, ...] | Float[Tensor, ...],
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Float[Tensor, ...]:
    """-alpha_t (1 - p_t)^gamma log(p_t), element by element; soft targets stand between positive and negative."""
    target = positive.to(logits.dtype)
    p = torch.sigmoid(logits)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    miss = p + target - 2 * p * target  # 1 - p_t
    weight = alpha * target + (1 - alpha) * (1 - target)
    return weight * miss**gamma * cross_entropy
