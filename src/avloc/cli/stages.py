"""Several trainings one after the other, and the work before them, on one bar; in a log, a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from avloc.cli.console import error_console

if TYPE_CHECKING:
    from avloc.training.watch import Step

_TELL_S = 30.0


@dataclass
class Stages:
    """What is done and what is left, on standard error; what stays is printed on `screen`."""

    screen: Console
    progress: Progress = field(init=False)
    task: TaskID = field(init=False)
    stage: tuple[str, int, int] = ("", 0, 0)
    began: float = 0.0
    first: float = 0.0
    told: float = 0.0

    def __post_init__(self) -> None:
        bar = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
        self.progress = Progress(*bar, console=error_console(), transient=True)
        self.progress.disable = not self.progress.console.is_terminal
        self.task = self.progress.add_task("", total=None, left="")

    @contextmanager
    def shown(self) -> Iterator[Self]:
        self.progress.start()
        try:
            yield self
        finally:
            self.progress.stop()

    def on_note(self, line: str) -> None:
        self.screen.print(line, style="yellow", markup=False, soft_wrap=True)

    def on_step(self, step: Step) -> None:
        _, number, count = self.stage
        # The other trainings take as long as this one.
        whole = time.monotonic() - self.began + step.seconds_left
        left = time_left(step.seconds_left + (count - number) * whole)
        self.update(f"training {number} of {count}, epoch {step.epoch}", step.step, step.steps, left)

    def training(self, name: str, number: int, count: int, what: str) -> None:
        """Training `number` of `count` begins."""
        self.stage, self.began = (name, number, count), time.monotonic()
        self.screen.print(f"training {number} of {count}: {what}", soft_wrap=True)
        self.screen.file.flush()

    def going(self, name: str, done: float, total: float) -> str:
        """The time left of a work that is not training, in words; "" where it cannot be told yet."""
        if self.stage[0] != name:
            self.stage, self.began, self.first = (name, 0, 0), time.monotonic(), done
        spent, made = time.monotonic() - self.began, done - self.first
        return time_left(spent / made * (total - done)) if made > 0 else ""

    def update(self, what: str, done: float, total: float, left: str) -> None:
        self.progress.update(self.task, description=what.replace("[", r"\["), completed=done, total=total, left=left)

    def line(self, text: str) -> None:
        """Now and then, where no bar is shown, as in a log."""
        if self.progress.disable and time.monotonic() - self.told > _TELL_S:
            self.told = time.monotonic()
            print(text, file=sys.stderr, flush=True)


def time_left(seconds: float) -> str:
    """In words."""
    return f"{seconds / 60:.0f} min left" if seconds > 90 else f"{seconds:.0f} s left"
