"""What WebVTT and SRT share: blocks divided by empty lines, each with a name, a line of times and lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from avloc.errors import FormatError
from avloc.formats.text import LINE_END

_ARROW = "-->"
_TIME = r"(?:(\d{1,6}):)?([0-5]\d):([0-5]\d)[.,](\d{3})"
_TIMES = re.compile(rf"\s*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t].*)?")


@dataclass(frozen=True, slots=True)
class Cue:
    """A text from start to end; `where` names its line of times, `name` what stands before it."""

    where: str
    name: str
    start_s: float
    end_s: float
    text: list[str]


def clock(milliseconds: int, point: str) -> str:
    """Hours, minutes, seconds and thousandths, such as 00:01:02.500 with the point "."."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number of the first line and the lines of each run of lines that are not empty."""
    block: list[str] = []
    for number, line in enumerate([*LINE_END.split(text), ""], 1):
        if line:
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def cue_of(block: list[str], where: str, point: str) -> Cue:
    """A cue of a block.

    Raises:
        FormatError: neither the first line nor the second is one of times; the message begins with `where`.
    """
    for row in (0, 1):
        found = _TIMES.fullmatch(block[row]) if row < len(block) else None
        if found:
            start_s, end_s = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
            return Cue(where, block[0] if row else "", start_s, end_s, block[row + 1 :])
    raise FormatError(
        f"{where}: {block[0][:40]!r} begins no cue; a line such as "
        f"{clock(1520, point)} {_ARROW} {clock(5030, point)} is needed"
    )


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return (((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths) / 1000
