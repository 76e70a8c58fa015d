"""What a file of labels or detections says of one video: the type between any two formats."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from avloc.events import Event, Events

if TYPE_CHECKING:
    from avloc.formats.footage import Footage

Span = tuple[float, float]
"""Start and end in seconds."""


@dataclass(frozen=True, slots=True)
class Truth:
    """One video: its length in seconds (infinite where the file does not say), its part of the data set (empty where
    the file does not say), its events (score 1 where the file has none).

    media is where the file says that the video lies: a path that leads there from here, or an address; empty where it
    does not say. footage is how its frames are counted, began when its first picture or sound was recorded, with or
    without a time zone; None where nobody asked for it. known are the stretches in which all events are known, in
    order, where a person looked at a part of the video alone; None: everywhere. Two of equal events are equal
    wherever their videos lie.
    """

    duration_s: float
    subset: str
    events: Events
    media: str = field(default="", compare=False)
    footage: Footage | None = field(default=None, compare=False)
    began: datetime.datetime | None = field(default=None, compare=False)
    known: tuple[Span, ...] | None = None

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
        footage: Name of a video > how its frames are counted, for files of editors; None where that is not known.
        annotator: Whose answers to read where several annotators, or several models, answered in Label Studio.
    """

    fps: float | None = None
    tiers: tuple[str, ...] = ()
    annotator: str | None = None
    footage: Callable[[str], Footage | None] = field(default=lambda video: None, compare=False)


def clock_at(truth: Truth, second: float) -> str:
    """Time of day at a second of the video, in ISO 8601 to the millisecond; "" where its beginning is not known."""
    if truth.began is None:
        return ""
    return (truth.began + datetime.timedelta(seconds=second)).isoformat(timespec="milliseconds")


def note_of(truth: Truth, event: Event) -> str:
    """What the note of a marker says of an event: its score, and the time of day where that is known."""
    clock = clock_at(truth, event.start_s)
    return f"score={event.score!r}" + (f" clock={clock}" if clock else "")
