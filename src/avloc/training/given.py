"""Files that a network's settings name > the tensors that they fill when a network is made anew."""

from __future__ import annotations

from pathlib import Path

import torch

from avloc.errors import ConfigError
from avloc.features.npy import read_npy
from avloc.models.network import Network


@torch.no_grad()
def fill_given(network: Network) -> None:
    """Read the files of `Network.given` into their tensors.

    Raises:
        ConfigError: a file is not there, or has not the size that the settings ask for.
        FeatureError: it cannot be read, or holds a value that is not finite.
    """
    state = network.state_dict()
    for name, file in network.given().items():
        if not Path(file).is_file():
            raise ConfigError(f"{file}: there is no such file, which the network's settings name for {name}")
        table = read_npy(Path(file))
        if table.shape != tuple(state[name].shape):
            rows, width = state[name].shape
            raise ConfigError(
                f"{file}: holds {table.shape[0]} rows of {table.shape[1]}; {rows} of {width} are needed"
            )
        state[name].copy_(torch.from_numpy(table))
