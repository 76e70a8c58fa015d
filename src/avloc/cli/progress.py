"""One progress bar for the verbs that walk through videos; on a terminal only, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from avloc.media.probe import MediaInfo


@contextmanager
def following(console: Console, number: int, count: int, info: MediaInfo) -> Iterator[Callable[[float], None]]:
    """Yields `on_seconds`: how far into the video the work has come."""
    which = f"[{number}/{count}] " if count > 1 else ""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(which + info.path.name.replace("[", r"\["), total=max(info.duration_s, 1e-3))
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
