"""What a file of labels or detections says of one video: the type between any two formats."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from avloc.events import Events


@dataclass(frozen=True, slots=True)
class Truth:
    """One video: its length in seconds (infinite where the file does not say), its part of the data set (empty where
    the file does not say), its events (score 1 where the file has none).

    media is where the file says that the video lies: a path that leads there from here, or an address; empty where it
    does not say. Two of equal events are equal wherever their videos lie.
    """

    duration_s: float
    subset: str
    events: Events
    media: str = field(default="", compare=False)

    @classmethod
    def of(cls, events: Events, duration_s: float = math.inf, media: str = "") -> Truth:
        """Of a file that says no more."""
        return cls(duration_s, "", events, media)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chooses where a file holds more than can be read, or does not say enough.

    Attributes:
        fps: Pictures a second, for files that count frames (Label Studio, FiftyOne).
        tiers: Tiers of ELAN files to read; none named: all that have times.
        annotator: Whose answers to read where several annotators, or several models, answered in Label Studio.
    """

    fps: float | None = None
    tiers: tuple[str, ...] = ()
    annotator: str | None = None
