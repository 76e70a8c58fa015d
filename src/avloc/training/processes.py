"""The processes that train together, on one machine or several: who starts them, and what they say to one another.

Fabric starts `devices` processes on its machine. torchrun, or a cluster's scheduler, has started them already: then
there are as many as it says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

import torch
from lightning_fabric import Fabric
from torch import Tensor

from avloc.config import TrainConfig
from avloc.devices import Device, pick_device
from avloc.errors import ConfigError, one_line
from avloc.learning.losses import Ranks

_BY_HAND = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK")


def placed(config: TrainConfig, environment: Mapping[str, str] = os.environ) -> TrainConfig:
    """With as many devices and nodes as torchrun has started, where it has.

    Raises:
        ConfigError: other numbers are set, or there are to be several nodes and nothing says which one this is.
    """
    c = config
    if "TORCHELASTIC_RUN_ID" not in environment:
        lacking = [name for name in _BY_HAND if name not in environment]
        if c.nodes > 1 and lacking and "SLURM_NTASKS" not in environment:
            raise ConfigError(
                f"train.nodes is {c.nodes}, and {', '.join(lacking)} not set in the environment; start on each node "
                f"torchrun --nnodes {c.nodes} --nproc-per-node {c.devices} --node-rank RANK --master-addr HOST "
                "--master-port PORT -m avloc train ..., or set them"
            )
        return c
    world, local = int(environment["WORLD_SIZE"]), int(environment["LOCAL_WORLD_SIZE"])
    if world % local:
        raise ConfigError(f"torchrun has started {world} processes, {local} of them here; start as many on each node")
    for name, given, there in (("devices", c.devices, local), ("nodes", c.nodes, world // local)):
        if given not in (1, there):
            raise ConfigError(f"train.{name} is {given}, and torchrun has started {there}; leave --train.{name} out")
    return replace(c, devices=local, nodes=world // local)


def is_first(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is the one that tells people; known before they have found one another."""
    e = environment
    return all(e.get(name, "0") == "0" for name in ("RANK", "NODE_RANK", "LOCAL_RANK", "SLURM_PROCID"))


def make_fabric(config: TrainConfig, device: Device = "auto", *, in_turn: bool = False) -> Fabric:
    """The engine for the devices at hand; several processes talk over the batch's negatives.

    in_turn: whether tasks are learned in turn, so that no step reaches all weights.

    Raises:
        ConfigError: a GPU is asked for and there is none, or the processes are not as the settings say.
    """
    config = placed(config)
    accelerator = pick_device(device)
    precision = config.precision
    if precision == "auto":
        precision = "bf16-mixed" if accelerator == "cuda" and torch.cuda.is_bf16_supported() else "32-true"
    several = config.devices * config.nodes > 1
    try:
        return Fabric(
            accelerator=accelerator,
            devices=config.devices,
            num_nodes=config.nodes,
            strategy=("ddp_find_unused_parameters_true" if in_turn else "ddp") if several else "auto",
            precision=precision,
        )
    except (ValueError, RuntimeError, TypeError) as error:  # Fabric's own is a ValueError
        reason = one_line(" ".join(str(error).split()))
        raise ConfigError(f"train.devices is {config.devices}, train.nodes {config.nodes}: {reason}") from None


def ranks_of(fabric: Fabric) -> Ranks:
    """What the criterion needs to share one batch with the others."""

    def total(x: Tensor) -> Tensor:
        return fabric.all_reduce(x, reduce_op="sum")  # type: ignore[return-value]

    def gather(x: Tensor) -> Tensor:
        everyone = fabric.all_gather(x, sync_grads=True)
        assert isinstance(everyone, Tensor)
        if everyone.requires_grad:
            # Its backward sends this memory as it lies: strides would be lost without a word.
            everyone.register_hook(lambda gradient: gradient.contiguous())  # type: ignore[no-untyped-call]
        return everyone.flatten(0, 1)

    return Ranks(fabric.world_size, total, gather)
