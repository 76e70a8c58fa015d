"""Many videos > a results folder, by any Work: what is done stays done, what failed is known.

    lock > manifest > tasks left > what is kept of them, else the engine > a line of the manifest each > tables

Stop it as you like, by Ctrl-C, SIGKILL or a power cut: the same command goes on, and the files come out the same.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Container, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Generic

from avloc.errors import OutputError, without_path
from avloc.files import files_in
from avloc.lock import locked
from avloc.scale.engine import Engine
from avloc.scale.manifest import Entry, Manifest, without_outcome
from avloc.scale.messages import Ended, Failed, OnProgress, Progress
from avloc.scale.pool import outcome_of
from avloc.scale.table import write_failures
from avloc.scale.work import D, Gathered, Task, Work, ready, relative

LOCK = ".avloc.lock"


@dataclass(frozen=True, slots=True)
class Job:
    """A video, the name of its result (a place below the results folder, in POSIX form), and its page's file."""

    video: Path
    name: str
    page: Path | None = None


@dataclass
class Summary:
    """What a run came to, by name.

    Attributes:
        done: Made now.
        again: Made now of what an earlier run kept.
        found: There before.
        failed: Why, those of earlier runs that were not tried again too.
        skipped: Why there was nothing to do.
        left: Jobs without an outcome.
        brought: Results of other videos in the folder that were brought to the settings of this run.
        failures: The table of what failed or was skipped, if there is any.
    """

    done: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    left: int = 0
    brought: int = 0
    failures: Path | None = None
    video_s: float = 0.0
    took_s: float = 0.0
    gathered: Gathered = field(default_factory=Gathered)


@dataclass(frozen=True, slots=True)
class Begun:
    """What is ahead: jobs that are left and their sizes in bytes, jobs that were done before."""

    jobs: Sequence[Job]
    sizes: Sequence[int]
    done_before: int


@dataclass(frozen=True, slots=True)
class News(Generic[D]):
    """One job has an outcome."""

    job: Job
    outcome: D | Failed


class Batch(Generic[D]):
    """One run over a results folder. The engine does not change a result.

    Raises:
        ModelError, FeatureError: what the work needs is missing or broken.
    """

    def __init__(self, out: Path, work: Work[D], engine: Engine, *, retry_failed: bool = False) -> None:
        self.out = out
        self.work = work
        self.engine = engine
        self.retry_failed = retry_failed
        self.summary = Summary()
        self._digest = work.digest

    @contextlib.contextmanager
    def locked(self) -> Iterator[Manifest]:
        """The folder's manifest, which is this run's alone.

        Raises:
            OutputError: another run has the folder.
        """
        with locked(self.out / LOCK) as mine:
            if not mine:
                raise OutputError(f"{self.out}: another run works there; wait for its end, or give another folder")
            for torn in self.out.rglob(".avloc-*.tmp"):  # of runs that were killed
                with contextlib.suppress(OSError):
                    torn.unlink()
            manifest = Manifest(self.out, self.work.manifest)
            try:
                yield manifest
            finally:
                manifest.close()

    def run(self, manifest: Manifest, jobs: Sequence[Job]) -> Generator[Begun | Progress | News[D], None, None]:
        """Do what is left of `jobs`; numbers of Progress are places in Begun.jobs. Ends with all results gathered.

        Raises:
            ModelError, FeatureError: what the work needs is missing or broken.
            OutputError: a file cannot be written, or results of other videos would stay that other settings made.
        """
        began = time.monotonic()
        entries = {job.name: self._entry(job, manifest.entries.get(job.name)) for job in jobs}
        todo = [job for job in jobs if entries[job.name].state == "pending"]
        working = {name for name, entry in entries.items() if entry.state in ("pending", "done")}
        others = {name: path for name, path in self._results().items() if name not in working}
        self.summary.brought = self.work.bring_along(self.out, others)
        manifest.begin(entries.values())
        self.summary.found = [name for name, entry in entries.items() if entry.state == "done"]
        for state, reasons in (("failed", self.summary.failed), ("skipped", self.summary.skipped)):
            reasons |= {name: entry.reason for name, entry in entries.items() if entry.state == state}
        self.summary.left = len(todo)
        try:
            yield Begun(todo, [max(entries[job.name].size, 0) for job in todo], len(self.summary.found))
            for report in self._outcomes(todo, [entries[job.name].key for job in todo]):
                if isinstance(report, Progress):
                    yield report
                    continue
                job = todo[report.number]
                self._note(manifest, job, report.outcome)
                yield News(job, report.outcome)
        finally:
            self.summary.took_s = time.monotonic() - began
            self._gather(manifest, entries)

    def _outcomes(self, todo: Sequence[Job], keys: Sequence[str]) -> Generator[Progress | Ended[D], None, None]:
        """Of each job, told by its place: at once where something is kept under its key, else by the engine."""
        left: list[int] = []
        for number, (job, key) in enumerate(zip(todo, keys, strict=True)):
            again = outcome_of(partial(self._again, key), self._task(job), lambda seconds, of_seconds: None)
            if again is None:
                left.append(number)
            else:
                yield Ended(number, again)
        if not left:
            return
        tasks = [self._task(todo[number]) for number in left]
        with contextlib.closing(self.engine.run(partial(ready, self.work), tasks)) as reports:
            for report in reports:
                yield replace(report, number=left[report.number])

    def _again(self, key: str, task: Task, on_progress: OnProgress) -> D | None:
        return self.work.again(task, key) if key else None

    def _task(self, job: Job) -> Task:
        return Task(job.video, self._file(job.name), job.page)

    def _file(self, name: str) -> Path:
        return self.out / f"{name}{self.work.ending}"

    def _entry(self, job: Job, before: Entry | None) -> Entry:
        """What is known of a job: its state holds as long as video, settings and files are the same."""
        size, mtime_ns = _stamp(job.video)
        place, page = relative(job.video, self.out), "" if job.page is None else relative(job.page, self.out)
        fresh = Entry(job.name, place, settings=self._digest, size=size, mtime_ns=mtime_ns, page=page)
        if before is None or (before.settings, before.size, before.mtime_ns) != (self._digest, size, mtime_ns):
            return fresh
        stays = before.state == "skipped" or (before.state == "failed" and not self.retry_failed)
        if stays or (before.state == "done" and self.work.whole(self._task(job), before.key) is not None):
            return replace(before, video=place, page=page or before.page)
        return replace(fresh, key=before.key)  # what is computed has not changed, what is shown of it has

    def _note(self, manifest: Manifest, job: Job, outcome: D | Failed) -> None:
        self.summary.left -= 1
        summary = self.summary
        if isinstance(outcome, Failed):
            reason = without_path(outcome.reason, job.video)
            (summary.skipped if outcome.skipped else summary.failed)[job.name] = reason
            manifest.put(job.name, "skipped" if outcome.skipped else "failed", reason=reason)
            self.work.give_up(self._file(job.name))
            return
        (summary.found if outcome.found_before else summary.again if outcome.again else summary.done).append(job.name)
        if not (outcome.found_before or outcome.again):
            summary.video_s += outcome.duration_s
        manifest.put(job.name, "done", key=outcome.key)

    def _gather(self, manifest: Manifest, mine: Container[str]) -> None:
        """Of all results in the folder, those of other runs too."""
        self.summary.gathered = self.work.gather(self.out, self._results(), mine)
        lacking = without_outcome(self.out, manifest.entries.values())
        self.summary.failures = write_failures(self.out / self.work.failures, lacking)

    def _results(self) -> dict[str, Path]:
        """Result files in the folder by name."""
        files = (path for path in files_in(self.out, lambda problem: None) if path.name.endswith(self.work.ending))
        return {path.relative_to(self.out).as_posix().removesuffix(self.work.ending): path for path in files}


def _stamp(path: Path) -> tuple[int, int]:
    try:
        now = path.stat()
    except OSError:
        return -1, -1
    return now.st_size, now.st_mtime_ns
