"""Events <-> a table of text: columns video, start, end, label, score; commas, or tabs in a .tsv file.

Times are seconds. The first line names the columns, in any order; other columns are ignored. The columns start_s and
end_s, as in the events.csv of detection, are read as start and end. A video without any event has no line, so it is
not there when the table is read again.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.text import PathLike, encoded, read_text

COLUMNS = ("video", "start", "end", "label", "score")
_OTHER = {"start_s": "start", "end_s": "end"}


def write_table(path: PathLike, results: Mapping[str, Events]) -> None:
    """Write detections of many videos, one event a line; numbers in full.

    Raises:
        OutputError: the file cannot be written.
        FormatError: a name holds what a table of text cannot.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=_delimiter(path), lineterminator="\n")
    writer.writerow(COLUMNS)
    for video, events in results.items():
        for event in events:
            for name in (video, event.label):
                if not name or any(c in name for c in "\r\n\0"):
                    raise FormatError(
                        f"{path}: the name {name!r} has no place in a table; one line of text is needed"
                    )
            writer.writerow([video, repr(event.start_s), repr(event.end_s), event.label, repr(event.score)])
    replace_file(path, encoded(text.getvalue()))


def read_table(path: PathLike, on_odd: Callable[[str], None] | None = None) -> dict[str, Events]:
    """Read detections; the order of videos and events is that of the file.

    on_odd: is told of each line that is no event, which is then left out; without it that is an error.

    Raises:
        FormatError: the file cannot be read, a column is missing, or a line is no event.
    """
    events: dict[str, list[Event]] = {}
    for number, fields in _lines(path):
        try:
            event = _event(fields, f"{path}, line {number}")
            events.setdefault(fields["video"], []).append(event)
        except FormatError as error:
            if on_odd is None:
                raise
            on_odd(str(error))
    return {video: Events.of(rows) for video, rows in events.items()}


def columns_of(head: Iterable[str]) -> list[str]:
    """Names of columns as this package writes them, from a first line by any hand."""
    return [_OTHER.get(name := title.strip().lower(), name) for title in head]


def _delimiter(path: PathLike) -> str:
    return "\t" if Path(path).suffix.lower() in (".tsv", ".tab") else ","


def _lines(path: PathLike) -> Iterator[tuple[int, dict[str, str]]]:
    """Number of each line and its fields by the name of the column."""
    reader = csv.reader(io.StringIO(read_text(path, "a table of events")), delimiter=_delimiter(path), strict=True)
    try:
        head = columns_of(next(reader, []))
        missing = [name for name in COLUMNS if name not in head]
        if missing:
            raise FormatError(
                f"{path}: the first line names no column {', '.join(missing)}; "
                f"the columns {', '.join(COLUMNS)} are needed, divided by {_said(_delimiter(path))}"
            )
        for row in reader:
            if row:  # an empty line is none
                yield reader.line_num, dict(zip(head, row, strict=False))
    except csv.Error as error:
        raise FormatError(f"{path}, line {reader.line_num} is no line of a table ({error})") from None


def _said(delimiter: str) -> str:
    return "tabs" if delimiter == "\t" else "commas"


def _event(fields: Mapping[str, str], where: str) -> Event:
    for name in COLUMNS:
        if not fields.get(name):
            raise FormatError(f'{where} has nothing in the column "{name}"')
    start_s, end_s, score = (_number(fields[name], f'{where}, "{name}"') for name in ("start", "end", "score"))
    if end_s < start_s:
        raise FormatError(f"{where}: the segment [{start_s:g}, {end_s:g}] ends before it starts")
    return Event(start_s, end_s, fields["label"], score)


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise FormatError(f"{where} is {text[:40]!r}; a number is needed") from None
    if not math.isfinite(number):
        raise FormatError(f"{where} is {number}; a finite number is needed")
    return number
