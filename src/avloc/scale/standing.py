"""Processes that stay, for tasks that come at any time; one that dies is replaced, its task tried once more."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Generic

from avloc.errors import AvlocError
from avloc.scale.messages import Ended, Failed, Function, Progress, Task, Value
from avloc.scale.pool import Hand

_LONGEST_PAUSE_S = 30.0


class Standing(Generic[Task, Value]):
    """`workers` processes, each of which calls `make` once; it and the tasks go by pickle.

    A task that takes longer than limit_s fails. A task whose process died is begun once more, and then fails.

    Attributes:
        trouble: Why the last process could not begin, "" where it could; it is tried again ever more slowly.
        deaths: How many processes died at a task.
    """

    def __init__(self, make: Callable[[], Function[Task, Value]], workers: int, limit_s: float | None = None) -> None:
        self.workers, self.limit_s = workers, limit_s
        self.trouble, self.deaths = "", 0
        self._make = make
        self._hands: dict[Hand[Task, Value], tuple[int, Task] | None] = {}
        self._again: deque[tuple[int, Task]] = deque()
        self._begun_again: set[int] = set()
        self._failed_starts, self._not_before = 0, 0.0

    @property
    def ready(self) -> int:
        """How many processes can work, or do."""
        return sum(hand.ready for hand in list(self._hands))

    @property
    def free(self) -> int:
        """How many wait for a task."""
        idle = sum(hand.ready and not hand.dead and task is None for hand, task in self._hands.items())
        return max(0, idle - len(self._again))

    @property
    def running(self) -> list[int]:
        """Numbers of tasks that have no outcome yet."""
        return [task[0] for task in (*self._hands.values(), *self._again) if task is not None]

    def give(self, number: int, task: Task) -> None:
        """Begin a task, by a number of its own; one process at least must be free."""
        hand = next(hand for hand, has in self._hands.items() if has is None and hand.ready and not hand.dead)
        self._hands[hand] = number, task
        hand.give(number, task)

    def turn(self, timeout_s: float, *others: Connection) -> list[Progress | Ended[Value]]:
        """Look after the processes; what they tell, as soon as they or `others` can be read, or after a time."""
        while len(self._hands) < self.workers and time.monotonic() >= self._not_before:
            self._hands[Hand(self._make)] = None
        told: list[Progress | Ended[Value]] = []
        hands = {hand.connection: hand for hand in self._hands}
        for connection in wait([*others, *hands], timeout_s):
            if connection in hands:
                told += self._heard(hands[connection])
        for hand in list(self._hands):
            told += self._checked(hand)
        while self._again and any(has is None and h.ready and not h.dead for h, has in self._hands.items()):
            self.give(*self._again.popleft())
        return told

    def drop(self, number: int) -> None:
        """End a task without an outcome, and the process that works on it."""
        self._again = deque(task for task in self._again if task[0] != number)
        for hand, has in list(self._hands.items()):
            if has is not None and has[0] == number:
                hand.kill()
                del self._hands[hand]

    def close(self) -> None:
        """End all processes."""
        for hand in self._hands:
            hand.kill()
        self._hands.clear()
        self._again.clear()

    def _heard(self, hand: Hand[Task, Value]) -> Iterator[Progress | Ended[Value]]:
        try:
            for report in hand.listen():
                yield from self._told(hand, report, died=hand.dead)
            if hand.ready and not hand.dead:
                self._failed_starts, self.trouble = 0, ""
        except AvlocError as error:
            yield from self._stumbled(hand, error)

    def _told(
        self, hand: Hand[Task, Value], report: Progress | Ended[Value], *, died: bool
    ) -> Iterator[Progress | Ended[Value]]:
        has = self._hands[hand]
        if isinstance(report, Ended) and has is not None:
            self._hands[hand] = None
            self.deaths += died
            if died and has[0] not in self._begun_again:
                self._begun_again.add(has[0])
                self._again.append(has)
                return
            self._begun_again.discard(has[0])
            if died and isinstance(report.outcome, Failed):
                report = Ended(report.number, Failed(f"{report.outcome.reason}, twice"))
        yield report

    def _checked(self, hand: Hand[Task, Value]) -> Iterator[Progress | Ended[Value]]:
        try:
            for report in hand.check(self.limit_s):
                yield from self._told(hand, report, died=False)
        except AvlocError as error:
            yield from self._stumbled(hand, error)
        if hand.dead:
            self._hands.pop(hand, None)

    def _stumbled(self, hand: Hand[Task, Value], error: AvlocError) -> Iterator[Ended[Value]]:
        """A process cannot begin, or cannot write the result of a task, which then fails."""
        has, self._hands[hand] = self._hands[hand], None
        hand.kill()
        if has is not None:
            self._begun_again.discard(has[0])
            yield Ended(has[0], Failed(str(error)))
            return
        self._failed_starts += 1
        self.trouble = str(error)
        self._not_before = time.monotonic() + min(_LONGEST_PAUSE_S, 2.0**self._failed_starts)
