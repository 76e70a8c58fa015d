"""What a network costs: parameters, multiply-accumulates and memory, part by part (paper, Table 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from avloc.config import LocoConfig
from avloc.models.loco import Loco


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the network: parameters, and multiply-accumulates for one video."""

    name: str
    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class Description:
    """The whole and its parts for one video of `length` steps; sizes of weights in bytes of single precision."""

    length: int
    parameters: int
    macs: int
    weight_bytes: int
    lcc: Part
    window_adaptation: Part
    parts: tuple[Part, ...]


def describe(config: LocoConfig, length: int) -> Description:
    """Count with torch's FlopCounterMode, batch 1, evaluation mode; a multiply-accumulate is two of its operations.

    `lcc` is what LCC adds in training alone, its loss on one video included; `window_adaptation` is what CDP adds to
    fixed windows.

    Raises:
        ConfigError: from the network, where settings contradict one another.
    """
    step = 2 ** (config.levels - 1)
    padded = -(-length // step) * step
    network = Loco(config).eval()
    visual, audio = torch.zeros(1, padded, config.visual_width), torch.zeros(1, padded, config.audio_width)
    mask = torch.arange(padded)[None] < length
    with torch.no_grad(), FlopCounterMode(display=False, depth=99) as counter:
        network(visual, audio, mask)
    macs = {name: sum(ops.values()) // 2 for name, ops in counter.get_flop_counts().items()}

    def part(name: str, *modules: str) -> Part:
        size = sum(_size(network.get_submodule(m)) for m in modules)
        return Part(name, size, sum(_macs_below(macs, f"Loco.{m}") for m in modules))

    adaptations = [name for name, _ in network.named_modules() if name.endswith("adaptation")]
    lcc = part("LCC", "correspondence")
    similarity = 2 * length * length * (config.width // 2)  # both directions of Eq. 2
    total = macs.get("Global", 0)
    return Description(
        padded,
        _size(network),
        total - lcc.macs,
        4 * _size(network),
        Part("LCC", lcc.parameters, lcc.macs + similarity),
        part("window adaptation", *adaptations),
        (
            part("visual encoder", "visual"),
            part("audio encoder", "audio"),
            part("pyramid", "pyramid"),
            part("fusion", "fusion", "norm"),
            part("classification head", "classify"),
            part("regression head", "regress"),
        ),
    )


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _macs_below(macs: dict[str, int], name: str) -> int:
    """Of the module itself, or, where it is called through its children alone, of these."""
    if name in macs:
        return macs[name]
    children = {n for n in macs if n.startswith(name + ".") and "." not in n.removeprefix(name + ".")}
    return sum(macs[n] for n in children)
