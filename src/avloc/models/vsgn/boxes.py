"""Anchors, and boxes as shifts from them. A box of whole steps holds both its ends: its length is end - start + 1.

Legend: B batch, P anchors of all levels, finest level first, then by place, then by scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

_CENTRE, _LENGTH = 10.0, 5.0  # one unit of the head's output is this part of an anchor's length, of its logarithm
_LONGEST = math.log(1000 / 16)  # logarithm of the most that a box may be longer than its anchor


def make_anchors(
    counts: Sequence[int], stride: int, scales: Sequence[float], device: torch.device | None = None
) -> Float[Tensor, "P 2"]:
    """Start and end in steps; `counts` are the lengths of the levels, `stride` is that of the finest."""
    levels = []
    for level, count in enumerate(counts):
        step = float(stride << level)
        centre = torch.arange(count, device=device)[:, None] * step + step / 2
        reach = (torch.tensor(scales, device=device) * step - 1) / 2
        levels.append(torch.stack([centre - reach, centre + reach], dim=-1).flatten(0, 1))
    return torch.cat(levels)


def decode_boxes(shift: Float[Tensor, "B P 2"], anchors: Float[Tensor, "P 2"]) -> Float[Tensor, "B P 2"]:
    """Shifts of centre and logarithm of length -> start and end in steps."""
    length = anchors[:, 1] - anchors[:, 0] + 1
    centre = anchors.mean(dim=1) + shift[..., 0] / _CENTRE * length
    reach = ((shift[..., 1] / _LENGTH).clamp(max=_LONGEST).exp() * length - 1) / 2
    return torch.stack([centre - reach, centre + reach], dim=-1)
