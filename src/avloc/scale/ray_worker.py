"""What lives in an actor of Ray: one function, made once, that works task by task and tells how far it is."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from avloc import __version__
from avloc.errors import AvlocError, ModelError, OutputError
from avloc.scale.messages import Failed, Function, Progress, Task, Value
from avloc.scale.pool import outcome_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where the head works, as a worker on any machine must find it: paths mean the same there.

    sees are files and folders that must be there: videos, results.
    """

    folder: str
    sees: tuple[Path, ...] = ()
    machine: str = platform.node()
    version: str = __version__


class RayWorker(Generic[Task, Value]):
    """Two of its methods may run at once: `work`, and `progress` of it."""

    def __init__(self) -> None:
        self._function: Function[Task, Value] | None = None
        self._progress: Progress | None = None

    def begin(self, make: Callable[[], Function[Task, Value]], place: Place) -> AvlocError | None:
        """Make the function; the error is why no worker can be here."""
        on = "" if platform.node() == place.machine else f"on the machine {platform.node()}: "
        try:
            _require(place, on)
            self._function = make()
        except AvlocError as error:
            return type(error)(f"{on}{error}")
        return None

    def work(self, number: int, task: Task) -> Value | Failed | OutputError:
        """What came of a task; an OutputError is told as a value, for it ends the run."""
        assert self._function is not None

        def tell(seconds: float, of_seconds: float) -> None:
            self._progress = Progress(number, seconds, of_seconds)

        try:
            return outcome_of(self._function, task, tell)
        except OutputError as error:
            return error
        finally:
            self._progress = None

    def progress(self) -> Progress | None:
        """Of the task at hand, if it has told any."""
        return self._progress


def _require(place: Place, on: str) -> None:
    """Raise ModelError unless a task means here what it means to the head."""
    if __version__ != place.version:
        raise ModelError(f"avloc {__version__} is not the head's {place.version}; install the same on all machines")
    try:
        os.chdir(place.folder)
        unseen = next((path for path in place.sees if not path.exists()), None)
    except OSError:
        unseen = Path(place.folder)
    if unseen is not None:
        raise ModelError(
            f"{unseen} is not there; videos, results and models must lie under the same path on storage that all "
            "machines share"
        )
