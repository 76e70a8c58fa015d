"""Many videos > a results folder, by any Work: what is done stays done, what failed is known.

    lock > manifest > tasks that are left > engine > a line of the manifest each > what all come to

Stop it as you like, by Ctrl-C, SIGKILL or a power cut: the same command goes on, and the files come out the same.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Container, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic

from avloc.errors import OutputError
from avloc.lock import locked
from avloc.scale.engine import Engine
from avloc.scale.manifest import Entry, Manifest
from avloc.scale.messages import Failed, Progress
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
    """What a run came to; `failed` holds the reason by name, those of earlier runs that were not tried again too."""

    done: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    left: int = 0
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
            tasks = [Task(job.video, self._file(job.name), job.page) for job in todo]
            with contextlib.closing(self.engine.run(partial(ready, self.work), tasks)) as reports:
                for report in reports:
                    if isinstance(report, Progress):
                        yield report
                        continue
                    job = todo[report.number]
                    self._note(manifest, job, report.outcome)
                    yield News(job, report.outcome)
        finally:
            self.summary.took_s = time.monotonic() - began
            self._gather(manifest, entries)

    def _file(self, name: str) -> Path:
        return self.out / f"{name}{self.work.ending}"

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
        if before.state == "failed" and not self.retry_failed:
            return before
        if before.state == "done" and (not page or (before.page == page and job.page and job.page.is_file())):
            result = self.work.read(self._file(job.name))
            if result is not None and result.key == before.key:
                return before
        return fresh

    def _note(self, manifest: Manifest, job: Job, outcome: D | Failed) -> None:
        self.summary.left -= 1
        if isinstance(outcome, Failed):
            self.summary.failed[job.name] = outcome.reason
            manifest.put(job.name, "failed", reason=outcome.reason)
            return
        (self.summary.found if outcome.found_before else self.summary.done).append(job.name)
        if not outcome.found_before:
            self.summary.video_s += outcome.duration_s
        manifest.put(job.name, "done", key=outcome.key)

    def _gather(self, manifest: Manifest, mine: Container[str]) -> None:
        """Of all that is done in the folder, that of other runs too."""
        done = {name: self._file(name) for name, entry in manifest.entries.items() if entry.state == "done"}
        self.summary.gathered = self.work.gather(self.out, done, mine)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        now = path.stat()
    except OSError:
        return -1, -1
    return now.st_size, now.st_mtime_ns
