"""What a training tells, as curves for TensorBoard; the package `tensorboard` is an extra."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from avloc.errors import TrainingError
from avloc.training.fit import Epoch, Step

_STEP = ("total", "classification", "regression", "correspondence", "learning_rate")
_EPOCH = ("total", "validation_map", "temperature", "sigma_steps")


class Board:
    """Curves by step (losses, learning rate) and by epoch (validation mAP, temperature, sigma) in a folder.

    Steps that a resumed run makes again take the place of those written before.

    Raises:
        TrainingError: tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise TrainingError(
                "curves need tensorboard; install avloc with its extra, in its checkout: pip install '.[tensorboard]'"
            ) from None
        self._make = SummaryWriter
        self._folder = folder
        self._writer: Any = None

    def on_step(self, step: Step) -> None:
        number = (step.epoch - 1) * step.steps + step.step
        if self._writer is None:  # at the first step, which the first process alone tells of
            self._writer = self._make(str(self._folder), purge_step=number)
        for name in _STEP:
            self._writer.add_scalar(f"step/{name}", getattr(step, name), number)

    def on_epoch(self, epoch: Epoch) -> None:
        if self._writer is None:
            return
        for name, value in asdict(epoch).items():
            if name in _EPOCH and value is not None:
                self._writer.add_scalar(f"epoch/{name}", value, epoch.number)
        self._writer.flush()
