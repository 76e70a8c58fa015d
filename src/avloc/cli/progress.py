"""One progress bar for the verbs that walk through videos; on a terminal only, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from avloc.media.probe import MediaInfo


@contextmanager
def following(console: Console, number: int, count: int, info: MediaInfo) -> Iterator[Callable[[float], None]]:
    """Yields `on_seconds`: how far into the video the work has come."""
    which = f"[{number}/{count}] " if count > 1 else ""
    with Progress(
        TextColumn("{task.description}", markup=False),  # neither brackets nor :codes: of a name mean anything
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(which + info.path.name, total=max(info.duration_s, 1e-3))
        yield lambda seconds: bar.update(task, completed=seconds)


@contextmanager
def counting(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Yields `on_progress`: how many of how many are done."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class BatchBar:
    """How far many files are, by their bytes, with the time left."""

    def __init__(self, bar: Progress) -> None:
        self.console = bar.console
        self._bar = bar
        self._task = bar.add_task("videos", total=None)
        self._sizes: Sequence[int] = ()
        self._shares: dict[int, float] = {}
        self._done = 0

    def begin(self, sizes: Sequence[int]) -> None:
        """Files ahead by their sizes in bytes."""
        self._sizes = sizes
        self._bar.update(self._task, total=max(1, sum(sizes)))

    def go(self, number: int, share: float) -> None:
        """File `number` is so far, 0 to 1."""
        self._shares[number] = min(1.0, share)
        self._show()

    def end(self, number: int) -> None:
        """File `number` is done, or given up."""
        self._shares[number] = 1.0
        self._done += 1
        self._show()

    def _show(self) -> None:
        reached = sum(share * self._sizes[number] for number, share in self._shares.items())
        self._bar.update(self._task, completed=reached, description=f"{self._done} of {len(self._sizes)} videos")


@contextmanager
def batching(console: Console) -> Iterator[BatchBar]:
    """A bar for many files."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        yield BatchBar(bar)
