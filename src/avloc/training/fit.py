"""The training loop: batches > losses > AdamW with warm-up and cosine, gradient clip, moving average of weights.

Paper, Section 4.1 (implementation details).
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from avloc.config import LossConfig, TrainConfig
from avloc.datasets.batch import Batch, Sample, collate
from avloc.datasets.labelled import random_crop, shuffled
from avloc.learning.criterion import Criterion
from avloc.learning.targets import Truth
from avloc.models.loco import Loco


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch came to: mean losses over its steps, and seconds."""

    number: int
    total: float
    classification: float
    regression: float
    correspondence: float
    learning_rate: float
    seconds: float


def fit(
    network: Loco,
    samples: Sequence[Sample],
    loss: LossConfig,
    config: TrainConfig,
    longest: int,
    on_epoch: Callable[[Epoch, Loco], None] | None = None,
) -> Loco:
    """Train `network` in place; the result is the moving average of its weights, in evaluation mode.

    `longest` is the number of steps that a crop has at most. `on_epoch` gets each epoch and the average so far.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    levels = network.config.levels
    criterion = Criterion(loss, network.config.lcc, levels)
    optimizer = torch.optim.AdamW(_groups(network, config.weight_decay), lr=config.learning_rate)
    steps_per_epoch = math.ceil(len(samples) / config.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / steps_per_epoch, config))
    average = copy.deepcopy(network).eval()
    step = 0
    for number in range(1, config.epochs + 1):
        began = time.perf_counter()
        network.train()
        sums = np.zeros(4)
        for indices in shuffled(len(samples), config.batch, rng):
            batch = collate(
                [random_crop(samples[i], config.crop_share, longest, config.keep_share, rng) for i in indices],
                2 ** (levels - 1),
            )
            sums += _step(network, criterion, optimizer, batch, config.clip_norm)
            schedule.step()
            step += 1
            _follow(average, network, min(config.ema_decay, (1 + step) / (10 + step)))
        if on_epoch is not None:
            total, classification, regression, correspondence = (float(x) for x in sums / steps_per_epoch)
            seconds = time.perf_counter() - began
            rate = float(schedule.get_last_lr()[0])
            epoch = Epoch(number, total, classification, regression, correspondence, rate, seconds)
            on_epoch(epoch, average)
    return average


def _step(
    network: Loco, criterion: Criterion, optimizer: torch.optim.Optimizer, batch: Batch, clip_norm: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    mask = torch.from_numpy(batch.mask)
    outputs = network(torch.from_numpy(batch.visual), torch.from_numpy(batch.audio), mask)
    losses = criterion(outputs, mask, Truth(torch.from_numpy(batch.segments), torch.from_numpy(batch.labels)))
    optimizer.zero_grad(set_to_none=True)
    losses.total.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), clip_norm)
    optimizer.step()
    parts = (losses.total, losses.classification, losses.regression, losses.correspondence)
    return np.array([part.item() for part in parts])


def _groups(network: Loco, weight_decay: float) -> list[dict[str, object]]:
    """Matrices decay; biases, norms, scales, temperature and sigma do not."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _rate(epoch: float, config: TrainConfig) -> float:
    """Linear warm-up, then half a cosine to zero; a factor of the learning rate."""
    if epoch < config.warmup_epochs:
        return (epoch + 1e-3) / config.warmup_epochs
    share = (epoch - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1)
    return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


@torch.no_grad()
def _follow(average: Loco, network: Loco, decay: float) -> None:
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)
