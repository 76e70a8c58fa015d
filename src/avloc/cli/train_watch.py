"""What `avloc train` shows of a run on its way: a bar of the epoch at hand, a line for each that is done."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from avloc.cli.console import error_console

if TYPE_CHECKING:
    from avloc.training.start import Taken
    from avloc.training.watch import Epoch, Step

_MOST_SHOWN = 20


@dataclass
class TrainWatch:
    """Remarks, weights that a run begins with, steps and epochs, on `screen`."""

    screen: Console
    progress: Progress = field(init=False)
    task: TaskID | None = None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn(
                "step {task.completed} of {task.total}, loss {task.fields[loss]:.3f}, {task.fields[left]} left"
            ),
            console=error_console(),
            transient=True,
        )
        self.progress.disable = not self.progress.console.is_terminal

    def on_remark(self, remark: str) -> None:
        self.screen.print(f"note: {remark}", markup=False, soft_wrap=True)

    def on_init(self, taken: Taken) -> None:
        self.screen.print(
            f"began with {len(taken.taken)} tensors of --init, {len(taken.left)} stay fresh", style="bold"
        )
        for name in taken.left[:_MOST_SHOWN]:
            self.screen.print(f"  fresh: {name}", markup=False, highlight=False)
        if len(taken.left) > _MOST_SHOWN:
            self.screen.print(f"  and {len(taken.left) - _MOST_SHOWN} more")

    def on_step(self, step: Step) -> None:
        if self.task is None:
            self.progress.start()
            self.task = self.progress.add_task("", total=step.steps, epoch=step.epoch, loss=step.total, left="")
        left = f"{step.seconds_left / 60:.0f} min" if step.seconds_left > 90 else f"{step.seconds_left:.0f} s"
        self.progress.update(
            self.task, completed=step.step, total=step.steps, epoch=step.epoch, loss=step.total, left=left
        )

    def on_epoch(self, epoch: Epoch) -> None:
        score = "" if epoch.validation_map is None else f", validation mAP {100 * epoch.validation_map:.2f}"
        if epoch.by_task:
            score += f" ({', '.join(f'{task} {100 * value:.2f}' for task, value in epoch.by_task.items())})"
        if epoch.resting:
            score += f", {' and '.join(epoch.resting)} rested"
        parts = ", ".join(f"{name} {value:.3f}" for name, value in epoch.losses.items())
        self.screen.print(
            f"epoch {epoch.number}: loss {epoch.total:.3f} ({parts}){score}"
            f"{' (best)' if epoch.is_best else ''}, {epoch.seconds:.0f} s",
            soft_wrap=True,
        )
        self.screen.file.flush()
