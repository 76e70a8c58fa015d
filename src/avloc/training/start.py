"""Weights of a trained model > another network: what fits is taken, class by class where names are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from avloc.config import ModelConfig
from avloc.errors import ModelError
from avloc.models.build import build_network
from avloc.models.network import Network
from avloc.training.checkpoint import load_model


@dataclass(frozen=True, slots=True)
class Taken:
    """Names of the tensors that were taken, and of those of the new network that stay as they were."""

    taken: tuple[str, ...]
    left: tuple[str, ...]
    known: tuple[str, ...] = ()
    """Classes whose rows were taken."""


def require_start(folder: Path) -> None:
    """Raise ModelError where no training on labels can start from this model."""
    source, config = load_model(folder)
    if not source.learns_classes:
        raise _not_learned(folder, config.network.method)


def take_weights(network: Network, labels: Sequence[str], folder: Path) -> Taken:
    """Copy what fits from the model in `folder`: tensors of the same name and shape.

    Rows of the last layers belong to classes. A class that the model knows keeps its rows; a new one starts from the
    mean row, which already says where some event is, and leaves it to training to say which.

    Raises:
        ModelError: the folder is broken, nothing fits, or its network's classes cannot be learned.
    """
    source, config = load_model(folder)
    if not source.learns_classes:
        raise _not_learned(folder, config.network.method)
    taken = _copy(source, config.labels, network, labels)
    if not taken.taken:
        raise ModelError(f"{folder}: none of its weights fits this network; give a model of the same method")
    return taken


def start_network(
    folder: Path,
    labels: Sequence[str],
    *,
    seed: int,
    from_scratch: bool = False,
    input_dropout: float | None = None,
) -> tuple[Network, ModelConfig]:
    """The network of a model folder with one output a label, and the config that goes with it.

    With `from_scratch` all weights are new.

    Raises:
        ModelError: as `take_weights`, or its network has no dropout of inputs.
    """
    _, config = load_model(folder)
    network_config = config.network.for_other_classes(len(labels))
    if input_dropout is not None:
        if not hasattr(network_config, "input_dropout"):
            raise ModelError(f"{folder}: its network ({network_config.method}) has no input dropout; leave it out")
        network_config = replace(network_config, input_dropout=input_dropout)  # type: ignore[arg-type]
    torch.manual_seed(seed)
    network = build_network(network_config)
    if not from_scratch:
        take_weights(network, labels, folder)
    elif not network.learns_classes:
        raise _not_learned(folder, network_config.method)
    return network, replace(config, labels=tuple(labels), network=network_config)


def _not_learned(folder: Path, method: str) -> ModelError:
    return ModelError(
        f"{folder}: the classes of its network ({method}) are not learned from labels; start from loco, or from a "
        "folder that was trained from labels"
    )


@torch.no_grad()
def _copy(source: Network, known: Sequence[str], network: Network, labels: Sequence[str]) -> Taken:
    rows_of_class, given = _class_rows(source), network.given()
    state, taken = network.state_dict(), []
    for name, old in source.state_dict().items():
        new = state.get(name)
        if new is None or name in given:
            continue
        if name in rows_of_class and _fits_by_class(old, new, len(known), len(labels)):
            by_label = old.unflatten(0, (len(known), rows_of_class[name]))
            rows = new.unflatten(0, (len(labels), rows_of_class[name]))  # a view: to write to it is to write to `new`
            mean = by_label.mean(0)
            for k, label in enumerate(labels):
                rows[k] = by_label[known.index(label)] if label in known else mean
        elif name not in rows_of_class and old.shape == new.shape:
            new.copy_(old)
        else:
            continue
        taken.append(name)
    left = tuple(name for name in state if name not in set(taken))
    return Taken(tuple(taken), left, tuple(label for label in labels if label in known))


def _fits_by_class(old: Tensor, new: Tensor, known: int, labels: int) -> bool:
    return old.shape[1:] == new.shape[1:] and old.shape[0] * labels == new.shape[0] * known


def _class_rows(network: Network) -> dict[str, int]:
    """Tensors whose first dimension grows with the number of classes, and how many rows each class has."""
    config = network.config
    larger = build_network(replace(config, classes=config.classes + 1)).state_dict()
    return {
        name: len(larger[name]) - len(tensor)
        for name, tensor in network.state_dict().items()
        if tensor.shape != larger[name].shape
    }
