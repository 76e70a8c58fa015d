"""A trained network > the same network for other classes: what does not depend on the class is copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from avloc.config import ModelConfig
from avloc.errors import ModelError
from avloc.models.loco import Loco
from avloc.training.checkpoint import load_model


def start_network(
    folder: Path,
    labels: Sequence[str],
    *,
    seed: int,
    from_scratch: bool = False,
    input_dropout: float | None = None,
) -> tuple[Loco, ModelConfig]:
    """The network of a model folder with one output a label, and the config that goes with it.

    Rows of the last layers belong to classes. A class that the model knows keeps its rows; a new one starts from the
    mean row, which already says where some event is, and leaves it to training to say which. With `from_scratch` all
    weights are new.

    Raises:
        ModelError: the folder is broken, or holds another network than a LoCo.
    """
    source, config = load_model(folder)
    if not isinstance(source, Loco):
        raise ModelError(
            f"{folder}: its network is no LoCo; start from loco, or from a folder that was trained from it"
        )
    network_config = replace(source.config, classes=len(labels))
    if input_dropout is not None:
        network_config = replace(network_config, input_dropout=input_dropout)
    torch.manual_seed(seed)
    network = Loco(network_config)
    if not from_scratch:
        _copy(source, config.labels, network, labels)
    return network, replace(config, labels=tuple(labels), network=network_config)


@torch.no_grad()
def _copy(source: Loco, known: Sequence[str], network: Loco, labels: Sequence[str]) -> None:
    by_class = _class_rows(source)
    state = network.state_dict()
    for name, old in source.state_dict().items():
        if name not in by_class:
            state[name].copy_(old)
            continue
        rows = by_class[name]
        by_label = old.unflatten(0, (len(known), rows))
        new = state[name].unflatten(0, (len(labels), rows))  # a view: writing to it writes to the network
        mean = by_label.mean(0)
        for k, label in enumerate(labels):
            new[k] = by_label[known.index(label)] if label in known else mean


def _class_rows(network: Loco) -> dict[str, int]:
    """Tensors whose first dimension grows with the number of classes, and how many rows each class has."""
    config = network.config
    larger = Loco(replace(config, classes=config.classes + 1)).state_dict()
    return {
        name: len(larger[name]) - len(tensor)
        for name, tensor in network.state_dict().items()
        if tensor.shape != larger[name].shape
    }
