"""Which points are positive for which events, for a whole batch at once.

A point is positive for an event that contains it, on the level whose regression range holds the larger distance to
the event's ends (Zhang, Wu and Li 2022). Class-aware (Geng et al. 2023), several classes may be positive at one point
and each has its segment; class-agnostic, the shortest event of a point is its segment.
Legend: B batch, P points, N events (padded), K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from avloc.learning.losses import Truth
from avloc.models.outputs import Points

_AS_SHORT = 1e-3  # steps by which an event may be longer than the shortest and still count as one


@dataclass(frozen=True, slots=True)
class Targets:
    """positive (B, P, K) and offsets (B, P, K or 1, 2): distances to start and end in strides, zero elsewhere."""

    positive: Bool[Tensor, "B P K"]
    offsets: Float[Tensor, "B P S 2"]


def regression_ranges(
    points: Points, ranges: Sequence[tuple[float, float]] = (), first_reach: float = 4.0
) -> tuple[Float[Tensor, "P"], Float[Tensor, "P"]]:
    """Which larger distances to an event's ends each point answers for: (0, 4), (4, 8), ... (64, inf) steps with a
    `first_reach` of 4, or the `ranges` of the levels, finest first."""
    stride = points.stride
    if ranges:
        low, high = torch.tensor(ranges, device=stride.device)[stride.log2().long()].unbind(dim=1)
        return low, high
    low = torch.where(stride == 1, 0.0, stride * (first_reach / 2))
    return low, torch.where(stride == stride.max(), torch.inf, stride * first_reach)


def assign_targets(
    points: Points,
    truth: Truth,
    mask: Bool[Tensor, "B P"],
    classes: int,
    *,
    class_aware: bool = True,
    centre_radius: float | None = None,
    ranges: Sequence[tuple[float, float]] = (),
    first_reach: float = 4.0,
    inclusive: bool = False,
    same_class: Literal["shortest", "last"] = "shortest",
) -> Targets:
    """Targets of every point; points outside their video (`mask` false) are never positive.

    With `centre_radius` a point must stand that many of its strides around the event's centre. Of several events of
    one class the shortest counts, the earlier in order where lengths are equal; or the last in order.
    """
    B, N = truth.labels.shape
    P = len(points)
    if N == 0:
        empty = torch.zeros(B, P, classes, dtype=torch.bool, device=mask.device)
        return Targets(empty, torch.zeros(B, P, classes if class_aware else 1, 2, device=mask.device))
    to_start = points.step[None, :, None] - truth.segments[:, None, :, 0]  # (B, P, N)
    to_end = truth.segments[:, None, :, 1] - points.step[None, :, None]  # (B, P, N)
    low, high = (bound[None, :, None] for bound in regression_ranges(points, ranges, first_reach))
    reach = torch.maximum(to_start, to_end)
    hit = (
        (_depth(points, truth, centre_radius) > 0)
        & (reach >= low)
        & ((reach <= high) if inclusive else (reach < high))
        & mask[..., None]
        & (truth.labels >= 0)[:, None, :]
    )
    if class_aware:
        positive, index = (_last if same_class == "last" else _by_class)(hit, truth, classes)
    else:
        positive, index = _shortest(hit, truth, classes)
    offsets = torch.stack([to_start.gather(2, index), to_end.gather(2, index)], dim=-1)  # (B, P, S, 2)
    offsets = offsets / points.stride[None, :, None, None]
    own = positive if class_aware else positive.any(dim=2, keepdim=True)
    return Targets(positive, offsets * own[..., None])


def _depth(points: Points, truth: Truth, centre_radius: float | None) -> Float[Tensor, "B P N"]:
    """How far inside each event a point stands, or inside the part of it that lies around its centre."""
    step = points.step[None, :, None]
    start, end = truth.segments[:, None].unbind(dim=-1)  # (B, 1, N)
    if centre_radius is not None:
        centre, radius = (start + end) / 2, centre_radius * points.stride[None, :, None]
        start, end = torch.maximum(start, centre - radius), torch.minimum(end, centre + radius)
    return torch.minimum(step - start, end - step)


def _by_class(hit: Bool[Tensor, "B P N"], truth: Truth, classes: int) -> tuple[Tensor, Tensor]:
    """positive (B, P, K), and the number of each class's event (B, P, K)."""
    B, P, N = hit.shape
    label = truth.labels.clamp(min=0)[:, None, :].expand(B, P, N)
    length = (truth.segments[..., 1] - truth.segments[..., 0])[:, None, :].expand(B, P, N)
    far = torch.full((B, P, classes), torch.inf, device=hit.device)
    shortest = far.scatter_reduce(2, label, length.masked_fill(~hit, torch.inf), "amin")  # (B, P, K)
    chosen = hit & (length == shortest.gather(2, label))
    order = torch.arange(N, device=hit.device).expand(B, P, N).masked_fill(~chosen, N)
    first = torch.full((B, P, classes), N, device=hit.device).scatter_reduce(2, label, order, "amin")  # (B, P, K)
    return first < N, first.clamp(max=N - 1)


def _last(hit: Bool[Tensor, "B P N"], truth: Truth, classes: int) -> tuple[Tensor, Tensor]:
    """As `_by_class`, of several events of a class the last."""
    B, P, N = hit.shape
    label = truth.labels.clamp(min=0)[:, None, :].expand(B, P, N)
    order = torch.arange(N, device=hit.device).expand(B, P, N).masked_fill(~hit, -1)
    last = torch.full((B, P, classes), -1, device=hit.device).scatter_reduce(2, label, order, "amax")  # (B, P, K)
    return last >= 0, last.clamp(min=0)


def _shortest(hit: Bool[Tensor, "B P N"], truth: Truth, classes: int) -> tuple[Tensor, Tensor]:
    """positive (B, P, K): the classes of all events as short as the shortest; its number (B, P, 1), the first's."""
    B, P, N = hit.shape
    length = (truth.segments[..., 1] - truth.segments[..., 0])[:, None, :].expand(B, P, N)
    length = length.masked_fill(~hit, torch.inf)
    least = length.amin(dim=2, keepdim=True)
    chosen = hit & (length <= least + _AS_SHORT)
    label = truth.labels.clamp(min=0)[:, None, :].expand(B, P, N)
    count = torch.zeros(B, P, classes, device=hit.device).scatter_add(2, label, chosen.float())
    order = torch.arange(N, device=hit.device).expand(B, P, N).masked_fill(length > least, N)
    return count > 0, order.amin(dim=2, keepdim=True).clamp(max=N - 1)
