"""What a training tells, for Weights & Biases; offline unless WANDB_MODE says otherwise. `wandb` is an extra."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avloc.files import replace_file
from avloc.training.loggers.base import Logger, epoch_values, place_of, step_values
from avloc.training.watch import Epoch, Step

ID = "wandb-id.txt"


class WandbLogger(Logger):
    """A run of the project `avloc`, or WANDB_PROJECT, kept in OUT/wandb; a resumed run goes on under its id.

    Nothing leaves the machine unless WANDB_MODE=online, or `wandb sync OUT/wandb/offline-run-*` is called.
    """

    def __init__(self) -> None:
        import wandb

        self._wandb: Any = wandb
        self._run: Any = None

    def begin(self, settings: Mapping[str, Any], folder: Path) -> None:
        kept = folder / ID
        if not kept.is_file():
            replace_file(kept, secrets.token_hex(4).encode())
        self._run = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT", "avloc"),
            name=folder.name,
            id=kept.read_text().strip(),
            resume="allow",
            dir=str(folder),
            mode=os.environ.get("WANDB_MODE", "offline"),
            config=dict(settings),
            settings=self._wandb.Settings(silent=True, console="off"),
        )
        for axis in ("step", "epoch"):  # of their own: a resumed run may go back
            self._run.define_metric(axis)
            self._run.define_metric(f"{axis}/*", step_metric=axis)

    def on_step(self, step: Step) -> None:
        self._run.log({**step_values(step), "step": place_of(step)})

    def on_epoch(self, epoch: Epoch) -> None:
        self._run.log({**epoch_values(epoch), "epoch": epoch.number})

    def end(self, validation_map: float | None) -> None:
        if validation_map is not None:
            self._run.summary["validation_map"] = validation_map
        self._run.finish(exit_code=0 if validation_map is not None else 1)


make = WandbLogger
