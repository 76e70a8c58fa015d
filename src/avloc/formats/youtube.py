"""Events > chapters for YouTube: lines of a video's description. They are not read back, for they have no ends.

    0:00 Start
    0:12 dog barking
    1:05 people talking, rain

YouTube wants the first at 0:00, at least three, each at least 10 seconds long (YouTube Help, "Video chapters"):
events that start within 10 s of a chapter's start share it. Where fewer than three are left YouTube shows none.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from avloc.errors import FormatError
from avloc.files import replace_file
from avloc.formats.text import PathLike, encoded, milliseconds, one_line, only_video
from avloc.formats.truth import Choices, Truth

ENDING = ".youtube.txt"
LEAST_S = 10
LEAST_CHAPTERS = 3


def refuse_youtube(path: PathLike, choices: Choices) -> dict[str, Truth]:
    """Raise FormatError: a list of starts tells no events."""
    raise FormatError(f"{path}: chapters of YouTube have no ends, so no events can be read; give what they came from")


def write_youtube(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video's chapters; ends and scores are lost.

    Raises:
        FormatError: there are several videos, an event starts before zero, or a label has an end of line.
        OutputError: the file cannot be written.
    """
    lines = (f"{_clock(second)} {title}\n" for second, title in youtube_chapters(videos, path))
    replace_file(path, encoded("".join(lines)))


def too_few(videos: Mapping[str, Truth]) -> bool:
    """Whether YouTube would show none of a video's chapters."""
    return len(youtube_chapters(videos, "")) < LEAST_CHAPTERS


def youtube_chapters(videos: Mapping[str, Truth], path: PathLike) -> list[tuple[int, str]]:
    """Whole second and title of each chapter."""
    truth = only_video(videos, path, "chapters")
    last = round(truth.duration_s) - LEAST_S if isfinite(truth.duration_s) else None
    found: list[tuple[int, dict[str, None]]] = [(0, {})]
    for event in truth.events.by_time():
        second = milliseconds(event, path, "chapters")[0] // 1000
        late = last is not None and second > last
        if second - found[-1][0] >= LEAST_S and not late:
            found.append((second, {}))
        found[-1][1][one_line(event.label, path, "chapters", "").strip()] = None
    return [(second, ", ".join(labels) or "Start") for second, labels in found]


def _clock(second: int) -> str:
    hours, minutes = divmod(second // 60, 60)
    return f"{hours}:{minutes:02}:{second % 60:02}" if hours else f"{minutes}:{second % 60:02}"
