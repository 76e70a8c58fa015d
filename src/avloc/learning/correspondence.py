"""LCC's objective R and loss (paper, Section 3.3, Eq. 2 to 5).

Legend: B batch, T time, E width of the common space, M valid segments of the batch.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from avloc.config import LccConfig
from avloc.models.lcc import Correspondence


def correspondence_objective(
    video: Int[Tensor, "M"], step: Int[Tensor, "M"], sigma_steps: Float[Tensor, ""], config: LccConfig
) -> Float[Tensor, "M M"]:
    """R of Eq. 3 and 4: the gaussian of the distance to the diagonal inside a video, 0 across videos; rows sum to 1.

    l_ij = |i - j| / sqrt(2) steps (Cao et al. 2020); row normalisation as in Nguyen et al. 2022. The other
    objectives are those of Table 2b; "softened" spreads `softening` over the other segments of the same video.
    """
    same = video[:, None] == video[None, :]  # (M, M)
    diagonal = torch.eye(len(video), dtype=sigma_steps.dtype, device=video.device)
    if config.objective == "diagonal":
        return diagonal
    if config.objective == "softened":
        others = same.to(diagonal.dtype) - diagonal
        count = others.sum(dim=1, keepdim=True)
        alpha = torch.where(count > 0, config.softening, 0.0)
        return (1 - alpha) * diagonal + alpha * others / count.clamp(min=1)
    distance = (step[:, None] - step[None, :]).abs().to(sigma_steps.dtype) / 2**0.5
    exponent = -(distance**2) / (2 * sigma_steps**2)
    return torch.softmax(exponent.masked_fill(~same, -torch.inf), dim=1)


def correspondence_loss(
    correspondence: Correspondence, mask: Bool[Tensor, "B T"], config: LccConfig
) -> Float[Tensor, ""]:
    """L_LCC of Eq. 5 over all valid segments of the batch; zero for a batch without any.

    With `divergence` "kl" the objective's entropy is subtracted: KL(R || p), whose least value is 0 for every R.
    """
    video, step = mask.nonzero(as_tuple=True)
    if len(video) == 0:
        return correspondence.visual.sum() * 0.0
    v = correspondence.visual[mask]  # (M, E)
    a = correspondence.audio[mask]
    R = correspondence_objective(video, step, correspondence.sigma_steps, config)
    similarity = v @ a.T / correspondence.temperature  # (M, M)
    loss = 0.5 * (_cross_entropy(R, similarity) + _cross_entropy(R, similarity.T))
    if config.divergence == "kl":
        # Clamped, because the slope of R log R at 0, where R is for other videos, is infinite.
        loss = loss + (R * R.clamp(min=1e-30).log()).sum() / len(video)
    return loss


def _cross_entropy(R: Float[Tensor, "M M"], similarity: Float[Tensor, "M M"]) -> Float[Tensor, ""]:
    return -(R * similarity.log_softmax(dim=1)).sum() / len(R)
