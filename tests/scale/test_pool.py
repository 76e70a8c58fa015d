"""Processes that crash, hang, are killed or run out of memory cost one task each, and no other."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from avloc.errors import MediaError, ModelError, OutputError
from avloc.scale.messages import Ended, Failed, Progress
from avloc.scale.pool import run_in_processes


@dataclass(frozen=True)
class Doer:
    """Does what a task says."""

    def __call__(self) -> Callable[[str, Callable[[float, float], None]], str]:
        return do


def do(task: str, tell: Callable[[float, float], None]) -> str:
    match task:
        case "refuse":
            raise MediaError("a.mp4: is\nno video")
        case "stumble":
            raise KeyError("odd")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(7)
        case "hang":
            time.sleep(600)
        case "starve":
            raise MemoryError
        case "full disk":
            raise OutputError("out: cannot be written (no space left on device)")
        case "tell":
            tell(1.0, 4.0)
    return f"{task} done"


def no_model() -> Callable[[str, Callable[[float, float], None]], str]:
    raise ModelError("m: is no model")


def dead_at_once() -> Callable[[str, Callable[[float, float], None]], str]:
    os._exit(3)


def outcomes(tasks: list[str], workers: int = 2, limit_s: float | None = None) -> dict[str, str]:
    said = {}
    for report in run_in_processes(Doer(), tasks, workers, limit_s):
        if isinstance(report, Ended):
            outcome = report.outcome
            assert tasks[report.number] not in said
            said[tasks[report.number]] = outcome.reason if isinstance(outcome, Failed) else outcome
    return said


def test_whatever_happens_to_one_the_others_are_done() -> None:
    bad = ["refuse", "stumble", "die", "crash", "exit", "starve"]
    tasks = [task for i, name in enumerate(bad) for task in (f"good {i}", name)] + ["last"]
    said = outcomes(tasks)
    assert list(said) != [] and set(said) == set(tasks)
    assert all(said[task] == f"{task} done" for task in tasks if task not in bad)
    assert said["refuse"] == "a.mp4: is\\nno video"
    assert said["stumble"].startswith("KeyError")
    assert "SIGKILL" in said["die"] and "SIGSEGV" in said["crash"] and "status 7" in said["exit"]
    assert "memory" in said["starve"]


def test_a_task_that_takes_too_long_is_given_up() -> None:
    assert outcomes(["hang", "a", "b"], limit_s=4.0) == {
        "hang": "took longer than 4 s",
        "a": "a done",
        "b": "b done",
    }


def test_progress_is_told() -> None:
    assert Progress(0, 1.0, 4.0) in list(run_in_processes(Doer(), ["tell"], 1))


def test_no_task_no_process() -> None:
    assert list(run_in_processes(no_model, [], 2)) == []


def test_a_full_disk_ends_the_run() -> None:
    with pytest.raises(OutputError, match="no space left"):
        outcomes(["full disk", "a"])


@pytest.mark.parametrize(("make", "says"), [(no_model, "m: is no model"), (dead_at_once, "begin.*status 3")])
def test_a_worker_that_cannot_begin_ends_the_run(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        list(run_in_processes(make, ["a"], 2))  # type: ignore[arg-type]


def test_closing_ends_the_processes(tmp_path: Path) -> None:
    reports = run_in_processes(Doer(), ["a", "hang"], 2)
    next(reports)
    children = [p for p in Path("/proc").glob("[0-9]*/stat") if _parent(p) == os.getpid()]
    reports.close()
    assert children and not any("spawn_main" in _command(p) for p in children)


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def _command(stat: Path) -> str:
    try:
        return stat.with_name("cmdline").read_text()
    except OSError:
        return ""
