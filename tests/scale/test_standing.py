"""Processes that stay: tasks come at any time, what dies is replaced, and its task is tried once more."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from avloc.errors import ModelError, OutputError
from avloc.scale.messages import Ended, Failed, Progress
from avloc.scale.standing import Standing


@dataclass(frozen=True)
class Doer:
    """Does what a task says, and begins only where there is no file `closed`."""

    folder: Path

    def __call__(self) -> Callable[[str, Callable[[float, float], None]], str]:
        if (self.folder / "closed").exists():
            raise ModelError("m: is no model")
        return self.do

    def do(self, task: str, tell: Callable[[float, float], None]) -> str:
        marker = self.folder / "was here"
        if task == "die" or (task == "die once" and not marker.exists()):
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "hang":
            time.sleep(600)
        if task == "full disk":
            raise OutputError("out: cannot be written")
        tell(1.0, 2.0)
        return f"{task} done"


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[Standing[str, str]]:
    processes: Standing[str, str] = Standing(Doer(tmp_path), 1, limit_s=3.0)
    yield processes
    processes.close()


def outcome(standing: Standing[str, str], number: int, task: str) -> str:
    """Of one task, given as soon as a process is free."""
    ends = time.monotonic() + 60
    while not standing.free:
        assert standing.turn(0.05) == []
        assert time.monotonic() < ends
    standing.give(number, task)
    while time.monotonic() < ends:
        for report in standing.turn(0.05):
            if isinstance(report, Ended):
                assert report.number == number and number not in standing.running
                return report.outcome.reason if isinstance(report.outcome, Failed) else report.outcome
            assert isinstance(report, Progress) and number in standing.running
    raise AssertionError(f"{task} has no outcome")


def test_whatever_happens_to_a_task_the_next_is_done(standing: Standing[str, str]) -> None:
    assert outcome(standing, 1, "a") == "a done"
    assert outcome(standing, 2, "die once") == "die once done" and standing.deaths == 1
    assert outcome(standing, 3, "die") == "its process was ended by SIGKILL (too little memory?), twice"
    assert outcome(standing, 4, "full disk") == "out: cannot be written"
    assert outcome(standing, 5, "hang") == "took longer than 3 s"
    assert outcome(standing, 6, "b") == "b done"
    assert standing.deaths == 3 and standing.running == []


def test_a_task_that_is_dropped_has_no_outcome(standing: Standing[str, str]) -> None:
    assert outcome(standing, 1, "a") == "a done"
    standing.give(2, "hang")
    standing.drop(2)
    assert standing.running == [] and outcome(standing, 3, "b") == "b done"


def test_processes_that_cannot_begin_are_tried_again(tmp_path: Path) -> None:
    (tmp_path / "closed").touch()
    standing: Standing[str, str] = Standing(Doer(tmp_path), 1)
    try:
        ends = time.monotonic() + 60
        while not standing.trouble and time.monotonic() < ends:
            standing.turn(0.05)
        assert standing.trouble == "m: is no model" and standing.ready == 0
        (tmp_path / "closed").unlink()
        assert outcome(standing, 1, "a") == "a done" and standing.trouble == ""
    finally:
        standing.close()
