"""What an editor's file must know of a video beside its events: how its frames are counted, and from where."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from avloc.errors import FormatError
from avloc.events import Event
from avloc.formats.text import PathLike, labelled
from avloc.formats.timecode import Timecode, exact_rate
from avloc.formats.truth import Choices, Truth


@dataclass(frozen=True, slots=True)
class Footage:
    """The pictures of a video.

    Attributes:
        timecode: How its frames are labelled.
        start_frame: Frame whose label the first picture has; None where neither file nor person says.
        first_s: When the first picture is shown, in seconds of the events.
        length_s: Length of the video, infinite where it is not known.
        width, height: Of a picture, in pixels.
        sound: Whether it has a sound track.
    """

    timecode: Timecode
    start_frame: int | None = None
    first_s: float = 0.0
    length_s: float = math.inf
    width: int = 1920
    height: int = 1080
    sound: bool = True

    @classmethod
    def at(cls, fps: float) -> Footage:
        """Of a video of which the rate alone is known, rounded as people say it."""
        return cls(Timecode(exact_rate(fps)))

    def labelled(self, drop: bool | None) -> Footage:
        """With drop-frame labels, or without, as a file says that it has; the first frame keeps its label.

        Raises:
            FormatError: the rate has no drop-frame timecode.
        """
        if drop is None or drop == self.timecode.drop:
            return self
        code = Timecode(self.timecode.rate, drop)
        start = self.start_frame
        if start is not None:
            start = code.frame(self.timecode.text(start), "the timecode of the video")
        return replace(self, timecode=code, start_frame=start)

    @property
    def start(self) -> int:
        return self.start_frame or 0

    def frames(self, event: Event, path: PathLike, name: str) -> tuple[int, int]:
        """First frame of an event and the one behind its last, at least one apart; the first picture is 0.

        Raises:
            FormatError: the event starts before the first picture, by half a frame or more.
        """
        first, last = (self.nearest(second) for second in (event.start_s, event.end_s))
        if first < 0 and event.start_s >= 0:
            first = 0  # sound that begins before the pictures
        if first < 0:
            raise FormatError(
                f"{path}: {event.label!r} starts at {event.start_s:g} s; times of {name} are not negative"
            )
        return first, max(last, first + 1)

    def nearest(self, second: float) -> int:
        """The frame that begins nearest to a second."""
        return round((Fraction(second) - Fraction(self.first_s)) * self.timecode.rate)

    def seconds(self, frame: int) -> float:
        """When a frame begins, in seconds of the events."""
        return float(frame / self.timecode.rate) + self.first_s

    def event(self, start: int, end: int, label: str, where: str, score: float) -> Event:
        """An event from a frame to another, of those that have labels.

        Raises:
            FormatError: it ends before it starts or has no label; the message begins with `where`.
        """
        day = self.timecode.day
        first = start - self.start
        if first < 0 and start + day - self.start < day // 2:
            first += day  # recorded over midnight
        elif first < 0:
            raise FormatError(
                f"{where}: {self.timecode.text(start)} lies before the start, "
                f"{self.timecode.text(self.start)}; name the right start with --timecode"
            )
        length = end - start if end >= start else (end - start) % day
        if length > day // 2:
            length = -1
        return labelled(self.seconds(first), self.seconds(first + length), label, where, score)

    def count(self, truth: Truth) -> int:
        """Frames of the whole video, or to the last event where its length is not known."""
        lengths = [length for length in (self.length_s, truth.duration_s) if math.isfinite(length)]
        return max(1, *(self.nearest(second) for second in (*lengths[:1], 0.0, *truth.events.end_s)))


def footage_to_write(truth: Truth, path: PathLike, name: str) -> Footage:
    """That of a video to write.

    Raises:
        FormatError: it is not known.
    """
    if truth.footage is None:
        raise FormatError(
            f"{path}: {name} counts frames, and the video is not there to tell its rate; "
            "name its folder with --videos, or the rate with --fps"
        )
    return truth.footage


def footage_to_read(choices: Choices, video: str, path: PathLike, name: str, told: Footage | None = None) -> Footage:
    """That of a video whose frames a file counts: what a person says, else the file, else the video.

    Raises:
        FormatError: none of them does.
    """
    found = choices.footage(video)
    if told is not None and choices.fps is None:
        return replace(told, first_s=0.0 if found is None else found.first_s)
    if found is None and choices.fps is not None:
        found = Footage.at(choices.fps)
    if found is None:
        raise FormatError(
            f"{path}: {name} counts frames and does not say how many a second has; name the rate with --fps, "
            "or the folder of the video with --videos"
        )
    return found
