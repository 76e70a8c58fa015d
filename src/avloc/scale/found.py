"""What was found in one video: all that its files and its page are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avloc.events import Events
from avloc.events.filter import ALL_EVENTS, EventFilter
from avloc.evidence.apart import ClassEvidence
from avloc.media.probe import MediaInfo
from avloc.scale.kept import Kept
from avloc.scale.work import Task
from avloc.timegrid import WHOLE, Stretch


class Page(Protocol):
    """What the caller makes of a video for people."""

    def is_of(self, mark: str) -> bool:
        """Whether it is there already, made of what `mark` stands for."""

    def write(self, found: Found) -> None:
        """Write the page; the result is written after it.

        Raises:
            OutputError: it cannot be written.
        """


@dataclass(frozen=True, slots=True)
class Found:
    """All that is to be written of one video; `shown` are its events for people, `mark` changes with all of it.

    wanted is what was chosen of them.
    """

    task: Task
    kept: Kept
    shown: Events
    least_score: float
    model: str
    mark: str
    took_s: float = 0.0
    again: bool = False
    stretch: Stretch = WHOLE
    evidence: ClassEvidence | None = None
    wanted: EventFilter = ALL_EVENTS

    @property
    def looked_at_s(self) -> float:
        """Length of what was read of the video, of which are the events."""
        return min(self.stretch.end_s, self.kept.duration_s) - self.stretch.start_s

    @property
    def info(self) -> MediaInfo:
        """What the file holds."""
        return self.kept.info

    @property
    def levels(self) -> NDArray[np.float32]:
        """(L,) peak levels of the sound, 0 to 1, in equal parts of the video's length."""
        return self.kept.levels
