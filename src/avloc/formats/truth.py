"""What a file of labels or detections says of one video: the type between any two formats."""

from __future__ import annotations

import math
from collections.abc import Mapping
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


def subset_names(videos: Mapping[str, Truth]) -> tuple[str, ...]:
    """Names of the subsets in the order of their first videos, each once, whatever its capitals."""
    names: dict[str, str] = {}
    for truth in videos.values():
        names.setdefault(truth.subset.casefold(), truth.subset)
    return tuple(names.values())


def of_subset(videos: Mapping[str, Truth], subset: str) -> dict[str, Truth]:
    """The videos of a subset; capitals do not count (THUMOS-14 has "Validation" and "Test")."""
    wanted = subset.casefold()
    return {video: truth for video, truth in videos.items() if truth.subset.casefold() == wanted}


@dataclass
class Odd:
    """What a reader of detections met that is no event, a line each.

    Attributes:
        left_out: Entries that were left out.
        backward: Entries that end before they start. They were kept with no length, at their start: such a detection
            overlaps nothing, and so counts as a false one.
    """

    left_out: list[str] = field(default_factory=list)
    backward: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chooses where a file holds more than can be read, or does not say enough.

    Attributes:
        fps: Frame rate, for files that count frames (timecodes in tables, Label Studio, FiftyOne).
        tiers: Tiers of ELAN and Praat files to read; none named: all that have times.
        annotator: Whose answers to read where several annotators, or several models, answered in Label Studio.
    """

    fps: float | None = None
    tiers: tuple[str, ...] = ()
    annotator: str | None = None
