"""What a training tells on its way: each step, each epoch, losses and quantities by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from avloc.models.network import Network


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it ends: its place, losses by name, learning rate, and the seconds that the run may still take."""

    epoch: int
    step: int
    steps: int
    total: float
    losses: Mapping[str, float]
    learning_rate: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch came to: mean losses over its steps, what the network watches, validation mAP (None: not
    validated), seconds, and whether it is the best so far.

    Of several tasks in turn the mAP is their mean, and `by_task` has each; `resting` are those that rested.
    """

    number: int
    total: float
    losses: Mapping[str, float]
    watched: Mapping[str, float]
    learning_rate: float
    seconds: float
    validation_map: float | None
    is_best: bool
    by_task: Mapping[str, float] = field(default_factory=dict)
    resting: tuple[str, ...] = ()


@dataclass(frozen=True)
class Watch:
    """What the caller wants to see and do on the way; all on the first process."""

    on_step: Callable[[Step], None] | None = None
    on_epoch: Callable[[Epoch, Network], None] | None = None
    validate: Callable[[Network], float | Mapping[str, float]] | None = None
    """Validation mAP of the averaged weights, after every `validate_every`-th epoch and the last; by task where there
    are several."""
