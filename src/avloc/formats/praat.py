"""Praat's TextGrid <-> events: a tier a class, an interval with a text an event. One video a file.

    File type = "ooTextFile"                    "ooTextFile"
    Object class = "TextGrid"                   "TextGrid"
    xmin = 0                                    0
    xmax = 30                                   30
    tiers? <exists>                             <exists>
    size = 1                                    1
    item [1]:  class = "IntervalTier" ...       "IntervalTier" ...

Praat itself reads numbers and texts that stand free and skips the words about them, so the long form, on the left,
and the short one are one to it, and to this reader. Intervals and points without a text are none; a point has no
length. As in ELAN, events of one class that overlap go to a tier "class (2)". UTF-8, or UTF-16 with a mark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.text import PathLike, as_seconds, encoded, labelled, one_line, only_video, read_text, video_name
from avloc.formats.tiers import tiers_of
from avloc.formats.truth import Truth

ENDING = ".textgrid"
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)([+-]?\d[\d.]*(?:[eE][+-]?\d+)?)(?!\S)|(<exists>|<absent>)')
_INTERVALS, _POINTS = "IntervalTier", "TextTier"


@dataclass(frozen=True, slots=True)
class _Tier:
    name: str
    marks: list[tuple[float, float, str]]


def read_praat(path: PathLike, tiers: Sequence[str] = ()) -> dict[str, Truth]:
    """Intervals and points by start, under the file's name.

    tiers: those to read, of which the file may lack some; none named: all.

    Raises:
        FormatError: the file cannot be read or is no TextGrid in text.
    """
    events: list[Event] = []
    for tier in _read(path):
        for start_s, end_s, text in tier.marks:
            if text.strip() and (not tiers or tier.name in tiers):
                events.append(labelled(start_s, end_s, text, f"{path}, tier {tier.name!r}"))
    by_time = Events.of(sorted(events, key=lambda e: (e.start_s, e.end_s)))
    return {video_name(path): Truth.of(by_time)}


def tier_names(path: PathLike) -> list[str]:
    """The tiers of a file. Raises FormatError as `read_praat`."""
    return [tier.name for tier in _read(path)]


def write_praat(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video in the short form; scores are lost, an event of no length becomes one of 1 ms.

    Raises:
        FormatError: there are several videos, an event starts before zero, or a label has an end of line.
        OutputError: the file cannot be written.
    """
    video = only_video(videos, path, "Praat")
    tiers = tiers_of(video.events, path, "Praat")
    ends = [end / 1000 for marks in tiers.values() for _, end, _ in marks]
    known_s = video.duration_s if math.isfinite(video.duration_s) else 0.0
    whole_s = max([known_s, *ends]) or 1.0  # Praat has no sound without length
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "0",
        repr(whole_s),
        "<exists>",
        str(len(tiers)),
    ]
    for name, marks in tiers.items():
        intervals = list(_without_gaps([(a / 1000, b / 1000, text) for a, b, text in marks], whole_s))
        lines += [_quoted(_INTERVALS), _quoted(one_line(name, path, "Praat", "")), "0", repr(whole_s)]
        lines.append(str(len(intervals)))
        for start_s, end_s, text in intervals:
            lines += [repr(start_s), repr(end_s), _quoted(text)]
    replace_file(path, encoded("\n".join(lines) + "\n"))


def _without_gaps(marks: Sequence[tuple[float, float, str]], whole_s: float) -> Iterator[tuple[float, float, str]]:
    """Intervals fill their tier; those without a text are between the others."""
    reached_s = 0.0
    for start_s, end_s, text in marks:
        if start_s > reached_s:
            yield reached_s, start_s, ""
        yield start_s, end_s, text
        reached_s = end_s
    if reached_s < whole_s:
        yield reached_s, whole_s, ""


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _read(path: PathLike) -> list[_Tier]:
    tokens = _Tokens(read_text(path, "a TextGrid of Praat"), path)
    if (tokens.text(), tokens.text()) != ("ooTextFile", "TextGrid"):
        raise FormatError(f"{path} is no TextGrid in text; save it as a text file in Praat")
    tiers = list[_Tier]()
    tokens.number(), tokens.number()  # of the whole, which need not be as long as its video
    if tokens.exists():
        for _ in range(tokens.count()):
            kind, name, _, _, size = tokens.text(), tokens.text(), tokens.number(), tokens.number(), tokens.count()
            if kind not in (_INTERVALS, _POINTS):
                raise FormatError(f"{path}: {kind!r} is no kind of tier; {_INTERVALS} and {_POINTS} are")
            tiers.append(_Tier(name, [tokens.mark(kind == _POINTS) for _ in range(size)]))
    return tiers


class _Tokens:
    """What stands free in a file, one after the other; each raises FormatError where something else comes."""

    def __init__(self, content: str, path: PathLike) -> None:
        self._found, self._path = _TOKEN.finditer(content), path
        self._content = content

    def text(self) -> str:
        found = self._next("a text in quotes", 1)
        return found[1].replace('""', '"')

    def number(self) -> float:
        found = self._next("a number", 2)
        return as_seconds(found[2], f"{self._path}, line {self._line(found)}", "a number")

    def count(self) -> int:
        return int(self.number())

    def exists(self) -> bool:
        return self._next("<exists>", 3)[3] == "<exists>"

    def mark(self, point: bool) -> tuple[float, float, str]:
        """Start, end and text of an interval, or of a point."""
        start_s = self.number()
        return start_s, start_s if point else self.number(), self.text()

    def _next(self, needed: str, kind: int) -> re.Match[str]:
        found = next(self._found, None)
        if found is None:
            raise FormatError(f"{self._path}: ends where {needed} is needed; is the TextGrid whole?")
        if found[kind] is None:
            raise FormatError(
                f"{self._path}, line {self._line(found)}: {found[0][:40]!r} stands where {needed} is needed"
            )
        return found

    def _line(self, found: re.Match[str]) -> int:
        return self._content.count("\n", 0, found.start()) + 1
