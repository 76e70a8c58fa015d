"""Making the runs that are missing, each in a process of its own, one after another or side by side.

A run that another grid is making is left to it and waited for. A run that fails is told, and the others go on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.experiments.records import exchange
from avloc.experiments.runs import LOCK, LOG, Run, once, read_metrics, read_summary, write_experiment
from avloc.experiments.worker import BUSY
from avloc.lock import is_held

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the grid stands: finished, running and failed runs of all, and the seconds that are left (None: unknown).

    `news` is what has just happened, a line; empty when only time has passed.
    """

    done: int
    total: int
    running: tuple[Run, ...]
    failed: tuple[Run, ...]
    left_s: float | None
    news: str = ""


@dataclass(slots=True)
class _Started:
    run: Run
    process: subprocess.Popen[bytes]
    slot: int


def execute(
    runs: Sequence[Run],
    *,
    records: Path | None = None,
    jobs: int = 1,
    devices: Sequence[str] = (),
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> list[Run]:
    """Make every run that has no summary yet; the result is the runs that failed, whose log.txt tells why.

    records: folder of records; runs that have one there are not made, and each that is done gets one.
    devices: names for CUDA_VISIBLE_DEVICES; the jobs take them in turn.

    Raises:
        KeyboardInterrupt: after every process has saved its state and ended.
    """
    runs = once(runs)
    if records is not None:
        exchange(records, runs)
    return _Grid(runs, records, jobs, devices, on_progress).make()


class _Grid:
    def __init__(
        self,
        runs: Sequence[Run],
        records: Path | None,
        jobs: int,
        devices: Sequence[str],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.records = records
        self.runs, self.jobs, self.devices, self.on_progress = runs, jobs, devices, on_progress
        self.done = {run.key: summary for run in runs if (summary := read_summary(run.folder)) is not None}
        self.waiting = [run for run in runs if run.key not in self.done]
        self.elsewhere: list[Run] = []
        self.started: list[_Started] = []
        self.failed: list[Run] = []

    def make(self) -> list[Run]:
        self._tell(f"{len(self.done)} of {len(self.runs)} runs are done")
        try:
            while self.waiting or self.started or self.elsewhere:
                while self.waiting and len(self.started) < self.jobs:
                    self._start(self.waiting.pop(0))
                time.sleep(_LOOK_S)
                self._collect()
                if not self.waiting:
                    self._look_elsewhere()
                self._tell()
        except BaseException:
            self._stop()
            raise
        return self.failed

    def _start(self, run: Run) -> None:
        if self._finished(run):
            return
        write_experiment(run)
        slot = min(set(range(self.jobs)) - {s.slot for s in self.started})
        with (run.folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "avloc.experiments.worker", str(run.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(slot),
                start_new_session=True,  # Ctrl-C reaches it through us, once
            )
        self.started.append(_Started(run, process, slot))
        self._tell(f"begun: {run.title} ({run.folder})")

    def _environment(self, slot: int) -> dict[str, str]:
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if self.jobs > 1:
            env.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // self.jobs)))
        if self.devices:
            env["CUDA_VISIBLE_DEVICES"] = self.devices[slot % len(self.devices)]
        return env

    def _collect(self) -> None:
        for one in [s for s in self.started if s.process.poll() is not None]:
            self.started.remove(one)
            if self._finished(one.run):
                continue
            if one.process.returncode == BUSY:
                self.elsewhere.append(one.run)
                self._tell(f"made by another process: {one.run.title}")
            else:
                self.failed.append(one.run)
                self._tell(f"failed: {one.run.title}: {last_line(one.run.folder / LOG)}")

    def _look_elsewhere(self) -> None:
        """Take back what another process has finished, or left."""
        for run in list(self.elsewhere):
            if self._finished(run):
                self.elsewhere.remove(run)
            elif not is_held(run.folder / LOCK):
                self.elsewhere.remove(run)
                self.waiting.append(run)

    def _finished(self, run: Run) -> bool:
        summary = read_summary(run.folder)
        if summary is None:
            return False
        self.done[run.key] = summary
        if self.records is not None:
            exchange(self.records, [run])
        self._tell(
            f"done: {run.title}: mAP {100 * summary.test_average:.2f} on test, "
            f"{100 * summary.validation_map:.2f} on validation, {summary.seconds:.0f} s"
        )
        return True

    def _stop(self) -> None:
        """Ctrl-C for every process, and time for each to save its state."""
        for one in self.started:
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGINT)
        for one in self.started:
            try:
                one.process.wait(60)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()

    def _tell(self, news: str = "") -> None:
        running = tuple(s.run for s in self.started)
        self.on_progress(Progress(len(self.done), len(self.runs), running, tuple(self.failed), self._left_s(), news))

    def _left_s(self) -> float | None:
        running = [s.run for s in self.started]
        known = [(run.row, whole_s) for run in running if (whole_s := _whole_s(run)) is not None]
        known += [(summary.row, summary.seconds) for summary in self.done.values()]
        if not known:
            return None
        left = 0.0
        for run in (*self.waiting, *running, *self.elsewhere):
            same = [seconds for row, seconds in known if row == run.row] or [seconds for _, seconds in known]
            left += sum(same) / len(same) * (1 - share_done(run))
        return left / self.jobs


def _whole_s(run: Run) -> float | None:
    """Seconds that a running run will take in all, by the epochs that it has behind it."""
    epochs = [float(epoch["seconds"]) for epoch in read_metrics(run.folder)]
    return sum(epochs) / len(epochs) * run.config.train.epochs if epochs else None


def share_done(run: Run) -> float:
    """Share of a run's epochs that have ended."""
    return min(1.0, len(read_metrics(run.folder)) / run.config.train.epochs)


def state_of(run: Run) -> str:
    """In words: waiting, running, stopped, or done with its mAP."""
    summary = read_summary(run.folder)
    if summary is not None:
        return f"done, mAP {100 * summary.test_average:.2f}"
    if not run.folder.is_dir():
        return "waiting"
    epochs = f"{len(read_metrics(run.folder))} of {run.config.train.epochs} epochs"
    return f"running, {epochs}" if is_held(run.folder / LOCK) else f"stopped, {epochs}"


def last_line(path: Path) -> str:
    """The last line of a log that says something."""
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return "it left no log"
    return next((line for line in reversed(lines) if line.strip()), "it left no log")
