"""Many videos > a results folder: what is done stays done, what failed is known, and one table holds all events.

    lock > manifest > tasks that are left > processes > a line of the manifest each > table

Stop it as you like, by Ctrl-C, SIGKILL or a power cut: the same command goes on, and the files come out the same.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from avloc.errors import OutputError
from avloc.events import Events
from avloc.formats.files import ENDING
from avloc.lock import locked
from avloc.scale.manifest import Entry, Manifest
from avloc.scale.pool import Ended, Failed, Progress, run_in_processes
from avloc.scale.table import TABLE, write_events_table
from avloc.scale.task import Done, Settings, Task, Work, read_done, relative

LOCK = ".avloc.lock"


@dataclass(frozen=True, slots=True)
class Job:
    """A video, the name of its result (a place below the results folder, in POSIX form), and its page's file."""

    video: Path
    name: str
    page: Path | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How a run goes; nothing here changes a result.

    workers: processes. threads: of the networks, in each. limit_s: longest time for one video.
    """

    workers: int = 1
    threads: int = 1
    limit_s: float | None = None
    retry_failed: bool = False
    inline: bool = False


@dataclass
class Summary:
    """What a run came to; `failed` holds the reason by name, those of earlier runs that were not tried again too."""

    done: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    left: int = 0
    video_s: float = 0.0
    took_s: float = 0.0
    by_label: Counter[str] = field(default_factory=Counter)
    table: Path | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What is ahead: jobs that are left and their sizes in bytes, jobs that were done before."""

    jobs: Sequence[Job]
    sizes: Sequence[int]
    done_before: int


@dataclass(frozen=True, slots=True)
class News:
    """One job has an outcome."""

    job: Job
    outcome: Done | Failed


class Batch:
    """One run over a results folder.

    Raises:
        OutputError: another run has the folder, or it cannot be written to.
    """

    def __init__(self, out: Path, settings: Settings, options: Options) -> None:
        self.out = out
        self.settings = settings
        self.options = options
        self.summary = Summary()
        self._digest = settings.digest()

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
            manifest = Manifest(self.out)
            try:
                yield manifest
            finally:
                manifest.close()

    def run(self, manifest: Manifest, jobs: Sequence[Job]) -> Generator[Begun | Progress | News, None, None]:
        """Do what is left of `jobs`; numbers of Progress are places in Begun.jobs. Ends with the table written.

        Raises:
            ModelError: the model is broken.
            OutputError: a file cannot be written.
        """
        began = time.monotonic()
        entries = {job.name: self._entry(job, manifest.entries.get(job.name)) for job in jobs}
        todo = [job for job in jobs if entries[job.name].state == "pending"]
        manifest.begin(entries.values())
        self.summary.found = [name for name, entry in entries.items() if entry.state == "done"]
        self.summary.failed = {name: entry.reason for name, entry in entries.items() if entry.state == "failed"}
        self.summary.left = len(todo)
        try:
            yield Begun(todo, [max(entries[job.name].size, 0) for job in todo], len(self.summary.found))
            with contextlib.closing(self._reports(todo)) as reports:
                for report in reports:
                    if isinstance(report, Progress):
                        yield report
                        continue
                    job = todo[report.number]
                    self._note(manifest, job, report.outcome)
                    yield News(job, report.outcome)
        finally:
            self.summary.took_s = time.monotonic() - began
            self._write_table(manifest, entries)

    def _reports(self, todo: Sequence[Job]) -> Generator[Progress | Ended[Done], None, None]:
        options = self.options
        tasks = [Task(job.video, self._file(job.name), job.page, options.inline) for job in todo]
        make = partial(Work, self.settings, options.threads)
        return run_in_processes(make, tasks, options.workers, options.limit_s)

    def _file(self, name: str) -> Path:
        return self.out / f"{name}{ENDING}"

    def _entry(self, job: Job, before: Entry | None) -> Entry:
        """What is known of a job: done and failed hold as long as video, settings and files are the same."""
        size, mtime_ns = _stamp(job.video)
        page = "" if job.page is None else relative(job.page, self.out)
        fresh = Entry(
            job.name,
            relative(job.video, self.out),
            settings=self._digest,
            size=size,
            mtime_ns=mtime_ns,
            page=page,
        )
        if before is None or (before.settings, before.size, before.mtime_ns) != (self._digest, size, mtime_ns):
            return fresh
        if before.state == "failed" and not self.options.retry_failed:
            return before
        if before.state == "done" and (not page or (before.page == page and job.page and job.page.is_file())):
            result = read_done(self._file(job.name))
            if result is not None and result.key == before.key:
                return before
        return fresh

    def _note(self, manifest: Manifest, job: Job, outcome: Done | Failed) -> None:
        self.summary.left -= 1
        if isinstance(outcome, Failed):
            self.summary.failed[job.name] = outcome.reason
            manifest.put(job.name, "failed", reason=outcome.reason)
            return
        (self.summary.found if outcome.found_before else self.summary.done).append(job.name)
        if not outcome.found_before:
            self.summary.video_s += outcome.duration_s
        manifest.put(job.name, "done", key=outcome.key)

    def _write_table(self, manifest: Manifest, jobs: Mapping[str, Entry]) -> None:
        """Of all that is done in the folder, that of other runs too."""
        rows: dict[str, Events] = {}
        for name, entry in manifest.entries.items():
            result = read_done(self._file(name)) if entry.state == "done" else None
            if result is None:
                continue
            rows[name] = result.events
            if name in jobs:
                self.summary.by_label.update(result.events.labels)
        self.summary.table = self.out / TABLE
        write_events_table(self.summary.table, rows)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        now = path.stat()
    except OSError:
        return -1, -1
    return now.st_size, now.st_mtime_ns
