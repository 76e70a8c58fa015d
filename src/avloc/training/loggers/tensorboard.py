"""What a training tells by name, as curves for TensorBoard; the package `tensorboard` is an extra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avloc.training.loggers.base import Logger, epoch_values, place_of, step_values
from avloc.training.watch import Epoch, Step

FOLDER = "tensorboard"


class TensorBoardLogger(Logger):
    """Curves by step (losses, learning rate) and by epoch (validation mAP, what the network watches) in
    OUT/tensorboard.

    Steps that a resumed run makes again take the place of those written before.
    """

    def __init__(self) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._make = SummaryWriter
        self._folder = Path()
        self._writer: Any = None

    def begin(self, settings: Mapping[str, Any], folder: Path) -> None:
        self._folder = folder / FOLDER

    def on_step(self, step: Step) -> None:
        number = place_of(step)
        if self._writer is None:  # at the first step, which says what is made again
            self._writer = self._make(str(self._folder), purge_step=number)
        for name, value in step_values(step).items():
            self._writer.add_scalar(name, value, number)

    def on_epoch(self, epoch: Epoch) -> None:
        if self._writer is None:
            return
        for name, value in epoch_values(epoch).items():
            self._writer.add_scalar(name, value, epoch.number)
        self._writer.flush()

    def end(self, validation_map: float | None) -> None:
        if self._writer is not None:
            self._writer.close()


make = TensorBoardLogger
