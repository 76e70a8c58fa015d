"""Changes of a run's settings that only LoCo has, with one line where the run is of another method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from avloc.config import LocoConfig, LocoLossConfig, ModelConfig, RunConfig
from avloc.errors import ConfigError, ModelError
from avloc.models.loco.network import Loco
from avloc.training.checkpoint import load_model


def network_of(run: RunConfig) -> LocoConfig:
    """The run's network settings.

    Raises:
        ConfigError: the run is of another method.
    """
    if not isinstance(run.network, LocoConfig):
        raise ConfigError(f"network.method is {run.network.method!r}; these tables and figures are of loco's parts")
    return run.network


def losses_of(run: RunConfig) -> LocoLossConfig:
    """The run's settings of losses.

    Raises:
        ConfigError: the run is of another method.
    """
    if not isinstance(run.loss, LocoLossConfig):
        raise ConfigError(f"loss.method is {run.loss.method!r}; these tables and figures are of loco's parts")
    return run.loss


def with_attention(run: RunConfig, **changes: Any) -> RunConfig:
    """Other settings of the pyramid's cross-attention."""
    network = network_of(run)
    return replace(run, network=replace(network, attention=replace(network.attention, **changes)))


def with_lcc(run: RunConfig, **changes: Any) -> RunConfig:
    """Other settings of LCC."""
    network = network_of(run)
    return replace(run, network=replace(network, lcc=replace(network.lcc, **changes)))


def with_loss(run: RunConfig, **changes: Any) -> RunConfig:
    """Other weights and forms of Eq. 9."""
    return replace(run, loss=replace(losses_of(run), **changes))


def load_loco(folder: Path) -> tuple[Loco, ModelConfig]:
    """The LoCo of a model folder.

    Raises:
        ModelError: the folder is broken, or holds another network.
    """
    network, config = load_model(folder)
    if not isinstance(network, Loco):
        raise ModelError(
            f"{folder}: its network is {config.network.method!r}; a folder trained by a loco recipe is needed"
        )
    return network, config
