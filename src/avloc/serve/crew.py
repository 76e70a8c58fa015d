"""Crew: a thread that gives the jobs of a board to processes, and tells the board what became of them."""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from typing import Generic

from avloc.errors import without_path
from avloc.scale.messages import Ended, Failed, Function
from avloc.scale.standing import Standing
from avloc.scale.work import D, Task
from avloc.serve.board import Board
from avloc.serve.job import Job

_TICK_S = 0.5
_EXPIRE_S = 10.0

log = logging.getLogger("avloc.serve")


class Crew(Generic[D]):
    """Workers of a board. `make` makes the function of one; it goes to the process by pickle.

    video_s: seconds of video that were searched; work_s: the time that it took in workers.
    """

    def __init__(self, board: Board, make: Callable[[], Function[Task, D]], workers: int) -> None:
        self.board, self.workers = board, workers
        self.processes: Standing[Task, D] = Standing(make, workers, board.limits.job_s)
        self.video_s = self.work_s = 0.0
        self._jobs: dict[int, Job] = {}
        self._number = 0
        self._expired_at = 0.0
        self._stop_by: float | None = None
        self._ours, self._theirs = multiprocessing.Pipe(duplex=False)
        self._thread = threading.Thread(target=self._live, name="crew", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._theirs.send_bytes(b".")

    def stop(self, grace_s: float) -> None:
        """Begin no more jobs; those that run get `grace_s` to finish and are else returned to the queue. Waits."""
        self._stop_by = time.monotonic() + grace_s
        self.wake()
        self._thread.join()

    def _live(self) -> None:
        told = ""
        try:
            while self._stop_by is None or (self._jobs and time.monotonic() < self._stop_by):
                self._turn()
                if self.processes.trouble != told:
                    told = self.processes.trouble
                    log.error("%s", told or "workers begin again")
        finally:
            self.processes.close()
            for job in self._jobs.values():
                log.info("job %s: returned to the queue", job.id)
                self.board.back(job)

    def _turn(self) -> None:
        """Listen, give out jobs, end those that were removed."""
        for report in self.processes.turn(_TICK_S, self._ours):
            job = self._jobs[report.number]
            if isinstance(report, Ended):
                del self._jobs[report.number]
                self._end(job, report)
            elif report.of_seconds:
                job.progress = min(1.0, report.seconds / report.of_seconds)
        while self._ours.poll():
            self._ours.recv_bytes()
        for number, job in list(self._jobs.items()):
            if self.board.is_gone(job):
                self.processes.drop(number)
                del self._jobs[number]
                self.board.end(job, "failed", "removed")
        while self._stop_by is None and self.processes.free and (following := self.board.next()) is not None:
            self._number += 1
            self._jobs[self._number] = following
            self.processes.give(self._number, self.board.store.task(following))
        if time.monotonic() - self._expired_at > _EXPIRE_S:
            self._expired_at = time.monotonic()
            self.board.expire()

    def _end(self, job: Job, report: Ended[D]) -> None:
        outcome = report.outcome
        if isinstance(outcome, Failed):
            # Without places on this machine's disk.
            reason = without_path(outcome.reason, self.board.store.video(job))
            self.board.end(
                job, "skipped" if outcome.skipped else "failed", reason.replace(str(self.board.store.root), "")
            )
            log.info("job %s: %s (%s)", job.id, job.state, job.reason)
            return
        job.duration_s = outcome.duration_s
        self.board.end(job, "done")
        self.video_s += outcome.duration_s
        self.work_s += job.ended - job.began
        log.info("job %s: done, %.1f s of video in %.1f s", job.id, outcome.duration_s, job.ended - job.began)
