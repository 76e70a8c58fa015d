"""What a server takes: sizes, lengths, numbers and times, each checked when it is given."""

from __future__ import annotations

import math
from dataclasses import dataclass

from avloc.errors import AvlocError

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes are in bytes, times in seconds, pixels those of one picture as stored.

    Attributes:
        upload: Largest video that is taken.
        store: Most of all uploads and results that are kept at a time.
        queue: Most jobs that are received or wait for a worker at a time.
        job_s: After this a job is given up.
        keep_s: Results are removed this long after their job's end.
        video_s: Longest video.
        pixels: Largest picture.
        memory: Address space of a worker, where the system can bound it.
        grace_s: What runs when the server is stopped gets so long to finish.
        idle_s: An upload is given up when nothing comes for so long.

    Raises:
        AvlocError: one is not a positive number.
    """

    upload: int = 2000 * MEGABYTE
    store: int = 20_000 * MEGABYTE
    queue: int = 64
    job_s: float = 3600.0
    keep_s: float = 24 * 3600.0
    video_s: float = 12 * 3600.0
    pixels: int = 8192 * 4352
    memory: int = 4000 * MEGABYTE
    grace_s: float = 30.0
    idle_s: float = 30.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise AvlocError(f"the limit {name.removesuffix('_s')} is {value}; a positive number is needed")
