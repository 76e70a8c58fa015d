"""Board: all jobs of a server in memory and on the disk; asked by requests, changed by the crew of workers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from avloc.errors import AvlocError, OutputError
from avloc.serve.job import Job, State
from avloc.serve.limits import Limits
from avloc.serve.refused import RefusedError
from avloc.serve.store import Store

MOST_BEGUN = 5  # a job that was running each time the server itself was killed is begun no more often


class Board:
    """The jobs; every method may be called from any thread."""

    def __init__(self, store: Store, limits: Limits, jobs: Iterable[Job] = ()) -> None:
        self.store, self.limits = store, limits
        self.closed = False
        self.receiving = 0
        self.counts: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._used: dict[str, int] = {}
        self._total = 0
        self._waiting: deque[Job] = deque()
        for job in jobs:
            self._restore(job)

    def _restore(self, job: Job) -> None:
        self._jobs[job.id] = job
        self._count(job, self.store.used(job.id))
        if job.is_over:
            return
        if job.begun >= MOST_BEGUN:
            self.end(job, "failed", f"the server ended {job.begun} times while it was worked on")
            return
        job.state = "queued"
        self._waiting.append(job)

    @property
    def waiting(self) -> int:
        """Jobs that wait for a worker."""
        return len(self._waiting)

    @property
    def used(self) -> int:
        """Bytes of all that is kept, and of what comes."""
        return self._total

    def states(self) -> Counter[State]:
        """How many jobs are in which state."""
        with self._lock:
            return Counter(job.state for job in self._jobs.values())

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place in the queue, for a job that comes.

        Raises:
            RefusedError: the queue is full, the server stops, or there is no more room for uploads.
        """
        with self._lock:
            if self.closed:
                raise RefusedError(503, "the server is being stopped; try again later", 10)
            if self.receiving + self.waiting >= self.limits.queue:
                raise RefusedError(429, f"{self.limits.queue} jobs are waiting, and no more may; try again later", 5)
            if self.used >= self.limits.store:
                raise RefusedError(507, "the server has no room for more videos; remove jobs, or try again later", 60)
            self.receiving += 1
        try:
            yield
        finally:
            with self._lock:
                self.receiving -= 1

    def grow(self, size: int) -> None:
        """So many bytes more have come of an upload, or are removed again.

        Raises:
            RefusedError: there is no room for them.
        """
        with self._lock:
            if size > 0 and self._total + size > self.limits.store:
                raise RefusedError(507, "the server has no room for more videos; remove jobs, or try again later", 60)
            self._total += size

    def add(self, job: Job, video: Path) -> None:
        """Begin a job of a video at `video`.

        Raises:
            RefusedError: it cannot be kept.
        """
        try:
            self.store.take(job, video)
        except OutputError as error:
            raise RefusedError(507, str(error), 60) from None
        with self._lock:
            self._jobs[job.id] = job
            self._count(job, job.size)
            self._waiting.append(job)
            self.counts["accepted"] += 1

    def get(self, job_id: str) -> Job:
        """A job by its id. Raises RefusedError where there is none."""
        job = self._jobs.get(job_id)
        if job is None:
            raise RefusedError(404, "there is no such job, or its results were removed")
        return job

    def next(self) -> Job | None:
        """Begin the job that waits longest."""
        with self._lock:
            if not self._waiting:
                return None
            job = self._waiting.popleft()
            job.state, job.began, job.progress = "running", time.time(), 0.0
            job.begun += 1
            self._keep(job)
            return job

    def back(self, job: Job) -> None:
        """Return a job to the head of the queue: the server stops."""
        with self._lock:
            job.state, job.progress = "queued", 0.0
            job.begun -= 1
            if self.is_gone(job):
                self.store.remove(job.id)
                return
            self._keep(job)
            self._waiting.appendleft(job)

    def end(self, job: Job, state: State, reason: str = "") -> None:
        """Nothing more becomes of a job. The video of one that has no page is removed."""
        with self._lock:
            job.state, job.reason, job.ended = state, reason, time.time()
            job.progress = 1.0 if state == "done" else job.progress
            self.counts[state] += 1
            if self.is_gone(job):
                self.store.remove(job.id)
                return
            self._keep(job)
            if state != "done" or not job.page:
                self.store.forget_video(job)
            self._count(job, self.store.used(job.id))

    def remove(self, job: Job) -> None:
        """Forget a job and all its files. What a worker has of it is removed when the worker has left it."""
        with self._lock:
            self._jobs.pop(job.id, None)
            self._count(job, 0)
            if job in self._waiting:
                self._waiting.remove(job)
            if job.state != "running":
                self.store.remove(job.id)

    def is_gone(self, job: Job) -> bool:
        """Whether it was removed."""
        return job.id not in self._jobs

    def expire(self) -> None:
        """Remove what has been kept long enough."""
        oldest = time.time() - self.limits.keep_s
        with self._lock:
            for job in [job for job in self._jobs.values() if job.is_over and job.ended < oldest]:
                self.remove(job)
                self.counts["expired"] += 1

    def _count(self, job: Job, size: int) -> None:
        """A job takes so many bytes now."""
        self._total += size - self._used.pop(job.id, 0)
        if size:
            self._used[job.id] = size

    def _keep(self, job: Job) -> None:
        if not self.is_gone(job):
            with contextlib.suppress(AvlocError):  # a full disk: the worker says so of the result itself
                self.store.save(job)
