"""Linear sampling of a sequence at fractional steps, and the means of regions of it.

Legend: B batch, T time, C channels, H heads, D channels per head, P points, Q regions, S samples of a bin.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor


def _between(
    points: Float[Tensor, "B H P"], lengths: Float[Tensor, "B"]
) -> tuple[Int[Tensor, "B H P"], Int[Tensor, "B H P"], Float[Tensor, "B H P"], Bool[Tensor, "B H P"]]:
    """The steps to the left and right of each point, how far it is on the way, and whether it lies between steps."""
    last = (lengths - 1)[:, None, None]  # (B, 1, 1)
    valid = (points >= 0) & (points <= last)
    inside = torch.minimum(points.clamp(min=0), last.clamp(min=0))
    left = inside.detach().floor()
    right = torch.minimum(left + 1, last.clamp(min=0))
    # Clamped, so that a place that is no number, in a training that diverges, gives no number and no odd index.
    return left.long().clamp(min=0), right.long().clamp(min=0), inside - left, valid


def sample_linear(
    x: Float[Tensor, "B H T D"], points: Float[Tensor, "B H P"], lengths: Float[Tensor, "B"]
) -> tuple[Float[Tensor, "B H P D"], Bool[Tensor, "B H P"]]:
    """Linear interpolation of x at fractional steps; points outside [0, length - 1] are invalid, not to be seen."""
    left, right, share, valid = _between(points, lengths)
    D = x.shape[-1]
    x_left = x.gather(2, left[..., None].expand(-1, -1, -1, D))
    x_right = x.gather(2, right[..., None].expand(-1, -1, -1, D))
    return torch.lerp(x_left, x_right, share[..., None].to(x.dtype).expand_as(x_left)), valid


def sample_fading(x: Float[Tensor, "B H T D"], points: Float[Tensor, "B H P"]) -> Float[Tensor, "B H P D"]:
    """As `sample_linear`; within a step beyond its ends x falls to zero and stays there."""
    B, T = x.shape[0], x.shape[2]
    whole = points.new_full((B,), float(T + 2))
    return sample_linear(F.pad(x, (0, 0, 1, 1)), points + 1, whole)[0]


def region_means(
    x: Float[Tensor, "B T C"],
    start: Float[Tensor, "B Q"],
    end: Float[Tensor, "B Q"],
    lengths: Float[Tensor, "B"],
    bins: int,
) -> Float[Tensor, "B Q bins C"]:
    """Each region, in steps and inside [0, length], as equal bins: RoIAlign (He et al. 2017) in one dimension.

    A region is at least a step long. A bin is the mean of evenly spaced samples, about one a step: x between two
    steps, x of the last one behind it, zero beyond `lengths`. Gradients reach x alone.
    """
    (B, T, C), Q = x.shape, start.shape[1]
    with torch.no_grad():
        size = (end - start).clamp(min=1)  # (B, Q)
        samples = torch.ceil(size / bins)[..., None]  # of a bin
        sample = torch.arange(-(-T // bins), dtype=size.dtype, device=x.device)  # (S,)
        within = ((sample + 0.5) / samples)[:, :, None]  # (B, Q, 1, S)
        place = torch.arange(bins, dtype=size.dtype, device=x.device)[:, None] + within  # in bins
        points = start[..., None, None] + place * (size / bins)[..., None, None]  # (B, Q, bins, S)
        counted = (sample < samples)[:, :, None] & (points <= lengths[:, None, None, None])
        weight = (counted / samples[..., None]).flatten(1, 2)  # (B, Q * bins, S)
        left, right, share, _ = _between(points.flatten(1, 2), lengths)
        # Linear in x: what each bin takes of each step is found first, and x is read once.
        taken = x.new_zeros(B, Q * bins, T, dtype=size.dtype)
        taken = taken.scatter_add(2, left, weight * (1 - share)).scatter_add(2, right, weight * share)
    return (taken.to(x.dtype) @ x).reshape(B, Q, bins, C)
