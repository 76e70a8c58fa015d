"""What a file of labels or detections says of one video: the type between any two formats."""

from __future__ import annotations

import math
from dataclasses import dataclass

from avloc.events import Events


@dataclass(frozen=True, slots=True)
class Truth:
    """One video: its length in seconds (infinite where the file does not say), its part of the data set (empty where
    the file does not say), its events (score 1 where the file has none)."""

    duration_s: float
    subset: str
    events: Events

    @classmethod
    def of(cls, events: Events, duration_s: float = math.inf) -> Truth:
        """Of a file that says no more."""
        return cls(duration_s, "", events)
