"""What a network costs: parameters and multiply-accumulates, part by part (paper, Table 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from avloc.config import NetworkConfig
from avloc.models.build import build_network
from avloc.models.wide_conv import plain_convolutions


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the network: parameters, and multiply-accumulates for one video."""

    name: str
    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class Description:
    """The whole and its parts for one video of `length` steps; sizes of weights in bytes of single precision.

    `macs` are those of detection; `parameters` count all, those that only train included. `details` are parts of
    parts, with what they cost in the loss.
    """

    length: int
    method: str
    parameters: int
    macs: int
    weight_bytes: int
    parts: tuple[Part, ...]
    details: tuple[Part, ...]

    def detail(self, name: str) -> Part:
        """One of the details; an empty one where the network has none of that name."""
        return next((part for part in self.details if part.name == name), Part(name, 0, 0))


def describe(config: NetworkConfig, length: int) -> Description:
    """Count with torch's FlopCounterMode, batch 1, evaluation mode; a multiply-accumulate is two of its operations.

    Raises:
        ConfigError: from the network, where settings contradict one another.
    """
    network = build_network(config).eval().requires_grad_(False)
    padded = -(-length // network.multiple) * network.multiple
    visual, audio = torch.zeros(1, padded, config.visual_width), torch.zeros(1, padded, config.audio_width)
    mask = torch.arange(padded)[None] < length
    with torch.no_grad(), plain_convolutions(), FlopCounterMode(display=False, depth=99) as counter:
        outputs = network(visual, audio, mask)
        _ = outputs.scores, outputs.segments  # some are only made when they are asked for
    macs = {name: sum(ops.values()) // 2 for name, ops in counter.get_flop_counts().items()}
    root = type(network).__name__

    def part(name: str, modules: Iterable[str], more_macs: int = 0) -> Part:
        size = sum(_size(network.get_submodule(m)) for m in modules)
        return Part(name, size, sum(_macs_below(macs, f"{root}.{m}") for m in modules) + more_macs)

    return Description(
        padded,
        config.method,
        _size(network),
        macs.get("Global", 0) - part("", network.training_only()).macs,
        4 * _size(network),
        tuple(part(name, modules) for name, modules in network.parts().items()),
        tuple(part(name, modules, more) for name, (modules, more) in network.details(length).items()),
    )


def count_parameters(config: NetworkConfig) -> int:
    """Parameters of a network that is never given any memory."""
    with torch.device("meta"):
        return _size(build_network(config))


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _macs_below(macs: dict[str, int], name: str) -> int:
    """Of the module itself, or, where it is called through its children alone, of these."""
    if name in macs:
        return macs[name]
    children = {n for n in macs if n.startswith(name + ".") and "." not in n.removeprefix(name + ".")}
    return sum(macs[n] for n in children)
