"""What a training tells by name, as curves for TensorBoard; the package `tensorboard` is an extra."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avloc.errors import TrainingError
from avloc.training.watch import Epoch, Step


class Board:
    """Curves by step (losses, learning rate) and by epoch (validation mAP, what the network watches) in a folder.

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
        for name, value in {"total": step.total, **step.losses, "learning_rate": step.learning_rate}.items():
            self._writer.add_scalar(f"step/{name}", value, number)

    def on_epoch(self, epoch: Epoch) -> None:
        if self._writer is None:
            return
        for name, value in {"total": epoch.total, "validation_map": epoch.validation_map, **epoch.watched}.items():
            if value is not None:
                self._writer.add_scalar(f"epoch/{name}", value, epoch.number)
        self._writer.flush()
