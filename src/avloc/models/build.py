"""Settings > network: the only list of methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from avloc.config import NetworkConfig
from avloc.errors import ConfigError
from avloc.models import actionformer, ccnet, grounded, tadtr, tridet, unav, uniav
from avloc.models.loco import network as loco
from avloc.models.network import Network
from avloc.models.vsgn import network as vsgn

METHODS: dict[str, Callable[[Any], Network]] = {
    "loco": loco.build,
    "grounded": grounded.build,
    "actionformer": actionformer.build,
    "tridet": tridet.build,
    "tadtr": tadtr.build,
    "vsgn": vsgn.build,
    "unav": unav.build,
    "uniav": uniav.build,
    "ccnet": ccnet.build,
}
"""By the tag of a network's settings."""


_MOST_SHOWN = 160


def build_network(config: NetworkConfig) -> Network:
    """A network with fresh weights.

    Raises:
        ConfigError: settings that contradict one another, are of no method, or ask for more memory than there is.
    """
    if config.method not in METHODS:
        raise ConfigError(
            f"network.method is {config.method!r}, which avloc cannot build; known are {', '.join(METHODS)}"
        )
    try:
        return METHODS[config.method](config)
    except (ArithmeticError, AssertionError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:_MOST_SHOWN] or type(error).__name__
        raise ConfigError(f"no network can be made of these settings of {config.method} ({reason})") from None
