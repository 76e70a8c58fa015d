"""Tasks in actors of Ray, on this machine or on a cluster: as many at once as have room, and none waits inside Ray.

A worker makes its function once, holds one task at a time and is asked now and then how far it is. Where it dies, as
machines of a cluster do, its task goes to another one, for it is a function that finds what is done; a task that has
ended several workers fails. Which tasks there are and what became of them only the head knows.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

from avloc.errors import AvlocError, ModelError, one_line
from avloc.files import replace_file
from avloc.scale.messages import Ended, Failed, Function, Progress, Task, Value
from avloc.scale.ray_cluster import connected, gpus_there, places
from avloc.scale.ray_worker import Place, RayWorker

TRIES = 3
"""A task that was with so many workers when they died is the reason, not their bad luck."""
_TICK_S = 0.5
_ASKS_A_SECOND = 200
_START_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Size:
    """What a worker takes of a machine, for decoding and for networks; gpus None is one where there are any."""

    cpus: int = 1
    gpus: float | None = 0.0


SMALL = Size()


@dataclass(frozen=True, slots=True)
class RayEngine:
    """`workers` actors, or as many as have room; a task that takes longer than `limit_s` fails.

    address is a cluster's, without one Ray is started here for the run. The results folder and the files `sees` are
    what each worker must find.
    """

    workers: int | None = None
    limit_s: float | None = None
    address: str | None = None
    size: Size = SMALL
    folder: Path | None = None
    sees: tuple[Path, ...] = ()

    def run(
        self, make: Callable[[], Function[Task, Value]], tasks: Sequence[Task]
    ) -> Generator[Progress | Ended[Value], None, None]:
        """As every engine, in the order of the tasks' start.

        Raises:
            ConfigError: the cluster cannot be joined, or has no room for a worker.
        """
        if not tasks:
            return
        with connected(self.address, self.size.cpus * (self.workers or 1)) as ray, _marked(self.folder) as marks:
            cpus, gpus = self.size.cpus, self.size.gpus
            gpus = min(1.0, gpus_there(ray)) if gpus is None else gpus
            workers = self.workers or places(ray, cpus, gpus)
            if not workers:
                needs = f"{cpus} cores and {gpus:g} GPUs" if gpus else f"{cpus} cores"
                raise ModelError(
                    f"no machine of the cluster has {needs} for a worker; ask for less with --threads and "
                    "--ray-gpus, or say with --workers how many are to come"
                )
            remote = ray.remote(RayWorker).options(
                num_cpus=cpus,
                num_gpus=gpus,
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=2,
                enable_task_events=False,  # some kilobytes of each task in the cluster's head
            )
            here = Place(str(Path.cwd()), (*marks, *(path for path in self.sees if path.exists())))
            yield from _Run(ray, lambda: _Hand.hired(remote, make, here), tasks, workers, self.limit_s).reports()


@contextlib.contextmanager
def _marked(folder: Path | None) -> Iterator[tuple[Path, ...]]:
    """A new file there: on a machine where it is missing, a folder of that name is another one."""
    if folder is None:
        yield ()
        return
    mark = folder / f".avloc-{secrets.token_hex(8)}.tmp"
    replace_file(mark, b"")
    try:
        yield (mark,)
    finally:
        with contextlib.suppress(OSError):
            mark.unlink()


@dataclass(eq=False)
class _Hand:
    """One worker, seen from the head: busy with its beginning, where `number` is None, or with a task."""

    actor: Any
    doing: Any
    number: int | None = None
    ready: bool = False
    since: float = field(default_factory=time.monotonic)
    asked: Any = None

    @staticmethod
    def hired(remote: Any, make: Callable[[], Function[Task, Value]], place: Place) -> _Hand:
        actor = remote.remote()
        return _Hand(actor, actor.begin.remote(make, place))

    def give(self, number: int, task: object) -> None:
        self.number, self.since = number, time.monotonic()
        self.doing = self.actor.work.remote(number, task)


class _Run(Generic[Task, Value]):
    """One run over tasks."""

    def __init__(
        self, ray: Any, hire: Callable[[], _Hand], tasks: Sequence[Task], workers: int, limit_s: float | None
    ) -> None:
        self.ray, self.hire, self.tasks, self.workers, self.limit_s = ray, hire, tasks, workers, limit_s
        self.left = len(tasks)
        self.next = 0
        self.again: deque[int] = deque()
        self.died: Counter[int] = Counter()
        self.stillborn = 0
        self.hands: dict[Any, _Hand] = {}
        """By what each is doing."""
        self.asked: dict[Any, _Hand] = {}
        self.began = self.looked = time.monotonic()
        self.anyone = False

    def reports(self) -> Iterator[Progress | Ended[Value]]:
        """What is told of the tasks, until each has ended."""
        try:
            while self.left:
                while len(self.hands) < min(self.workers, self.left):
                    self._take(self.hire())
                yield from self._listen()
                if time.monotonic() - self.looked > _TICK_S:
                    self.looked = time.monotonic()
                    yield from self._look()
        finally:
            for hand in self.hands.values():
                self.ray.kill(hand.actor)

    def _take(self, hand: _Hand) -> None:
        self.hands[hand.doing] = hand

    def _listen(self) -> Iterator[Progress | Ended[Value]]:
        ready, rest = self.ray.wait([*self.hands, *self.asked], timeout=_TICK_S)
        if ready and rest:
            ready += self.ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        for reference in ready:
            if reference in self.asked:
                yield from self._told(self.asked.pop(reference), reference)
            elif reference in self.hands:
                yield from self._ended(self.hands.pop(reference))

    def _told(self, hand: _Hand, reference: Any) -> Iterator[Progress]:
        hand.asked = None
        try:
            progress = self.ray.get(reference)
        except self.ray.exceptions.RayError:
            return  # it has died: what it was doing says so
        if progress is not None and progress.number == hand.number:
            yield progress

    def _ended(self, hand: _Hand) -> Iterator[Ended[Value]]:
        """A worker has begun, has ended a task, or has died."""
        try:
            said = self.ray.get(hand.doing)
        except self.ray.exceptions.RayError as error:
            yield from self._bury(hand, error)
            return
        if isinstance(said, AvlocError):
            self._take(hand)  # so that it is ended with the others
            raise said
        if hand.number is not None:
            self.left -= 1
            yield Ended(hand.number, said)
        else:
            hand.ready = self.anyone = True
            self.stillborn = 0
        self._give(hand)

    def _give(self, hand: _Hand) -> None:
        """The next task; where there is none the worker goes, and what it takes is free for others."""
        if self.next < len(self.tasks):
            number, self.next = self.next, self.next + 1
        elif self.again:
            number = self.again.popleft()
        else:
            self._dismiss(hand)
            return
        hand.give(number, self.tasks[number])
        self._take(hand)

    def _bury(self, hand: _Hand, error: Exception) -> Iterator[Ended[Value]]:
        self._dismiss(hand)
        if hand.number is None:
            self.stillborn += 1
            if isinstance(error, self.ray.exceptions.RayTaskError):  # it lives, and would say the same again
                raise ModelError(f"a worker could not begin: {_last_line(error)}") from None
            if self.stillborn >= TRIES:
                raise ModelError(f"no worker could begin: {_last_line(error)}; try fewer workers") from None
            return
        self.died[hand.number] += 1
        if self.died[hand.number] < TRIES:
            self.again.append(hand.number)
            return
        yield self._fail(hand.number, f"{TRIES} workers died of it, {_death(error)}")

    def _look(self) -> Iterator[Ended[Value]]:
        """Give up what takes too long, and ask the others how far they are."""
        now = time.monotonic()
        for reference, hand in list(self.hands.items()):
            if hand.number is None:
                if not self.anyone and now - self.began > _START_LIMIT_S:
                    raise ModelError(
                        f"no worker is ready after {_START_LIMIT_S:g} s; ray status tells what the cluster waits for"
                    )
            elif self.limit_s is not None and now - hand.since > self.limit_s:
                del self.hands[reference]
                self._dismiss(hand)
                yield self._fail(hand.number, f"took longer than {self.limit_s:g} s")
            elif hand.asked is None and now - hand.since > max(1.0, self.workers / _ASKS_A_SECOND):
                hand.asked = hand.actor.progress.remote()
                self.asked[hand.asked] = hand

    def _fail(self, number: int, reason: str) -> Ended[Value]:
        self.left -= 1
        return Ended(number, Failed(reason))

    def _dismiss(self, hand: _Hand) -> None:
        self.asked.pop(hand.asked, None)
        self.ray.kill(hand.actor)


def _death(error: Exception) -> str:
    """As the process engine says it, as far as Ray knows."""
    said = str(error).lower()
    if "memory pressure" in said or "running low on memory" in said:
        return "the last for want of memory"
    return "by a crash or for want of memory"


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return one_line(lines[-1]) if lines else type(error).__name__
