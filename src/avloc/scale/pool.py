"""Tasks in processes that may crash, hang or be killed: that fails one task, and another process takes their place.

A process makes its function once and then works task by task; it ends with the process that started it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic

from avloc.errors import AvlocError, ModelError, NothingToDoError, OutputError, one_line
from avloc.scale.messages import Ended, Failed, Function, OnProgress, Progress, Task, Value

_TICK_S = 0.5
_TELL_S = 0.5
_START_LIMIT_S = 300.0


def run_in_processes(
    make: Callable[[], Function[Task, Value]],
    tasks: Sequence[Task],
    workers: int,
    limit_s: float | None = None,
) -> Generator[Progress | Ended[Value], None, None]:
    """Tasks in `workers` processes, in order of their start; `make` is called once in each and must be picklable.

    limit_s: a task that takes longer fails. Closing the iterator kills the processes.

    Raises:
        ModelError: a process cannot begin its work.
        OutputError: a result cannot be written; no other could be.
    """
    waiting = deque(enumerate(tasks))
    hands: list[Hand[Task, Value]] = []
    try:
        while waiting or any(hand.number is not None for hand in hands):
            while len(hands) < min(workers, len(waiting) + sum(hand.number is not None for hand in hands)):
                hands.append(Hand(make))
            for connection in wait([hand.connection for hand in hands], _TICK_S):
                hand = next(h for h in hands if h.connection is connection)
                yield from hand.listen()
            for hand in list(hands):
                yield from hand.check(limit_s)
                if hand.dead:
                    hands.remove(hand)
                elif hand.ready and hand.number is None and waiting:
                    hand.give(*waiting.popleft())
    finally:
        for hand in hands:
            hand.kill()


class Hand(Generic[Task, Value]):
    """One process, seen from the one that started it.

    number is that of the task it works on; `ready` once its function is made; `dead` when another is needed.
    """

    def __init__(self, make: Callable[[], Function[Task, Value]]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(make, theirs), daemon=True)
        self.process.start()
        theirs.close()  # so that its death is the end of the pipe
        self.ready = self.dead = False
        self.number: int | None = None
        self.since = time.monotonic()

    def give(self, number: int, task: Task) -> None:
        """Begin a task, when it is ready and has none."""
        self.number, self.since = number, time.monotonic()
        with contextlib.suppress(OSError):  # it has just died: check() will say so
            self.connection.send((number, task))

    def listen(self) -> Iterator[Progress | Ended[Value]]:
        """What it has to say when its connection can be read, its death too.

        Raises:
            AvlocError: it cannot begin its work, or cannot write a result.
        """
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            yield from self._bury(None)
            return
        if isinstance(message, AvlocError):
            raise message
        if isinstance(message, Progress):
            yield message
            return
        if isinstance(message, Ended):
            self.number = None
            yield message
        self.ready, self.since = True, time.monotonic()

    def check(self, limit_s: float | None) -> Iterator[Ended[Value]]:
        """End a process that takes too long."""
        taken_s = time.monotonic() - self.since
        if self.dead:
            return
        if self.number is not None and limit_s is not None and taken_s > limit_s:
            yield from self._bury(f"took longer than {limit_s:g} s")
        elif not self.ready and taken_s > _START_LIMIT_S:
            yield from self._bury(f"is not ready after {_START_LIMIT_S:g} s")

    def _bury(self, reason: str | None) -> Iterator[Ended[Value]]:
        if reason is None:
            self.process.join(5)
        self.kill()
        reason = reason or f"its process {_death(self.process.exitcode)}"
        if not self.ready:
            raise ModelError(f"a worker could not begin: {reason}; try fewer workers")
        if self.number is not None:
            yield Ended(self.number, Failed(reason))
        self.number = None

    def kill(self) -> None:
        """End the process."""
        self.dead = True
        self.process.kill()
        self.process.join(5)
        self.connection.close()


def _serve(make: Callable[[], Function[Task, Value]], connection: Connection) -> None:
    """The life of a process: make the function, then work until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that started us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        try:
            function = make()
        except AvlocError as error:
            connection.send(error)
            return
        connection.send(None)
        while True:
            number, task = connection.recv()
            try:
                outcome = outcome_of(function, task, _Teller(connection, number))
            except OutputError as error:
                connection.send(error)
                return
            connection.send(Ended(number, outcome))


def outcome_of(function: Function[Task, Value], task: Task, tell: OnProgress) -> Value | Failed:
    """What comes of a task: a failure of one ends no other, but for a result that cannot be written."""
    try:
        return function(task, tell)
    except OutputError:
        raise
    except AvlocError as error:
        return Failed(str(error), skipped=isinstance(error, NothingToDoError))
    except MemoryError:
        return Failed("there is too little memory for it")
    except Exception as error:  # one odd file must not end the run over all others
        return Failed(one_line(f"{type(error).__name__}: {error}; please report this with the file"))


@dataclass
class _Teller:
    connection: Connection
    number: int
    told_at: float = field(default=0.0)

    def __call__(self, seconds: float, of_seconds: float) -> None:
        now = time.monotonic()
        if now - self.told_at >= _TELL_S:
            self.told_at = now
            self.connection.send(Progress(self.number, seconds, of_seconds))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _death(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        with contextlib.suppress(ValueError):
            name = signal.Signals(-exitcode).name
            return f"was ended by {name}" + (" (too little memory?)" if name == "SIGKILL" else "")
    return f"ended with status {exitcode}"
