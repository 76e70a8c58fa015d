"""LCC's objective R and loss (paper, Section 3.3, Eq. 2 to 5).

Legend: B batch, T time, E width of the common space, M valid segments of the batch.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from avloc.config import LccConfig
from avloc.learning.log_partition import log_partitions
from avloc.models.loco.lcc import Correspondence


def correspondence_objective(
    mask: Bool[Tensor, "B T"], sigma_steps: Float[Tensor, ""], config: LccConfig
) -> Float[Tensor, "B T T"]:
    """R of Eq. 3 and 4 inside each video: the gaussian of the distance to the diagonal, rows summing to 1.

    Across videos R is 0 and is not stored; rows and columns of padding are 0. l_ij = |i - j| / sqrt(2) steps (Cao et
    al. 2020); row normalisation as in Nguyen et al. 2022. R is the same for both directions, because the distance is.
    The other objectives are those of Table 2b; "softened" spreads `softening` over the other segments of the video.
    """
    both = mask[:, :, None] & mask[:, None, :]  # (B, T, T)
    step = torch.arange(mask.shape[1], dtype=sigma_steps.dtype, device=mask.device)
    diagonal = both & torch.eye(len(step), dtype=torch.bool, device=mask.device)
    if config.objective == "diagonal":
        return diagonal.to(step.dtype)
    if config.objective == "softened":
        others = (both & ~diagonal).to(step.dtype)
        count = others.sum(dim=2, keepdim=True)
        alpha = torch.where(count > 0, config.softening, 0.0)
        return (1 - alpha) * diagonal + alpha * others / count.clamp(min=1)
    distance = (step[:, None] - step[None, :]).abs() / 2**0.5
    exponent = -(distance**2) / (2 * sigma_steps**2)
    R = exponent.masked_fill(~both, torch.finfo(step.dtype).min).softmax(dim=2)
    return R * both


def correspondence_loss(correspondence: Correspondence, config: LccConfig) -> Float[Tensor, ""]:
    """L_LCC of Eq. 5 over all valid segments of the batch; zero for a batch without any.

    Because rows of R sum to one, -sum_j R_ij log p_ij = log sum_k exp(s_ik) - sum_j R_ij s_ij: only the first term
    meets segments of other videos. With `divergence` "kl" the objective's entropy is subtracted: KL(R || p), whose
    least value is 0 for every R.
    """
    mask = correspondence.mask
    M = int(mask.sum())
    if M == 0:
        return correspondence.visual.sum() * 0.0
    visual = correspondence.visual / correspondence.temperature  # (B, T, E)
    to_audio, to_visual = log_partitions(visual[mask], correspondence.audio[mask])  # each (M,)
    negatives = 0.5 * (to_audio.sum() + to_visual.sum())
    R = correspondence_objective(mask, correspondence.sigma_steps, config)
    with torch.autocast(visual.device.type, enabled=False):
        own = visual @ correspondence.audio.transpose(1, 2)  # (B, T, T)
    positives = 0.5 * (R * (own + own.transpose(1, 2))).sum()
    loss = (negatives - positives) / M
    if config.divergence == "kl":
        # Clamped, because the slope of R log R at 0 is infinite.
        loss = loss + (R * R.clamp(min=1e-30).log()).sum() / M
    return loss
