"""What a worker does with a video of a stranger: look at its header first, within a bounded memory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Generic

from avloc.errors import AvlocError, MediaError, one_line
from avloc.media.source import stated_size
from avloc.scale.messages import Function, OnProgress
from avloc.scale.work import D, Task, Work, ready
from avloc.serve.limits import MEGABYTE, Limits


def guarded(work: Work[D], limits: Limits) -> Function[Task, D]:
    """The work, for a process of its own.

    Raises:
        ModelError, FeatureError: as Work.load.
        AvlocError: the networks do not fit into the memory.
    """
    _bound(limits.memory)
    try:
        return _Guarded(ready(work), limits)
    except (ImportError, MemoryError, OSError) as error:  # a library that cannot be mapped is an ImportError
        raise AvlocError(
            f"a worker cannot begin within {limits.memory / MEGABYTE:g} MB ({one_line(str(error))}); "
            "give more by --max-memory-mb"
        ) from None


@dataclass(frozen=True)
class _Guarded(Generic[D]):
    work: Work[D]
    limits: Limits

    def __call__(self, task: Task, on_progress: OnProgress) -> D:
        require_bounded(task, self.limits)
        return self.work(task, on_progress)


def require_bounded(task: Task, limits: Limits) -> None:
    """Raise MediaError where the header of a video says more than is taken; no picture is decoded."""
    width, height, length_s = stated_size(task.video, limits.pixels)
    if width * height > limits.pixels:
        raise MediaError(f"its pictures have {width} x {height} pixels; at most {limits.pixels} are taken")
    if length_s > limits.video_s:
        raise MediaError(f"it is {length_s / 3600:.1f} hours long; at most {limits.video_s / 3600:g} are taken")


def _bound(memory: int) -> None:
    """Whatever a file asks for beyond this fails, and with it the one job."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
