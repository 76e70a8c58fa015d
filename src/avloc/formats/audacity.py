r"""Audacity labels <-> events: a line an event, start, end and label divided by tabs; seconds with six decimals.

    1.520000	5.030000	dog barking
    \	880.000000	4400.000000

A line that begins with a backslash holds the frequencies of the label before it (Audacity manual, "Importing and
Exporting Labels"); it is left out. One video a file. In reading, a comma as decimal sign is understood, so are blanks
for the tabs where a line has none, and a fourth field with a score, which BirdNET adds.
"""

from __future__ import annotations

from collections.abc import Mapping

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.text import (
    PathLike,
    as_seconds,
    as_time,
    encoded,
    labelled,
    lines,
    one_line,
    only_video,
    read_text,
    video_name,
)
from avloc.formats.truth import Truth

_FREQUENCIES = "\\\t"


def read_audacity(path: PathLike) -> dict[str, Truth]:
    """The labels of one track, under the name of the file.

    Raises:
        FormatError: the file cannot be read, or a line is no label: the line is named.
    """
    rows = lines(read_text(path, "a file of Audacity labels"))
    labels = ((n, line) for n, line in rows if line.strip() and not line.startswith(_FREQUENCIES))
    events = [_event(line, f"{path}, line {n}") for n, line in labels]
    return {video_name(path): Truth.of(Events.of(events))}


def write_audacity(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; scores are lost.

    Raises:
        FormatError: there are several videos, or a label has a tab or an end of line.
        OutputError: the file cannot be written.
    """
    rows = [
        f"{e.start_s:.6f}\t{e.end_s:.6f}\t{one_line(e.label, path, 'Audacity labels')}\n"
        for e in only_video(videos, path, "Audacity labels").events
    ]
    replace_file(path, encoded("".join(rows)))


def looks_like_labels(line: str) -> bool:
    """Whether a line has two times and a text, such as the first line of a file of labels."""
    fields = _fields(line)
    try:
        times = [as_time(text, "") for text in fields[:2]]
    except FormatError:
        return False
    return len(times) == 2 and len(fields) in (3, 4)


def _fields(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else line.split(maxsplit=2)


def _event(line: str, where: str) -> Event:
    fields = _fields(line)
    if len(fields) not in (3, 4):
        raise FormatError(f"{where}: has {len(fields)} fields divided by tabs; start, end and label are needed")
    start_s, end_s = (as_time(text, where) for text in fields[:2])
    score = as_seconds(fields[3].replace(",", "."), f"{where}, field 4", "a score") if len(fields) == 4 else 1.0
    return labelled(start_s, end_s, fields[2], where, score)
