"""Several tasks in turn: each batch is of one task, and is judged by that task's criterion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from avloc.learning.losses import Criterion, Losses, Ranks, Truth


class JointCriterion(Criterion):
    """Criteria by task; parts of a loss are named after the task: "TAL classification"."""

    def __init__(self, criteria: Mapping[str, Criterion]) -> None:
        super().__init__()
        self.each = nn.ModuleDict(criteria)

    @property
    def ranks(self) -> Ranks:
        """Those of all of them."""
        return next(iter(self._criteria())).ranks

    @ranks.setter
    def ranks(self, ranks: Ranks) -> None:
        for criterion in self._criteria():
            criterion.ranks = ranks

    def _criteria(self) -> list[Criterion]:
        return [c for c in self.each.values() if isinstance(c, Criterion)]

    def forward(self, outputs: Any, truth: Truth) -> Losses:
        """Losses of the batch's task."""
        losses: Losses = self.each[truth.task](outputs, truth)
        return Losses(losses.total, {f"{truth.task} {name}": loss for name, loss in losses.parts.items()})
