"""LCC's objective R and loss (paper, Section 3.3, Eq. 2 to 5).

Legend: B batch, T time, E width of the common space, M valid segments of the batch, K classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from avloc.config import LccConfig
from avloc.errors import ConfigError
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


@dataclass(frozen=True, slots=True)
class CorrespondenceParts:
    """L_LCC, and the two questions that it asks, each in nats with what guessing would give; no gradient.

    video: which video of the batch a segment belongs to, -log p(own video | segment). moment: which moment in it,
    -sum_j R_ij log p(j | segment, own video), less R's entropy where the loss is a KL divergence. Both are asked of
    all segments of the batch, whatever the negatives; with the paper's they add up to the loss.
    """

    loss: Float[Tensor, ""]
    video: Float[Tensor, ""]
    moment: Float[Tensor, ""]
    guess_video: Float[Tensor, ""]
    guess_moment: Float[Tensor, ""]


def correspondence_loss(
    correspondence: Correspondence, config: LccConfig, on: Bool[Tensor, "B T K"] | None = None
) -> Float[Tensor, ""]:
    """L_LCC of Eq. 5 over all valid segments of the batch, as `correspondence_parts` has it."""
    return correspondence_parts(correspondence, config, on).loss


def correspondence_parts(
    correspondence: Correspondence, config: LccConfig, on: Bool[Tensor, "B T K"] | None = None
) -> CorrespondenceParts:
    """L_LCC of Eq. 5 over all valid segments of the batch, and its parts; zeros for a batch without any.

    Because rows of R sum to one, -sum_j R_ij log p_ij = log sum_k exp(s_ik) - sum_j R_ij s_ij: only the first term
    meets segments of other videos. With `divergence` "kl" the objective's entropy is subtracted: KL(R || p), whose
    least value is 0 for every R. `on` says which classes are on in each segment, for the negatives "unlike".

    Raises:
        ConfigError: negatives are "unlike" and `on` is missing.
    """
    c, mask = correspondence, correspondence.mask
    M = int(mask.sum())
    if M == 0:
        zero = c.visual.sum() * 0.0
        return CorrespondenceParts(zero, *(zero.detach() for _ in range(4)))
    visual = c.visual / c.temperature  # (B, T, E)
    R = correspondence_objective(mask, c.sigma_steps, config)
    with torch.autocast(visual.device.type, enabled=False):
        own = visual @ c.audio.transpose(1, 2)  # (B, T, T)
    positives = 0.5 * (R * (own + own.transpose(1, 2))).sum()
    entropy = (R * R.clamp(min=1e-30).log()).sum() / M if config.divergence == "kl" else None
    # Clamped, because the slope of R log R at 0 is infinite.
    if config.negatives == "batch":
        to_audio, to_visual = log_partitions(visual[mask], c.audio[mask])  # each (M,)
        loss = (0.5 * (to_audio.sum() + to_visual.sum()) - positives) / M
    elif config.negatives == "video":
        loss = (0.5 * torch.cat(_inside(own, mask)).sum() - positives) / M
    else:
        loss = _controlled(visual, c.audio, mask, own, R, config, on)
    with torch.no_grad():
        everywhere = (
            (to_audio, to_visual) if config.negatives == "batch" else log_partitions(visual[mask], c.audio[mask])
        )
        inside = 0.5 * torch.cat(_inside(own, mask)).sum()
        video = (0.5 * torch.cat(everywhere).sum() - inside) / M
        moment = (inside - positives) / M
        lengths = mask.sum(dim=1).to(own.dtype)
        each = (lengths * lengths.clamp(min=1).log()).sum() / M
        guesses = (math.log(M) - each, each)
    if entropy is not None:
        loss, moment = loss + entropy, moment + entropy.detach()
        guesses = (guesses[0], guesses[1] + entropy.detach())
    return CorrespondenceParts(loss, video, moment, *guesses)


def _inside(own: Float[Tensor, "B T T"], mask: Bool[Tensor, "B T"]) -> tuple[Float[Tensor, "M"], Float[Tensor, "M"]]:
    """Log-sum-exp over the own video's segments, of rows and of columns."""
    least = torch.finfo(own.dtype).min
    rows = own.masked_fill(~mask[:, None, :], least).logsumexp(dim=2)[mask]
    columns = own.masked_fill(~mask[:, :, None], least).logsumexp(dim=1)[mask]
    return rows, columns


def _controlled(
    visual: Float[Tensor, "B T E"],
    audio: Float[Tensor, "B T E"],
    mask: Bool[Tensor, "B T"],
    own: Float[Tensor, "B T T"],
    R: Float[Tensor, "B T T"],
    config: LccConfig,
    on: Bool[Tensor, "B T K"] | None,
) -> Float[Tensor, ""]:
    """Eq. 2 with chosen negatives, on the whole matrix of similarities: a control, not for large batches.

    others: a pair is held against itself and other videos' segments; unlike: against all but those of other videos in
    which a class of its own segment is on.
    """
    B, T = mask.shape
    M = int(mask.sum())
    video = torch.arange(B, device=mask.device)[:, None].expand(B, T)[mask]
    same = video[:, None] == video[None, :]  # (M, M)
    with torch.autocast(visual.device.type, enabled=False):
        s = visual[mask] @ audio[mask].T
    least = torch.finfo(s.dtype).min
    if config.negatives == "unlike":
        if on is None:
            raise ConfigError("network.lcc.negatives is 'unlike', which needs the events of the batch")
        known = on[mask].to(s.dtype)
        s = s.masked_fill((known @ known.T > 0) & ~same, least)
        return (
            0.5 * (s.logsumexp(dim=1).sum() + s.logsumexp(dim=0).sum() - (R * (own + own.transpose(1, 2))).sum())
        ) / M
    others = s.masked_fill(same, least)
    total = s.new_zeros(())
    for pairs, partition in ((own, others.logsumexp(dim=1)), (own.transpose(1, 2), others.logsumexp(dim=0))):
        against = pairs.new_full((B, T), least)
        against[mask] = partition
        total = total + 0.5 * (R * (torch.logaddexp(pairs, against[:, :, None]) - pairs)).sum()
    return total / M
