"""Weights of a trained model > another network: what fits is taken, class by class where names are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from avloc.config import ModelConfig, NetworkConfig
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


def take_weights(network: Network, labels: Sequence[str] | Mapping[str, Sequence[str]], folder: Path) -> Taken:
    """Copy what fits from the model in `folder`: tensors of the same name and shape. `labels` are the network's, by
    task where it has several; without a task they are of the model's own.

    Rows of the last layers belong to classes. A class that the model knows keeps its rows; a new one starts from the
    mean row, which already says where some event is, and leaves it to training to say which.

    Raises:
        ModelError: the folder is broken, nothing fits, or its network's classes cannot be learned.
    """
    source, config = load_model(folder)
    if not source.learns_classes:
        raise _not_learned(folder, config.network.method)
    if not isinstance(labels, Mapping):
        labels = {next(iter(config.network.tasks), ""): labels}
    wanted = [_Classes.of(source, config, task, own) for task, own in labels.items() if _has(config, task)]
    taken = _copy(source, network, wanted)
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


def _has(config: ModelConfig, task: str) -> bool:
    return not config.network.tasks or task in config.network.tasks


@dataclass(frozen=True, slots=True)
class _Classes:
    """The classes of a task as the source knows them and as the network does, and the source's tensors with rows for
    them: how many each class has."""

    known: Sequence[str]
    labels: Sequence[str]
    rows: Mapping[str, int]

    @classmethod
    def of(cls, source: Network, config: ModelConfig, task: str, labels: Sequence[str]) -> _Classes:
        config = config.of_task(task if config.network.tasks else "")
        return cls(config.labels, labels, _class_rows(source, config.network))


@torch.no_grad()
def _copy(source: Network, network: Network, wanted: Sequence[_Classes]) -> Taken:
    given = network.given()
    of_task = {name: task for task in wanted for name in task.rows}
    state, taken = network.state_dict(), []
    for name, old in source.state_dict().items():
        new = state.get(name)
        if new is None or name in given:
            continue
        if name in of_task:
            if not _copy_rows(old, new, of_task[name], of_task[name].rows[name]):
                continue
        elif old.shape == new.shape:
            new.copy_(old)
        else:
            continue
        taken.append(name)
    left = tuple(name for name in state if name not in set(taken))
    known = tuple(label for task in wanted for label in task.labels if label in task.known)
    return Taken(tuple(taken), left, known)


def _copy_rows(old: Tensor, new: Tensor, classes: _Classes, rows: int) -> bool:
    """Whether the tensor could be taken, class by class."""
    known, labels = classes.known, classes.labels
    if not rows:  # classes stand in another dimension
        is_same = tuple(known) == tuple(labels) and old.shape == new.shape
        if is_same:
            new.copy_(old)
        return is_same
    if not _fits_by_class(old, new, len(known), len(labels)):
        return False
    by_label = old.view(len(known), rows, *old.shape[1:])
    into = new.view(len(labels), rows, *new.shape[1:])  # a view: to write to it is to write to `new`
    mean = by_label.mean(0)
    for k, label in enumerate(labels):
        into[k] = by_label[known.index(label)] if label in known else mean
    return True


def _fits_by_class(old: Tensor, new: Tensor, known: int, labels: int) -> bool:
    return old.shape[1:] == new.shape[1:] and old.shape[0] * labels == new.shape[0] * known


def _class_rows(network: Network, config: NetworkConfig) -> dict[str, int]:
    """Tensors that grow with the number of classes of the config's own task, and how many rows each class has; 0
    where it is another dimension than the first that grows."""
    larger = build_network(replace(config, classes=config.classes + 1)).state_dict()
    return {
        name: len(larger[name]) - len(tensor)
        for name, tensor in network.state_dict().items()
        if tensor.shape != larger[name].shape
    }
