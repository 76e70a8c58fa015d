"""RTTM (Rich Transcription Time Marked, NIST) <-> events of many videos: a line an event; milliseconds.

    SPEAKER my_video 1 1.520 3.510 <NA> <NA> dog%20barking 0.93 <NA>

Fields: type, file, channel, start, duration, text, kind, name, confidence, signal lookahead (NIST, "The 2009 (RT-09)
Rich Transcription Meeting Recognition Evaluation Plan", appendix A). Fields end at blanks, so blanks, `%` and other
signs that would end one are written as %XX, and such are read. Lines of other types and comments (`;;`) are left out.
A video without any event has no line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.text import PathLike, as_seconds, encoded, labelled, lines, read_text
from avloc.formats.truth import Truth

_NONE = "<NA>"
_TYPES = frozenset(
    [
        "SEGMENT",
        "NOSCORE",
        "NO_RT_METADATA",
        "LEXEME",
        "NON-LEX",
        "NON-SPEECH",
        "FILLER",
        "EDIT",
        "IP",
        "SU",
        "CB",
        "A/P",
        "SPEAKER",
        "SPKR-INFO",
    ]
)
_ESCAPED = re.compile(r"[%\s\0]")


def read_rttm(path: PathLike) -> dict[str, Truth]:
    """The lines of type SPEAKER, by file; without a confidence the score is 1.

    Raises:
        FormatError: the file cannot be read, or a line is odd: it is named.
    """
    videos: dict[str, list[Event]] = {}
    for number, line in lines(read_text(path, "an RTTM file")):
        where = f"{path}, line {number}"
        fields = line.split()
        if not fields or line.startswith(";;"):
            continue
        if fields[0] not in _TYPES or len(fields) not in (9, 10):
            raise FormatError(f"{where}: is {line[:40]!r}; SPEAKER and 9 more fields divided by blanks are needed")
        if fields[0] == "SPEAKER":
            videos.setdefault(unquote(fields[1], errors="surrogateescape"), []).append(_event(fields, where))
    return {video: Truth.of(Events.of(events)) for video, events in videos.items()}


def write_rttm(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write events with their scores.

    Raises:
        FormatError: an event starts before zero.
        OutputError: the file cannot be written.
    """
    rows = []
    for video, truth in videos.items():
        for event in truth.events:
            # The duration that leads to the rounded end, not the rounded duration.
            start, end = round(1000 * event.start_s), round(1000 * event.end_s)
            if start < 0:
                raise FormatError(f"{path}: {event.label!r} starts at {event.start_s:g} s; RTTM begins at zero")
            times = f"{start / 1000:.3f} {(end - start) / 1000:.3f}"
            name = _escaped(event.label)
            rows.append(f"SPEAKER {_escaped(video)} 1 {times} {_NONE} {_NONE} {name} {event.score!r} {_NONE}\n")
    replace_file(path, encoded("".join(rows)))


def _escaped(name: str) -> str:
    if name == _NONE:
        return quote(name)
    return _ESCAPED.sub(lambda found: quote(found[0]), name)


def _event(fields: list[str], where: str) -> Event:
    start_s, duration_s = (as_seconds(text, where) for text in fields[3:5])
    name, confidence = fields[7], fields[8]
    if name == _NONE:
        raise FormatError(f"{where}: the event has no name in field 8; give it one")
    score = 1.0 if confidence == _NONE else as_seconds(confidence, f"{where}, confidence", "a number")
    end_s = round(start_s + duration_s, 6)
    return labelled(start_s, end_s, unquote(name, errors="surrogateescape"), where, score)
