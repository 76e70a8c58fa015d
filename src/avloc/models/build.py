"""Settings > network: the only list of methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avloc.config import GroundedConfig, LocoConfig, NetworkConfig
from avloc.errors import ConfigError
from avloc.models.grounded import Grounded
from avloc.models.loco.network import Loco

if TYPE_CHECKING:
    from avloc.models.network import Network


def build_network(config: NetworkConfig) -> Network:
    """A network with fresh weights.

    Raises:
        ConfigError: settings that contradict one another, or of no method.
    """
    match config:
        case LocoConfig():
            return Loco(config)
        case GroundedConfig():
            return Grounded(config)
    raise ConfigError(f"network.method is {config.method!r}, which no network belongs to")
