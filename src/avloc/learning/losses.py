"""What a criterion is: outputs and truth > named losses. Legend: B batch, N events (padded)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Truth:
    """Events of a batch in steps of the grid, padded with label -1: segments (B, N, 2), labels (B, N).

    `task` is whose classes the labels are, where several tasks are learned in turn.
    """

    segments: Float[Tensor, "B N 2"]
    labels: Int[Tensor, "B N"]
    task: str = ""


@dataclass(frozen=True, slots=True)
class Losses:
    """The loss that is minimised, and what it is made of, by name."""

    total: Float[Tensor, ""]
    parts: dict[str, Float[Tensor, ""]] = field(default_factory=dict)


def _same(x: Tensor) -> Tensor:
    return x


@dataclass(frozen=True, slots=True)
class Ranks:
    """Several processes that share one batch: `total` sums a tensor over them, `gather` stacks it along axis 0.

    Gradients flow back through `gather`. Each process then averages its gradients with the others', so that losses
    that are sums over a process's own videos are multiplied by `world`.
    """

    world: int = 1
    total: Callable[[Tensor], Tensor] = _same
    gather: Callable[[Tensor], Tensor] = _same


class Criterion(nn.Module):
    """Base of all criteria. Buffers are kept with the trainer's state; there are no parameters. The training loop
    sets `ranks`, and `warming`: whether the learning rate still rises.

    `watched` names the parts of its losses that are none: quantities that tell what has been learned. Every call
    gives losses of the same names, or, where tasks are learned in turn, every call of the same task.
    """

    ranks: Ranks = Ranks()
    warming: bool = False
    watched: tuple[str, ...] = ()

    def forward(self, outputs: Any, truth: Truth) -> Losses:
        """Losses of a batch; `outputs` are those of the method's network."""
        raise TypeError(f"{type(self).__name__} has no forward of its own")
