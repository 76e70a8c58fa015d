"""Crew: a thread that keeps worker processes at work. One that dies is replaced, and its job is tried once more."""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Generic

from avloc.errors import AvlocError, without_path
from avloc.scale.messages import Ended, Failed, Function, Progress
from avloc.scale.pool import Hand
from avloc.scale.work import D, Task
from avloc.serve.board import Board
from avloc.serve.job import Job

MOST_DEATHS = 1  # of workers, before a job is given up
_TICK_S = 0.5
_EXPIRE_S = 10.0
_LONGEST_PAUSE_S = 30.0

log = logging.getLogger("avloc.serve")


class Crew(Generic[D]):
    """Workers of a board. `make` makes the function of one; it goes to the process by pickle."""

    def __init__(self, board: Board, make: Callable[[], Function[Task, D]], workers: int) -> None:
        self.board = board
        self.workers = workers
        self.trouble = ""
        self.deaths = 0
        self.video_s = 0.0
        self.work_s = 0.0
        self._make = make
        self._hands: dict[Hand[Task, D], Job | None] = {}
        self._number = 0
        self._failed_starts = 0
        self._not_before = 0.0
        self._expired_at = 0.0
        self._stop_by: float | None = None
        self._ours, self._theirs = multiprocessing.Pipe(duplex=False)
        self._thread = threading.Thread(target=self._live, name="crew", daemon=True)

    @property
    def ready(self) -> int:
        """How many workers are ready for work, or at it."""
        return sum(hand.ready for hand in list(self._hands))

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
        try:
            while self._stop_by is None or (self._busy and time.monotonic() < self._stop_by):
                self._turn()
        finally:
            for hand, job in list(self._hands.items()):
                if job is not None:
                    log.info("job %s: returned to the queue", job.id)
                    self.board.back(job, died=False)
                hand.kill()
            self._hands.clear()

    @property
    def _busy(self) -> bool:
        return any(job is not None for job in self._hands.values())

    def _turn(self) -> None:
        """Listen, look after the workers, give out jobs."""
        self._hire()
        by_connection = {hand.connection: hand for hand in self._hands}
        for connection in wait([self._ours, *by_connection], _TICK_S):
            if connection is self._ours:
                while self._ours.poll():
                    self._ours.recv_bytes()
            else:
                self._hear(by_connection[connection])  # type: ignore[index]
        for hand, job in list(self._hands.items()):
            self._check(hand, job)
        self._give()
        if time.monotonic() - self._expired_at > _EXPIRE_S:
            self._expired_at = time.monotonic()
            self.board.expire()

    def _hire(self) -> None:
        while len(self._hands) < self.workers and time.monotonic() >= self._not_before and self._stop_by is None:
            self._hands[Hand(self._make)] = None

    def _give(self) -> None:
        for hand, job in list(self._hands.items()):
            if job is None and hand.ready and not hand.dead and self._stop_by is None:
                job = self.board.next()
                if job is None:
                    return
                self._hands[hand] = job
                self._number += 1
                hand.give(self._number, self.board.store.task(job))

    def _hear(self, hand: Hand[Task, D]) -> None:
        try:
            for report in hand.listen():
                job = self._hands[hand]
                if job is None:
                    continue
                if isinstance(report, Progress):
                    job.progress = min(1.0, report.seconds / report.of_seconds) if report.of_seconds else 0.0
                    continue
                self._hands[hand] = None
                self._end(job, report, died=hand.dead)
            if hand.ready:
                self._failed_starts, self.trouble = 0, ""
        except AvlocError as error:
            self._stumbled(hand, error)

    def _stumbled(self, hand: Hand[Task, D], error: AvlocError) -> None:
        """A worker cannot begin, which is tried again ever more slowly, or cannot write a result."""
        job, self._hands[hand] = self._hands[hand], None
        hand.kill()
        if job is not None:
            self._give_up(job, str(error))
            return
        self._failed_starts += 1
        self.trouble = str(error)
        self._not_before = time.monotonic() + min(_LONGEST_PAUSE_S, 2.0**self._failed_starts)
        log.error("a worker cannot begin: %s", error)

    def _check(self, hand: Hand[Task, D], job: Job | None) -> None:
        try:
            for report in hand.check(self.board.limits.job_s):
                self._hands[hand] = None
                if job is not None:
                    self._end(job, report, died=False)
        except AvlocError as error:
            self._stumbled(hand, error)
        if job is not None and self._hands.get(hand) is job and self.board.is_gone(job):
            hand.kill()
            self.board.end(job, "failed", "removed")
            self._hands[hand] = None
        if hand.dead:
            del self._hands[hand]

    def _end(self, job: Job, report: Ended[D], *, died: bool) -> None:
        outcome = report.outcome
        self.deaths += died
        if not isinstance(outcome, Failed):
            job.duration_s = outcome.duration_s
            self.video_s += outcome.duration_s
            self.board.end(job, "done")
            self.work_s += job.ended - job.began
            log.info("job %s: done, %.1f s of video in %.1f s", job.id, outcome.duration_s, job.ended - job.began)
        elif died and (self._stop_by is not None or job.died < MOST_DEATHS):
            log.warning("job %s: %s; tried again", job.id, outcome.reason)
            self.board.back(job, died=self._stop_by is None)
        elif outcome.skipped:
            self.board.end(job, "skipped", self._plain(job, outcome.reason))
        else:
            self._give_up(job, f"{outcome.reason}, twice" if died else outcome.reason)

    def _give_up(self, job: Job, reason: str) -> None:
        self.board.end(job, "failed", self._plain(job, reason))
        log.info("job %s: failed (%s)", job.id, job.reason)

    def _plain(self, job: Job, reason: str) -> str:
        """Without places on this machine's disk."""
        return without_path(reason, self.board.store.video(job)).replace(str(self.board.store.root), "STORE")
