"""Which moments are positive for which events, for a whole batch at once.

A moment is positive for an event that contains it, on the level whose regression range holds the larger distance
to the event's ends (Zhang, Wu and Li 2022; class-aware as in Geng et al. 2023). Several classes may be positive
at one moment; of several events of one class the shortest counts, the earlier in order where lengths are equal.
Legend: B batch, P moments, N events (padded), K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from avloc.timegrid import Moments


@dataclass(frozen=True, slots=True)
class Truth:
    """Events of a batch in steps of the grid, padded with label -1: segments (B, N, 2), labels (B, N)."""

    segments: Float[Tensor, "B N 2"]
    labels: Int[Tensor, "B N"]


@dataclass(frozen=True, slots=True)
class Targets:
    """positive (B, P, K) and offsets (B, P, K, 2): distances to start and end in strides, zero elsewhere."""

    positive: Bool[Tensor, "B P K"]
    offsets: Float[Tensor, "B P K 2"]


def assign_targets(moments: Moments, truth: Truth, mask: Bool[Tensor, "B P"], classes: int) -> Targets:
    """Targets of every moment; moments outside their video (`mask` false) are never positive."""
    device = truth.segments.device
    step, stride, low, high = (
        torch.from_numpy(c).to(device) for c in (moments.step, moments.stride, moments.reach_min, moments.reach_max)
    )
    B, N = truth.labels.shape
    P = len(moments)
    if N == 0:
        empty = torch.zeros(B, P, classes, dtype=torch.bool, device=device)
        return Targets(empty, torch.zeros(B, P, classes, 2, device=device))
    to_start = step[None, :, None] - truth.segments[:, None, :, 0]  # (B, P, N)
    to_end = truth.segments[:, None, :, 1] - step[None, :, None]  # (B, P, N)
    reach = torch.maximum(to_start, to_end)
    hit = (
        (torch.minimum(to_start, to_end) > 0)
        & (reach >= low[None, :, None])
        & (reach < high[None, :, None])
        & mask[..., None]
        & (truth.labels >= 0)[:, None, :]
    )
    label = truth.labels.clamp(min=0)[:, None, :].expand(B, P, N)
    length = (truth.segments[..., 1] - truth.segments[..., 0])[:, None, :].expand(B, P, N)
    far = torch.full((B, P, classes), torch.inf, device=device)
    shortest = far.scatter_reduce(2, label, length.masked_fill(~hit, torch.inf), "amin")  # (B, P, K)
    chosen = hit & (length == shortest.gather(2, label))
    order = torch.arange(N, device=device).expand(B, P, N).masked_fill(~chosen, N)
    first = torch.full((B, P, classes), N, device=device).scatter_reduce(2, label, order, "amin")  # (B, P, K)
    positive = first < N
    index = first.clamp(max=N - 1)
    offsets = torch.stack([to_start.gather(2, index), to_end.gather(2, index)], dim=-1)  # (B, P, K, 2)
    offsets = offsets / stride[None, :, None, None]
    return Targets(positive, offsets * positive[..., None])
