"""The grid as it runs: a line for each thing that happens, and on a terminal what runs and how long it will take."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status

if TYPE_CHECKING:
    from avloc.experiments.execute import Progress
    from avloc.experiments.runs import Run


class GridView:
    """Shows the progress of a grid while it is entered."""

    def __init__(self, screen: Console) -> None:
        self.screen = screen
        self.status = Status("", console=screen, spinner="line") if screen.is_terminal else None

    def __enter__(self) -> GridView:
        if self.status is not None:
            self.status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.status is not None:
            self.status.stop()

    def on_progress(self, progress: Progress) -> None:
        """News as a line that stays; the rest as one that is overwritten."""
        if progress.news:
            left = "" if progress.left_s is None else f"; about {duration(progress.left_s)} left"
            line = f"[{progress.done} of {progress.total}] {progress.news}{left}"
            self.screen.print(line, markup=False, soft_wrap=True)
            self.screen.file.flush()
        if self.status is not None:
            left = "" if progress.left_s is None else f", about {duration(progress.left_s)} left"
            running = "; ".join(_place(run) for run in progress.running) or "nothing to run"
            self.status.update(f"{progress.done} of {progress.total} done{left}: {running}")


def duration(seconds: float) -> str:
    """A length of time in words: 40 s, 12 min, 3 h 05 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _place(run: Run) -> str:
    from avloc.experiments.runs import read_metrics

    return f"{run.title}, epoch {len(read_metrics(run.folder)) + 1} of {run.config.train.epochs}"
