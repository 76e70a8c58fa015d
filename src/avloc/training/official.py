"""A checkpoint as the authors of a method saved it > weights of our network of that method.

Nothing in the file is executed. Each network says by which patterns the authors' names become its own
(`Network.official_names`); tensors keep their numbers and lose or gain dimensions of one entry at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from avloc.config import CustomNetworkConfig, FeatureConfig, JointRunConfig, ModelConfig, RunConfig
from avloc.errors import ModelError
from avloc.models.build import build_network
from avloc.models.network import Network
from avloc.training.checkpoint import save_model
from avloc.training.data import in_one
from avloc.training.given import fill_given

_SHOWN = 3


def own_name(official: str, network: Network) -> tuple[str, int | None]:
    """Name of the network's tensor that an official one becomes, and of which of its entries."""
    for pattern, replacement in network.official_names:
        official = re.sub(pattern, replacement, official)
    entry = re.fullmatch(r"(.+)\[(\d+)\]", official)
    return (entry[1], int(entry[2])) if entry else (official, None)


@torch.no_grad()
def take_official(network: Network, state: Mapping[str, Tensor], where: str) -> tuple[str, ...]:
    """Fill the network with a whole official state; each tensor of either side must find its own.

    Returns the official names that the network has no use for (`Network.leaves`).

    Raises:
        ModelError: the method has no table of names, a tensor is left over on either side, or a size differs.
    """
    method = network.config.method
    if not network.official_names:
        raise ModelError(f"{where}: there is no table of official names for {method}")
    own, given = network.state_dict(), network.given()
    found: dict[str, dict[int | None, Tensor]] = {name: {} for name in own}
    unknown, left = [], []
    for official, tensor in network.from_official(state).items():
        name, entry = own_name(official, network)
        if network.leaves(name):
            left.append(official)
        elif name not in own or not _same(found[name].setdefault(entry, tensor), tensor):
            unknown.append(official)
    for names, what in (
        (unknown, "is unknown to"),
        ([n for n in own if not found[n] and n not in given], "is needed by"),
    ):
        if names:
            raise ModelError(f"{where}: {_few(names)} {what} {method} with these settings; {network.official_hint}")
    for name, target in own.items():
        if name not in given:
            target.copy_(_fitted(found[name], target, f"{where}: {name}"))
    return tuple(left)


def _same(first: Tensor, second: Tensor) -> bool:
    """A checkpoint may hold a tensor under several names, where modules share it."""
    return first is second or (first.dtype == second.dtype and torch.equal(first, second))


def _fitted(parts: Mapping[int | None, Tensor], target: Tensor, where: str) -> Tensor:
    """A tensor from its official one or its official entries, in its own shape."""
    whole = parts.get(None)
    if whole is not None and len(parts) > 1:
        raise ModelError(f"{where} is there whole and in {len(parts) - 1} entries; one of them is needed")
    if any(not tensor.is_floating_point() for tensor in parts.values()):
        raise ModelError(f"{where} holds whole numbers; weights are needed")
    if whole is None:
        if sorted(entry for entry in parts if entry is not None) != list(range(len(target))):
            raise ModelError(f"{where} has {len(parts)} entries; {len(target)} are needed")
        if len({tuple(tensor.shape) for tensor in parts.values()}) > 1:
            raise ModelError(f"{where} has entries of several sizes")
        whole = torch.stack([parts[i] for i in range(len(target))])
    if [n for n in whole.shape if n != 1] != [n for n in target.shape if n != 1]:
        raise ModelError(f"{where} is {tuple(whole.shape)}; {tuple(target.shape)} is needed")
    return whole.reshape(target.shape)


def _few(names: list[str]) -> str:
    more = f" (and {len(names) - _SHOWN} more)" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def recipe_that_fits(state: Mapping[str, Tensor], runs: Mapping[str, RunConfig], where: str) -> str:
    """The one of `runs` whose network takes an official state; networks are built without memory.

    Raises:
        ModelError: none fits, or several do.
    """
    fitting, why = [], ""
    for name, run in runs.items():
        with torch.device("meta"):
            network = build_network(run.network)
        try:
            take_official(network, state, where)
            fitting.append(name)
        except ModelError as error:
            why = why or f"{name}: {error}"
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ModelError(f"{where}: fits {', '.join(fitting)}; choose one with --like")
    known = ", ".join(runs)
    raise ModelError(f"{where}: fits none of {known}; lay settings over one with --like and --config ({why})")


def import_model(
    state: Mapping[str, Tensor],
    where: str,
    run: RunConfig,
    features: FeatureConfig,
    labels: Sequence[str],
    out: Path,
    *,
    on_left: Callable[[tuple[str, ...]], None] | None = None,
) -> tuple[Network, ModelConfig]:
    """Write the model folder of an official state, with the network and decoding of `run`, in single precision.

    `where` names the checkpoint in errors. `on_left` is told which of its tensors the network has no use for, if any.

    Raises:
        ModelError: as `take_official`, or there are more or fewer labels than classes.
        ConfigError: a label is there twice.
        ConfigError, FeatureError: as `fill_given`.
        OutputError: the folder cannot be written.
    """
    config = _config_of(run, features, labels, out.name, where)
    return _written(state, where, config, out, on_left), config


def import_tasks(
    state: Mapping[str, Tensor],
    where: str,
    run: JointRunConfig,
    features: Mapping[str, FeatureConfig],
    labels: Mapping[str, Sequence[str]],
    out: Path,
    *,
    on_left: Callable[[tuple[str, ...]], None] | None = None,
) -> tuple[Network, ModelConfig]:
    """As `import_model`, of a network of several tasks; features and labels by the names of their sets.

    Raises:
        as `import_model`.
    """
    widths = run.network.visual_width, run.network.audio_width
    run = run.fitted({name: len(labels[name]) for name in run.tasks}, widths)
    configs = {n: _config_of(run.of(n), features[n], labels[n], out.name, where) for n in labels}
    config = in_one(configs, run.main)
    return _written(state, where, config, out, on_left), config


def _config_of(run: RunConfig, features: FeatureConfig, labels: Sequence[str], name: str, where: str) -> ModelConfig:
    classes = run.network.classes
    if len(labels) != classes:
        raise ModelError(f"{where}: {len(labels)} labels were given for the {classes} classes of the recipe")
    return ModelConfig(
        name=name,
        labels=tuple(labels),
        features=features,
        network=run.network,
        decoding=run.decoding,
        window_steps=run.train.longest_steps,
    )


def _written(
    state: Mapping[str, Tensor],
    where: str,
    config: ModelConfig,
    out: Path,
    on_left: Callable[[tuple[str, ...]], None] | None,
) -> Network:
    assert not isinstance(config.network, CustomNetworkConfig)
    network = build_network(config.network)
    left = take_official(network, state, where)
    fill_given(network)
    if left and on_left is not None:
        on_left(left)
    save_model(out, network, config, dtype=torch.float32)
    return network
