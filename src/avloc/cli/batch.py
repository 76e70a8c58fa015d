"""Many videos on the terminal: a line each, a bar with the time left, and what the run came to."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Literal

from rich.console import Console
from rich.table import Table

from avloc.cli.console import error_console, screen_console
from avloc.cli.inputs import Video
from avloc.cli.progress import BatchBar, batching
from avloc.errors import AvlocError, one_line, without_path
from avloc.scale.batch import Batch, Begun, Job, News, Summary
from avloc.scale.engine import Engine, ProcessEngine
from avloc.scale.manifest import Entry, Manifest
from avloc.scale.messages import Failed, Progress
from avloc.scale.names import settle
from avloc.scale.ray_cluster import require_ray
from avloc.scale.ray_engine import SMALL, RayEngine, Size
from avloc.scale.work import D, Work

EngineName = Literal["processes", "ray"]
_MOST_CLASSES = 20
_MOST_WORKERS = 4  # unless asked for more; each takes some 300 MB


@dataclass(frozen=True, slots=True)
class BatchFlags:
    """What the command line says of a run over many videos; None where it says nothing.

    Raises:
        AvlocError: a number is out of its range, or there is no folder for the results.
    """

    out: Path | None
    threads: int
    workers: int | None
    time_limit: float | None
    retry_failed: bool
    engine: EngineName = "processes"
    ray_address: str | None = None
    ray_gpus: float | None = None

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise AvlocError(f"--threads is {self.threads}; a number of threads is needed, or 0 for all cores")
        if self.workers is not None and self.workers < 1:
            raise AvlocError(f"--workers is {self.workers}; 1 or more is needed")
        limit_s = self.time_limit
        if limit_s is not None and not (math.isfinite(limit_s) and limit_s > 0):
            raise AvlocError(f"--time-limit is {limit_s}; a positive number of seconds is needed")
        if self._asked and self.out is None:
            raise AvlocError(
                "--workers, --time-limit, --retry-failed and --engine ray need --out, a folder for the results"
            )
        if self.engine == "ray":
            require_ray()
        elif self.ray_address is not None or self.ray_gpus is not None:
            raise AvlocError("--ray-address and --ray-gpus are of --engine ray; give it as well")
        if self.ray_gpus is not None and not (math.isfinite(self.ray_gpus) and self.ray_gpus >= 0):
            raise AvlocError(f"--ray-gpus is {self.ray_gpus}; GPUs of a worker are needed, such as 1 or 0.5")

    @property
    def _asked(self) -> bool:
        several = self.workers is not None or self.time_limit is not None or self.retry_failed
        return several or self.engine != "processes"

    def folder(self, videos: int, manifest: str) -> Path | None:
        """The results folder if so many videos are a batch: if asked for, several, or one has worked there before."""
        if self.out is not None and (self._asked or videos > 1 or (self.out / manifest).is_file()):
            return self.out
        return None

    def sparing(self) -> BatchFlags:
        """One process unless more are asked for: each holds networks that are large, and computes with many cores.

        Of Ray's workers as many as have such cores.
        """
        return self if self.engine == "ray" else replace(self, workers=self.workers or 1)

    @property
    def share(self) -> int:
        """Threads of a process, so that all together have a core each."""
        return self.threads or max(1, (os.cpu_count() or 1) // (self.workers or 1))

    def runs_on(self, videos: Sequence[Video], out: Path, size: Size) -> Engine:
        """What runs the work on `videos`: processes, as many as asked for; a core each unless asked, at most 4.

        Of Ray's workers as many as have room, where each is of `size` unless asked otherwise.
        """
        if self.engine == "ray":
            size = size if self.ray_gpus is None else replace(size, gpus=self.ray_gpus)
            sees = tuple(video.path for video in videos[:1])
            return RayEngine(self.workers, self.time_limit, self.ray_address, size, out, sees)
        return ProcessEngine(self.workers or min(_MOST_WORKERS, os.cpu_count() or 1), self.time_limit)


def run_batch(
    videos: Sequence[Video],
    out: Path,
    work: Work[D],
    flags: BatchFlags,
    *,
    size: Size = SMALL,
    said: Callable[[D], str],
    page_of: Callable[[str], Path] | None = None,
    on_end: Callable[[Iterable[Entry]], Path] | None = None,
) -> int:
    """Do the work on `videos`, into the results folder `out`; the result is the exit status.

    `size` is what a worker of Ray takes of a machine; `said` tells of one outcome, in a few words; `page_of` names
    the page of a result; `on_end` makes one more file for people from the states of all results in the folder.

    Raises:
        AvlocError: the work cannot be begun, the folder is taken or cannot be written to.
    """
    screen, errors = screen_console(), error_console()
    batch = Batch(out, work, flags.runs_on(videos, out, size), retry_failed=flags.retry_failed)
    with batch.locked() as manifest, _stoppable():
        jobs = _jobs(videos, manifest, out, page_of)
        try:
            with batching(errors) as bar, contextlib.closing(batch.run(manifest, jobs)) as events:
                # Beside the bar on one terminal both must go through one console.
                say = bar.console if screen.is_terminal and errors.is_terminal else screen
                _follow(events, bar, say, said)
        except KeyboardInterrupt:
            summary = batch.summary
            done = len(summary.done) + len(summary.again) + len(summary.found)
            screen.print(f"Stopped: {done} of {len(jobs)} videos are done. The same command goes on from here.")
            return 130
        states = manifest.path
        index = None if on_end is None else on_end(manifest.entries.values())
    _sum_up(batch.summary, jobs, states, screen)
    if index is not None:
        screen.print(f"index:  {one_line(str(index))}", markup=False, soft_wrap=True)
    return 1 if batch.summary.failed else 0


def _jobs(videos: Sequence[Video], manifest: Manifest, out: Path, page_of: Callable[[str], Path] | None) -> list[Job]:
    names = settle([(video.path, video.stem.as_posix()) for video in videos], manifest.entries, out)
    return [
        Job(video.path, name, None if page_of is None else page_of(name))
        for video, name in zip(videos, names, strict=True)
    ]


def _follow(
    events: Iterator[Begun | Progress | News[D]], bar: BatchBar, say: Console, said: Callable[[D], str]
) -> None:
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
            line = f"[{ended}/{len(numbers)}] {one_line(event.job.name)}: {_told(event, said)}"
            failed = isinstance(event.outcome, Failed) and not event.outcome.skipped
            say.print(line, style="yellow" if failed else None, markup=False, soft_wrap=True)


def _told(news: News[D], said: Callable[[D], str]) -> str:
    outcome = news.outcome
    if isinstance(outcome, Failed):
        return f"{'skipped' if outcome.skipped else 'failed'} ({without_path(outcome.reason, news.job.video)})"
    if outcome.found_before:
        return "was done before"
    if outcome.again:
        return f"{said(outcome)} (from what was kept)"
    speed = f", {outcome.duration_s / outcome.took_s:.0f}x real time" if outcome.took_s > 0 else ""
    return f"{said(outcome)} ({outcome.took_s:.1f} s{speed})"


def _sum_up(summary: Summary, jobs: Sequence[Job], states: Path, screen: Console) -> None:
    made, again, before = len(summary.done), len(summary.again), len(summary.found)
    kept = f"{again} from what was kept, " if again else ""
    skipped = f"{len(summary.skipped)} skipped, " if summary.skipped else ""
    speed = f", {summary.video_s / summary.took_s:.1f}x real time" if made and summary.took_s > 0 else ""
    took = f"{timedelta(seconds=round(summary.took_s))}{speed}"
    screen.print(
        f"{made + again + before} of {len(jobs)} videos done ({made} now, {kept}{before} before), "
        f"{skipped}{len(summary.failed)} failed; {took}.",
        style="bold",
        soft_wrap=True,
    )
    if summary.brought:
        screen.print(f"{summary.brought} results of other videos there were brought to the same settings.")
    counts = summary.gathered.counts
    if counts:
        table = Table("class", "events", box=None)
        table.columns[1].justify = "right"
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        for label, number in ranked[:_MOST_CLASSES]:
            table.add_row(one_line(label).replace("[", r"\["), str(number))
        if len(ranked) > _MOST_CLASSES:
            table.add_row(f"{len(ranked) - _MOST_CLASSES} more", str(sum(n for _, n in ranked[_MOST_CLASSES:])))
        screen.print(table)
    videos = {job.name: job.video for job in jobs}
    for name, reason in sorted(summary.failed.items()):
        print(f"avloc: {one_line(str(videos[name]))}: {reason}", file=sys.stderr)
    if summary.failed:
        screen.print("What failed is tried again with --retry-failed, or when its file has changed.")
    for what, path in (("table:", summary.gathered.table), ("failed:", summary.failures), ("states:", states)):
        if path is not None:
            screen.print(f"{what:7} {one_line(str(path))}", markup=False, soft_wrap=True)


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
