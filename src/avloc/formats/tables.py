"""Tables of text > events, as spreadsheets and programs write them: read by columns, whatever these are called.

Columns are divided by commas, semicolons, tabs or strokes, whichever the first line shows; numbers may have a decimal
comma; times are seconds, 1:02.5 or 1:01:02.5, or thousandths where the title says ms. Lines without any content are
none. A table that names no video is that of one video, called like the file.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats import boris
from avloc.formats.columns import Column, Columns, columns_of, divided, fields_of, require_no_slip
from avloc.formats.media_names import from_file, names_of, path_of
from avloc.formats.modality import labelled_by
from avloc.formats.text import LINE_END, PathLike, as_seconds, as_time, labelled, read_text, video_name
from avloc.formats.truth import Odd, Truth

_SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)  # what Excel wants to read, and leaves in
_GROUPED = re.compile(r"-?\d{1,3},\d{3}")
_TIMECODE = re.compile(r"(\d+):(\d\d):(\d\d)[:;](\d\d)")  # hours, minutes, seconds, frames
_LEAST_MS = 100
_ROUNDED_S = 0.011


@dataclass(frozen=True, slots=True)
class Row:
    """Fields of one line, and the words that a message on it begins with."""

    where: str
    fields: Sequence[str]

    def text(self, column: Column | None) -> str:
        """What stands in the column; nothing where there is none, or the line ends before."""
        return self.fields[column.place].strip() if column and column.place < len(self.fields) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a table, what divides them, its rows, and the frame rate where a person told one."""

    path: PathLike
    titles: Sequence[str]
    columns: Columns
    delimiter: str
    rows: Iterator[Row]
    fps: float | None = None


def open_table(path: PathLike, needed: str, fps: float | None = None) -> Table:
    """The first line is read at once, the rows as they are asked for.

    needed: what should have been named, such as "a CSV file of events". fps: frame rate, for times in frames.

    Raises:
        FormatError: the file cannot be read, or a line is no row of a table: it is named.
    """
    lines = LINE_END.split(read_text(path, needed))
    first = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    separator = _SEPARATOR.fullmatch(lines[first].strip()) if first < len(lines) else None
    if separator:
        first += 1
    head = lines[first] if first < len(lines) else ""
    delimiter = separator[1] if separator else delimiter_of(head, path)
    titles = fields_of(head, delimiter)
    # Lines keep their ends, for a quoted field may go over several.
    reader = csv.reader(io.StringIO("\n".join(lines[first + 1 :]), newline=""), delimiter=delimiter, strict=True)
    rows = _rows(reader, path, first + 1, len(titles))
    if boris.is_tabular(titles):
        pairs = boris.paired(titles, ((row.where, row.fields) for row in rows))
        titles, rows = list(boris.TITLES), (Row(*pair) for pair in pairs)
    return Table(path, titles, columns_of(titles), delimiter, rows, fps)


def delimiter_of(head: str, path: PathLike) -> str:
    """What divides the columns that the first line names; where that leaves a choice, the ending tells."""
    return divided(head, "\t" if Path(path).suffix.lower() in (".tsv", ".tab", ".txt") else ",")


def _rows(reader: Iterator[list[str]], path: PathLike, before: int, count: int) -> Iterator[Row]:
    try:
        for fields in reader:
            if not any(text.strip() for text in fields):
                continue
            where = f"{path}, line {before + reader.line_num}"  # type: ignore[attr-defined]
            if any(text.strip() for text in fields[count:]):
                raise FormatError(f"{where}: has {len(fields)} fields, and the first line {count}")
            yield Row(where, fields)
    except csv.Error as error:
        line = before + reader.line_num  # type: ignore[attr-defined]
        raise FormatError(f"{path}, line {line} is no line of a table ({error})") from None


def read_videos(table: Table, subset: str, odd: Odd | None = None, *, stripped: bool = False) -> dict[str, Truth]:
    """The events of all rows by video, in the order of their first rows; a row without time and label is a video.

    subset: of videos whose rows tell none.
    odd: is told of each row that is no event; without it that is an error.
    stripped: names lose the blanks at their ends.

    Raises:
        FormatError: a title is nearly one that matters, a row is odd, or two rows tell a video another length.
    """
    require_no_slip(table.path, table.titles, table.columns)
    rows = list(table.rows)
    table = _of_whisper(table, rows)
    names, media = _videos(table, rows)
    if stripped:
        names = [name.strip() for name in names]
    about = _about(table, rows, names, subset)
    events: dict[str, list[Event]] = {}
    for row, name in zip(rows, names, strict=True):
        try:
            if not name:
                raise FormatError(f"{row.where}: names no video")
            event = event_of(table, row, stripped, odd) if _has_event(table, row) else None
        except FormatError as error:
            if odd is None:
                raise
            odd.left_out.append(str(error))
            continue
        events.setdefault(name, []).extend([event] if event else [])
    return {name: Truth(*about[name], Events.of(found), media.get(name, "")) for name, found in events.items()}


def _of_whisper(table: Table, rows: Sequence[Row]) -> Table:
    """The table, in milliseconds if it is one that Whisper writes: start, end, text, in whole numbers and tabs.

    Nothing in the file tells. What is said in it would else last for minutes.
    """
    columns, titles = table.columns, [title.strip() for title in table.titles]
    if titles != ["start", "end", "text"] or table.delimiter != "\t" or not columns.start or not columns.end:
        return table
    spans = [(row.text(columns.start), row.text(columns.end)) for row in rows]
    if not all(a.isdecimal() and b.isdecimal() and int(b) - int(a) >= _LEAST_MS for a, b in spans):
        return table
    start, end = (replace(column, unit_s=1e-3) for column in (columns.start, columns.end))
    return replace(table, columns=replace(columns, start=start, end=end))


def event_of(table: Table, row: Row, stripped: bool = False, odd: Odd | None = None) -> Event:
    """The event of a row.

    odd: is told where the event ends before it starts, which then has no length; without it that is an error.

    Raises:
        FormatError: a time is none, the event ends before it starts, or has no label.
    """
    columns = table.columns
    start_s = time_of(table, row, columns.start)
    if columns.end is not None:
        end_s = time_of(table, row, columns.end)
    else:
        end_s = round(start_s + time_of(table, row, columns.length), 9)
    label = _label(table, row)
    if not label:
        raise FormatError(
            f'{row.where} has nothing in the column "{columns.label[0].title}": the event has no label; give it one'
        )
    label = label.strip() if stripped else label
    if named := row.text(columns.modality):
        label = labelled_by(label, named, f"{row.where}, modality")
    score = 1.0 if columns.score is None else number_of(table, row, columns.score)
    if odd is not None and end_s < start_s:
        odd.backward.append(f"{row.where}: the event ends at {end_s:g} s, before its start at {start_s:g} s")
        end_s = start_s
    return labelled(start_s, end_s, label, row.where, score)


def time_of(table: Table, row: Row, column: Column | None) -> float:
    """Seconds in a column.

    Raises:
        FormatError: there are none.
    """
    text, where = _filled(table, row, column)
    timecode = _TIMECODE.fullmatch(text)
    if timecode is None and (column is None or column.unit_s):
        seconds = as_time(text, where)
        return seconds if column is None or column.unit_s == 1 else round(seconds * column.unit_s, 9)
    if table.fps is None:
        raise FormatError(f"{where} is {text!r}, which counts frames; give the frame rate of the video (--fps)")
    if timecode is None:
        return round(as_seconds(text, where, "a number of a frame") / table.fps, 9)
    hours, minutes, seconds, frames = map(int, timecode.groups())
    return round(3600 * hours + 60 * minutes + seconds + frames / table.fps, 9)


def number_of(table: Table, row: Row, column: Column) -> float:
    """A number in a column.

    Raises:
        FormatError: there is none.
    """
    text, where = _filled(table, row, column)
    return as_seconds(text.replace(",", "."), where, "a number")


def _filled(table: Table, row: Row, column: Column | None) -> tuple[str, str]:
    """The text in a column, and the words for an error on it."""
    title = column.title if column else ""
    text, where = row.text(column), f'{row.where}, "{title}"'
    if not text:
        raise FormatError(f'{row.where} has nothing in the column "{title}"')
    if table.delimiter == "," and _GROUPED.fullmatch(text):
        point, whole = text.replace(",", "."), text.replace(",", "")
        raise FormatError(f"{where} is {text!r}, which may be {point} or {whole}; write it with a point")
    return text, where


def _has_event(table: Table, row: Row) -> bool:
    columns = table.columns
    numbers = (columns.start, columns.end, columns.length, columns.score)
    return any(map(row.text, numbers)) or bool(_label(table, row))


def _label(table: Table, row: Row) -> str:
    # As it stands: blanks at its ends may be those of a label that another format gave.
    texts = [row.fields[c.place] for c in table.columns.label if c.place < len(row.fields)]
    return next((text for text in texts if text.strip()), next(filter(None, texts), ""))


def _videos(table: Table, rows: Sequence[Row]) -> tuple[list[str], dict[str, str]]:
    """The video of each row, and where the videos lie by name."""
    columns = table.columns
    if columns.video is None and not columns.file:
        return [video_name(table.path)] * len(rows), {}
    written = ["/".join(filter(None, map(row.text, columns.file))) for row in rows]
    if columns.video is not None:
        place = columns.video.place
        names = [row.fields[place] if place < len(row.fields) else "" for row in rows]
    else:
        paths = names_of(path_of(text) for text in written if text)
        names = [paths[path_of(text)] if text else "" for text in written]
    return names, {n: from_file(text, table.path) for n, text in zip(names, written, strict=True) if text}


def _about(table: Table, rows: Sequence[Row], names: Sequence[str], subset: str) -> dict[str, tuple[float, str]]:
    """Length and part of the data set of each video."""
    columns = table.columns
    events_own = _is_length_of_event(table, rows)
    about: dict[str, tuple[float, str]] = {}
    for row, name in zip(rows, names, strict=True):
        duration_s = math.inf
        if not events_own and row.text(columns.duration):
            duration_s = time_of(table, row, columns.duration)
            if duration_s < 0:
                raise FormatError(f"{row.where}, duration is {duration_s:g}; seconds of 0 or more are needed")
        said = (duration_s, row.text(columns.subset) or subset)
        if about.setdefault(name, said) != said:
            raise FormatError(f"{row.where}: video {name!r} has another duration or subset than in a line before")
    return about


def _is_length_of_event(table: Table, rows: Sequence[Row]) -> bool:
    """Whether the column "duration" holds the lengths of the events, not of their videos: programs mean either.

    It does where it is the time from start to end in every row, and some event would end behind its video's end.
    """
    columns = table.columns
    if columns.duration is None or columns.end is None or columns.subset is not None:
        return False
    beyond = False
    for row in rows:
        try:
            start_s, end_s, length_s = (
                time_of(table, row, column) for column in (columns.start, columns.end, columns.duration)
            )
        except FormatError:
            continue
        if abs(end_s - start_s - length_s) > _ROUNDED_S:
            return False
        beyond = beyond or (length_s > 0 and end_s > length_s + _ROUNDED_S)
    return beyond
