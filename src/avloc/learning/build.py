"""Settings of losses and a network > the criterion that trains it."""

from __future__ import annotations

from avloc.config import AnyLossConfig, LocoConfig, LocoLossConfig, NetworkConfig
from avloc.errors import ConfigError
from avloc.learning.dense import DenseCriterion
from avloc.learning.loco import LocoCriterion
from avloc.learning.losses import Criterion


def build_criterion(loss: AnyLossConfig, network: NetworkConfig) -> Criterion:
    """The criterion of a run.

    Raises:
        ConfigError: the losses are of another method than the network.
    """
    if isinstance(loss, LocoLossConfig):
        if not isinstance(network, LocoConfig):
            raise ConfigError(f"loss.method is 'loco', network.method is {network.method!r}; take losses of its own")
        return LocoCriterion(loss, network.lcc)
    return DenseCriterion(loss)
