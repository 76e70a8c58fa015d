"""Added weights > a network ready to compute, on a device, in a precision.

On a GPU numbers are of half the width where it computes with them well: bfloat16 from Ampere on, else float16.
"""

from __future__ import annotations

import multiprocessing
import re
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from avloc.devices import pick_device
from avloc.errors import FeatureError
from avloc.features.extractors.base import Precision, Resources
from avloc.features.extractors.pretrained.networks import fit
from avloc.features.extractors.weights import require_records, weights_path

N = TypeVar("N", bound=nn.Module)


class Bench:
    """Where an extractor's networks compute.

    Raises:
        ConfigError: a GPU is asked for and there is none.
    """

    def __init__(self, resources: Resources) -> None:
        if resources.threads:
            torch.set_num_threads(resources.threads)
        kind = pick_device(resources.device)
        self.device = torch.device(kind, _turn(torch.cuda.device_count())) if kind == "cuda" else torch.device(kind)
        self.dtype = _dtype(resources.precision, self.device)
        self.folder = resources.weights
        self.batch = resources.batch

    def network(self, name: str, kind: type[N], dtype: torch.dtype | None = None) -> N:
        """The network of added weights, which is of this class; `dtype` where the bench's own will not do.

        Raises:
            FeatureError: they are missing or broken.
        """
        require_records((name,), self.folder)
        path = weights_path(name, self.folder)
        try:
            state = load_file(path)
        except (OSError, SafetensorError) as error:
            raise FeatureError(f"{path}: cannot be read ({error}); add the weights again") from None
        fitted = fit(name, state, str(path))
        network = fitted.network
        network.load_state_dict(fitted.state, strict=False, assign=True)
        _fill_buffers(network)
        assert isinstance(network, kind)
        return network.eval().requires_grad_(False).to(self.device, dtype or self.dtype)

    def at_once(self, on_gpu: int, on_cpu: int = 1) -> int:
        """How many windows go through a network together."""
        return self.batch or (on_gpu if self.device.type == "cuda" else on_cpu)


def _fill_buffers(network: nn.Module) -> None:
    """Counts of batches, which nothing reads here, are built without values."""
    for module in network.modules():
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:
                module.register_buffer(name, torch.zeros(buffer.shape, dtype=buffer.dtype))


def _turn(count: int) -> int:
    """Which of so many GPUs: processes that work side by side take them in turn."""
    number = re.search(r"\d+$", multiprocessing.current_process().name)
    return (int(number[0]) - 1) % count if number else 0


def _dtype(precision: Precision, device: torch.device) -> torch.dtype:
    if precision != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[precision]
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def batches(count: int, size: int) -> list[slice]:
    """Slices of at most `size` that make up `count`."""
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]
