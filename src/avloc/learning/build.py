"""Settings of losses and of a network > the criterion that trains it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from avloc.config import NetworkConfig
from avloc.config.losses import AnyLossConfig
from avloc.errors import ConfigError
from avloc.learning import anchors, dense, loco, queries
from avloc.learning.losses import Criterion

CRITERIA: dict[str, Callable[[Any, Any], Criterion]] = {
    "dense": dense.build,
    "loco": loco.build,
    "queries": queries.build,
    "anchors": anchors.build,
}
"""By the tag of the losses' settings."""


def build_criterion(loss: AnyLossConfig, network: NetworkConfig) -> Criterion:
    """The criterion of a run.

    Raises:
        ConfigError: the losses are of no method, or of another than the network, or not of what the network judges.
    """
    if loss.method not in CRITERIA:
        raise ConfigError(f"loss.method is {loss.method!r}; known are {', '.join(CRITERIA)}")
    if loss.judges != network.judges:
        raise ConfigError(
            f"loss.method is {loss.method!r}, for {loss.judges}; network.method {network.method!r} judges "
            f"{network.judges} and needs losses for these"
        )
    return CRITERIA[loss.method](loss, network)
