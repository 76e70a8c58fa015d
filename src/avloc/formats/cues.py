"""What WebVTT and SRT share: cues, each with a name, a line of times and lines of text.

An empty line ends a cue; so does the line of times of the next one, for many programs leave the empty line out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from avloc.errors import FormatError
from avloc.formats.text import LINE_END

_ARROW = "-->"
_TIME = r"(?:(\d{1,6}):)?([0-5]?\d):([0-5]\d)(?:[.,](\d{3}))?"
_TIMES = re.compile(rf"\s*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t].*)?")
_NUMBER = re.compile(r"\d+( score=\S+)?")  # a name that programs give to a cue, and avloc's own

Line = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Cue:
    """A text from start to end; `where` names its first line, `name` is what stands before its times."""

    where: str
    name: str
    start_s: float
    end_s: float
    text: list[str]


def clock(milliseconds: int, point: str) -> str:
    """Hours, minutes, seconds and thousandths, such as 00:01:02.500 with the point "."."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def numbered(text: str) -> list[Line]:
    """Number and content of each line."""
    return list(enumerate(LINE_END.split(text), 1))


def blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Each run of lines that are not blank, cut before the name and the times of every cue but its first."""
    block: list[Line] = []
    for number, line in [*lines, (0, "")]:
        if not line.strip():
            if block:
                yield from _cut(block)
            block = []
        else:
            block.append((number, line))


def cue_of(block: Sequence[Line], path: object, point: str) -> Cue:
    """A cue of a block.

    Raises:
        FormatError: neither the first line nor the second is one of times, or the text has an arrow: the line is
            named.
    """
    where = f"{path}, line {block[0][0]}"
    for row in (0, 1):
        found = _TIMES.fullmatch(block[row][1]) if row < len(block) else None
        if found:
            start_s, end_s = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
            name = block[0][1].strip() if row else ""
            return Cue(where, name, start_s, end_s, _text(block[row + 1 :], path))
    raise FormatError(
        f"{where}: {block[0][1][:40]!r} begins no cue; a line such as "
        f"{clock(1520, point)} {_ARROW} {clock(5030, point)} is needed"
    )


def is_times(line: str) -> bool:
    """Whether a line is one of times."""
    return _TIMES.fullmatch(line) is not None


def _text(lines: Sequence[Line], path: object) -> list[str]:
    odd = next((number for number, line in lines if _ARROW in line), None)
    if odd is not None:
        raise FormatError(f"{path}, line {odd}: has an arrow, but no times such as 00:00:01.520 on both sides of it")
    return [line for _, line in lines]


def _cut(block: list[Line]) -> Iterator[list[Line]]:
    """The cues of a block."""
    times = [i for i, (_, line) in enumerate(block) if is_times(line)]
    starts = [0]
    for before, here in pairwise(times):
        # A number before the times is the next cue's name, unless it is all that a cue without a name says.
        name = _NUMBER.fullmatch(block[here - 1][1].strip()) and (here - before > 2 or before > starts[-1])
        starts.append(here - 1 if name else here)
    for first, last in zip(starts, [*starts[1:], len(block)], strict=True):
        yield block[first:last]


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return (((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths) / 1000
