"""Engine: what runs tasks side by side. One of processes on this machine is here; others take its place."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from avloc.scale.messages import Ended, Function, Progress, Task, Value
from avloc.scale.pool import run_in_processes


class Engine(Protocol):
    """Runs a function over tasks, wherever.

    Whatever an engine does, each task ends once; a task may be begun twice, so the function is one that finds what
    is done. What one task does to its worker (a crash, a hang, too little memory) fails that task and no other.
    """

    def run(
        self, make: Callable[[], Function[Task, Value]], tasks: Sequence[Task]
    ) -> Generator[Progress | Ended[Value], None, None]:
        """Do the tasks; `make` and each task go by pickle, `make` is called once in each worker.

        Numbers in what is told are places in `tasks`. Closing the iterator ends the workers.

        Raises:
            ModelError: a worker cannot begin its work.
            OutputError: a result cannot be written; no other could be.
        """


@dataclass(frozen=True, slots=True)
class ProcessEngine:
    """`workers` processes; a task that takes longer than `limit_s` fails."""

    workers: int = 1
    limit_s: float | None = None

    def run(
        self, make: Callable[[], Function[Task, Value]], tasks: Sequence[Task]
    ) -> Generator[Progress | Ended[Value], None, None]:
        """As every engine, in the order of the tasks' start."""
        return run_in_processes(make, tasks, self.workers, self.limit_s)
