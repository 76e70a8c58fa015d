"""Log-sum-exp of every row and every column of a similarity matrix that is never stored whole.

LCC's negatives (paper, Eq. 2) are all segments of a batch: 4,096 of them make a matrix of 67 MB, whose exponentials
automatic differentiation would keep and read many times. Here it is made block by block, and made again for the
gradient, as Dao et al. 2022 do inside attention: memory is linear in the number of segments.
Legend: M segments, E width of the common space.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

_ROWS = 256


def log_partitions(x: Float[Tensor, "M E"], y: Float[Tensor, "M E"]) -> tuple[Float[Tensor, "M"], Float[Tensor, "M"]]:
    """log sum_k exp(x_i . y_k) for each i, and log sum_k exp(x_k . y_j) for each j; in single precision or better."""
    with torch.autocast(x.device.type, enabled=False):
        at_least_single = torch.promote_types(x.dtype, torch.float32)
        rows, columns = _LogPartitions.apply(x.to(at_least_single), y.to(at_least_single))  # type: ignore[no-untyped-call]
    return rows, columns


class _LogPartitions(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        rows = x.new_empty(len(x))
        most = x.new_full((len(y),), -torch.inf)  # largest of the column so far
        sums = x.new_zeros(len(y))  # of exp(s - most)
        for i in range(0, len(x), _ROWS):
            s = x[i : i + _ROWS] @ y.T
            top = s.amax(dim=1, keepdim=True)
            rows[i : i + _ROWS] = (s - top).exp_().sum(dim=1).log_() + top[:, 0]
            higher = torch.maximum(most, s.amax(dim=0))
            sums = sums * (most - higher).exp_() + s.sub_(higher).exp_().sum(dim=0)
            most = higher
        columns = most + sums.log()
        ctx.save_for_backward(x, y, rows, columns)
        return rows, columns

    @staticmethod
    def backward(ctx: Any, to_rows: Tensor, to_columns: Tensor) -> tuple[Tensor, Tensor]:
        x, y, rows, columns = ctx.saved_tensors
        grad_x, grad_y = torch.empty_like(x), torch.zeros_like(y)
        for i in range(0, len(x), _ROWS):
            own = slice(i, i + _ROWS)
            s = x[own] @ y.T
            share = (s - rows[own, None]).exp_().mul_(to_rows[own, None])  # softmax of the row, weighted
            share += s.sub_(columns).exp_().mul_(to_columns)  # and of the column
            grad_x[own] = share @ y
            grad_y.addmm_(share.T, x[own])
        return grad_x, grad_y
