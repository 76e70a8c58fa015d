"""Which device computes, and the accelerators of this machine by the names that CUDA_VISIBLE_DEVICES takes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Literal

import torch

from avloc.errors import ConfigError

Device = Literal["auto", "cpu", "cuda"]


def pick_device(device: Device = "auto") -> Literal["cpu", "cuda"]:
    """The GPU where there is one, unless another device is asked for.

    Raises:
        ConfigError: a GPU is asked for and torch finds none.
    """
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise ConfigError("device is cuda, and torch finds no GPU here; take auto or cpu, or a torch built for CUDA")
    return "cuda" if there and device != "cpu" else "cpu"


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes on one thread: quicker for small networks, and the same sums whatever the cores.

    A small network's steps are many and short, and threads that wait for one another take several times as long,
    all the more beside other programs.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def visible_devices() -> tuple[str, ...]:
    """Of the GPUs that this process may use; empty on a machine without."""
    count = torch.cuda.device_count()
    named = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return tuple(named[:count]) if named else tuple(str(i) for i in range(count))
