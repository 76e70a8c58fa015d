"""Which parameters learn how fast, and how the rate changes on the way."""

from __future__ import annotations

import math

import torch
from torch import nn

from avloc.config import TrainConfig
from avloc.errors import ConfigError


def make_optimizer(network: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW, or Adam with L2 regularisation; groups by weight decay and rate factor (in each group "factor").

    Raises:
        ConfigError: a rate factor is of no parameter.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    # Decaying ones first: the order in which a trainer's state numbers them.
    parameters = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    for text, _ in config.rate_factors:
        if not any(text in name for name, _ in parameters):
            raise ConfigError(
                f"train.rate_factors names {text!r}, which is in the name of no parameter; names are such as "
                f"{parameters[0][0]} and {parameters[-1][0]}"
            )
    for name, p in sorted(parameters, key=lambda item: item[1].ndim <= 1):
        decays = config.decay == "all" or p.ndim > 1
        factor = math.prod(factor for text, factor in config.rate_factors if text in name)
        groups.setdefault((config.weight_decay if decays else 0.0, factor), []).append(p)
    made = [
        {"params": ps, "weight_decay": decay, "factor": factor, "lr": config.learning_rate * factor}
        for (decay, factor), ps in groups.items()
    ]
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(made, lr=config.learning_rate, fused=True)


def learning_rate(step: int, steps_per_epoch: int, config: TrainConfig) -> float:
    """The rate of a step, counted from 0: linear warm-up, then the schedule."""
    epoch = step / steps_per_epoch
    warmup = warmup_epochs(steps_per_epoch, config)
    base = config.learning_rate
    if epoch < warmup:
        return base * ((epoch + 1e-3) / warmup)
    if config.schedule == "constant":
        return base
    if config.schedule == "steps":
        return base * config.drop_factor ** sum(epoch >= e for e in config.drop_epochs)
    share = min((epoch - warmup) / max(config.epochs - warmup, 1), 1.0)
    return config.least_rate + (base - config.least_rate) * (0.5 * (1 + math.cos(math.pi * share)))


def warmup_epochs(steps_per_epoch: int, config: TrainConfig) -> float:
    """How long the rate rises."""
    return config.warmup_epochs if config.warmup_steps is None else config.warmup_steps / steps_per_epoch
