"""Many videos on the terminal: a line each, a bar with the time left, and what the run came to."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from avloc.cli.inputs import Video
from avloc.cli.progress import BatchBar, batching
from avloc.errors import one_line
from avloc.report.page import summary as told
from avloc.scale.batch import Batch, Begun, Job, News, Options, Summary
from avloc.scale.manifest import MANIFEST, Manifest
from avloc.scale.names import settle
from avloc.scale.pool import Failed, Progress
from avloc.scale.task import Settings

_MOST_CLASSES = 20


def is_results_folder(folder: Path) -> bool:
    """Whether a batch has worked there."""
    return (folder / MANIFEST).is_file()


def run_batch(videos: Sequence[Video], out: Path, report: Path | None, settings: Settings, options: Options) -> int:
    """Detect events in `videos`, into the results folder `out`; the result is the exit status.

    Raises:
        AvlocError: the model is broken, the folder is taken or cannot be written to.
    """
    screen, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    batch = Batch(out, settings, options)
    with batch.locked() as manifest, _stoppable():
        jobs = _jobs(videos, manifest, out, report)
        try:
            with batching(errors) as bar, contextlib.closing(batch.run(manifest, jobs)) as events:
                # Beside the bar on one terminal both must go through one console.
                say = bar.console if screen.is_terminal and errors.is_terminal else screen
                _follow(events, bar, say)
        except KeyboardInterrupt:
            done = len(batch.summary.done) + len(batch.summary.found)
            screen.print(f"Stopped: {done} of {len(jobs)} videos are done. The same command goes on from here.")
            return 130
    _sum_up(batch.summary, len(jobs), out, screen)
    return 1 if batch.summary.failed else 0


def _jobs(videos: Sequence[Video], manifest: Manifest, out: Path, report: Path | None) -> list[Job]:
    names = settle([(video.path, video.stem.as_posix()) for video in videos], manifest.entries, out)
    return [
        Job(video.path, name, None if report is None else report / f"{name}.html")
        for video, name in zip(videos, names, strict=True)
    ]


def _follow(events: Iterator[Begun | Progress | News], bar: BatchBar, say: Console) -> None:
    numbers: dict[str, int] = {}
    ended = 0
    for event in events:
        if isinstance(event, Begun):
            numbers = {job.name: number for number, job in enumerate(event.jobs)}
            bar.begin(event.sizes)
            if event.done_before:
                say.print(f"{event.done_before} done already; {len(event.jobs)} to do.")
        elif isinstance(event, Progress):
            bar.go(event.number, event.seconds / event.of_seconds if event.of_seconds else 0.0)
        else:
            ended += 1
            bar.end(numbers[event.job.name])
            line = f"[{ended}/{len(numbers)}] {one_line(event.job.name)}: {_said(event)}"
            failed = isinstance(event.outcome, Failed)
            say.print(line, style="yellow" if failed else None, markup=False, soft_wrap=True)


def _said(news: News) -> str:
    outcome = news.outcome
    if isinstance(outcome, Failed):
        return f"failed ({_reason(outcome.reason, news.job.video)})"
    if outcome.found_before:
        return "was done before"
    speed = f", {outcome.duration_s / outcome.took_s:.0f}x real time" if outcome.took_s > 0 else ""
    return f"{told(outcome.events, outcome.duration_s)} ({outcome.took_s:.1f} s{speed})"


def _reason(reason: str, video: Path) -> str:
    """The reason without the path that stands before it already."""
    return reason.removeprefix(one_line(str(video))).removeprefix(":").strip()


def _sum_up(summary: Summary, count: int, out: Path, screen: Console) -> None:
    made, before, failed = len(summary.done), len(summary.found), len(summary.failed)
    speed = f", {summary.video_s / summary.took_s:.1f}x real time" if made and summary.took_s > 0 else ""
    took = f"{timedelta(seconds=round(summary.took_s))}{speed}"
    screen.print(
        f"{made + before} of {count} videos done ({made} now, {before} before), {failed} failed; {took}.",
        style="bold",
    )
    if summary.by_label:
        table = Table("class", "events", box=None)
        table.columns[1].justify = "right"
        ranked = sorted(summary.by_label.items(), key=lambda item: (-item[1], item[0]))
        for label, number in ranked[:_MOST_CLASSES]:
            table.add_row(one_line(label).replace("[", r"\["), str(number))
        if len(ranked) > _MOST_CLASSES:
            table.add_row(f"{len(ranked) - _MOST_CLASSES} more", str(sum(n for _, n in ranked[_MOST_CLASSES:])))
        screen.print(table)
    for name, reason in sorted(summary.failed.items()):
        print(f"avloc: {one_line(name)}: {reason}", file=sys.stderr)
    if summary.failed:
        screen.print("What failed is tried again with --retry-failed, or when its file has changed.")
    screen.print(f"table:  {one_line(str(summary.table))}", markup=False, soft_wrap=True)
    screen.print(f"states: {one_line(str(out / MANIFEST))}", markup=False, soft_wrap=True)


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM, as schedulers and systemd send it, stops like Ctrl-C."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
