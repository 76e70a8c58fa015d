"""Raven selection tables <-> events: tabs, a row a selection, with the columns that Raven itself writes.

    Selection	View	Channel	Begin Time (s)	End Time (s)	Low Freq (Hz)	High Freq (Hz)	Annotation	Confidence
    1	Spectrogram 1	1	1.520000	5.030000	0.0	10000.0	dog barking	0.93

Needed in reading are the two times and a column for the label: Annotation, or as others name it Species, Common Name
(BirdNET), Label, Class, Call Type. The video is that of Begin Path or Begin File, else it is called like the table.
Where a table spans several sound files, Begin Time (s) runs through all of them: File Offset (s) is the time in the
file, and is what counts wherever it stands. So do BirdNET's combined tables; its rows "nocall" say that a file has no
event. A selection that stands in two views has two rows and is one event: the same file, number, label and times.
Tables put together by hand may have first lines in between, and spreadsheets may divide by semicolons.

Raven wants frequencies: 0 to 10 kHz is written, as events have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.columns import divided, fields_of
from avloc.formats.media_names import from_file, names_of, path_of
from avloc.formats.text import (
    PathLike,
    as_seconds,
    as_time,
    encoded,
    labelled,
    one_line,
    only_video,
    read_text,
    video_name,
)
from avloc.formats.text import lines as lines_of
from avloc.formats.truth import Truth

BEGIN, END = "begin time (s)", "end time (s)"
_LABELS = ("annotation", "species", "common name", "label", "class", "call type")
_SCORES = ("confidence", "score")
_FILES, _OFFSET = ("begin path", "begin file"), "file offset (s)"
_CODE, _NO_CALL = "species code", "nocall"
_HEAD = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation\tConfidence\n"
)


@dataclass(frozen=True, slots=True)
class _Row:
    """Fields of a line by the names of the columns in small letters; `where` begins what is said of it."""

    where: str
    fields: Mapping[str, str]

    def first(self, names: Sequence[str]) -> str:
        """What stands in the first of these columns that holds something."""
        return next((text for name in names if (text := self.fields.get(name, "")).strip()), "")


def read_raven(path: PathLike) -> dict[str, Truth]:
    """The selections of a table: by sound file where it names them, else under the name of the table.

    Raises:
        FormatError: the file cannot be read, a column is missing, or a row is odd: its line is named.
    """
    rows, heads = _rows(path)
    files = [row.first(_FILES) for row in rows]
    _require_places(path, rows, files, heads)
    names = names_of(path_of(file) for file in files if file)
    videos: dict[str, list[Event]] = {} if any(files) else {video_name(path): []}
    media = {}
    seen = set()
    for row, file in zip(rows, files, strict=True):
        name = names[path_of(file)] if file else video_name(path)
        events = videos.setdefault(name, [])
        media[name] = from_file(file, path)
        if row.first(_LABELS) == _NO_CALL == row.fields.get(_CODE, _NO_CALL):
            continue
        event = _event(row)
        # Waveform and spectrogram of a selection have a row each.
        key = (name, row.fields.get("selection", "").strip(), event.label, event.start_s, event.end_s)
        if not key[1] or key not in seen:
            seen.add(key)
            events.append(event)
    return {video: Truth.of(Events.of(events), media=media.get(video, "")) for video, events in videos.items()}


def write_raven(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video with its scores.

    Raises:
        FormatError: there are several videos, or a label has a tab or an end of line.
        OutputError: the file cannot be written.
    """
    rows = [_HEAD]
    for number, event in enumerate(only_video(videos, path, "Raven selections").events, 1):
        label = one_line(event.label, path, "Raven selections")
        times = f"{event.start_s:.6f}\t{event.end_s:.6f}"
        rows.append(f"{number}\tSpectrogram 1\t1\t{times}\t0.0\t10000.0\t{label}\t{event.score!r}\n")
    replace_file(path, encoded("".join(rows)))


def _rows(path: PathLike) -> tuple[list[_Row], int]:
    """The rows of a table, and how many first lines it has."""
    table: list[_Row] = []
    head: list[str] = []
    heads, delimiter = 0, "\t"
    for number, line in lines_of(read_text(path, "a Raven selection table")):
        where = f"{path}, line {number}"
        delimiter = delimiter if head else divided(line, "\t")
        fields = _fields(line, delimiter)
        small = [field.strip().lower() for field in fields]
        if not head or (BEGIN in small and END in small):
            head, heads = _head(small, where), heads + 1
        elif len(fields) < len(head) or any(field.strip() for field in fields[len(head) :]):
            raise FormatError(f"{where}: has {len(fields)} fields divided by tabs, and the first line {len(head)}")
        elif any(small):
            table.append(_Row(where, dict(zip(head, fields, strict=False))))
    if not head:
        _head([], f"{path}, line 1")
    return table, heads


def _head(names: list[str], where: str) -> list[str]:
    if BEGIN not in names or END not in names or not set(_LABELS) & set(names):
        raise FormatError(
            f"{where}: the columns Begin Time (s), End Time (s) and one of {', '.join(_LABELS)} are needed"
        )
    return names


def _fields(line: str, delimiter: str) -> list[str]:
    """The fields of a line; Raven quotes nothing, spreadsheets do."""
    return line.split("\t") if delimiter == "\t" else fields_of(line, delimiter)


def _require_places(path: PathLike, rows: Sequence[_Row], files: Sequence[str], heads: int) -> None:
    """Every row must tell its file and its time in it, where they are of several."""
    if heads > 1 and not all(files):
        raise FormatError(
            f"{path}: is {heads} tables put together, and not every row tells its sound file; "
            "add the measurement Begin File in Raven, or give a table for each file"
        )
    several = len(set(files)) > 1
    for row, file in zip(rows, files, strict=True):
        if several and not file:
            raise FormatError(f"{row.where}: tells no Begin File, and others do")
        if not file and row.first((_OFFSET,)).strip() not in ("", row.fields.get(BEGIN, "").strip()):
            raise FormatError(f"{row.where}: tells a time in a sound file, and not in which; add Begin File in Raven")
        if several and not row.first((_OFFSET,)):
            raise FormatError(
                f"{row.where}: the table spans several files; add the measurement File Offset (s) in Raven"
            )


def _event(row: _Row) -> Event:
    start_s, end_s = (as_time(row.fields.get(name, ""), f"{row.where}, {name}") for name in (BEGIN, END))
    if row.first((_OFFSET,)) and row.first(_FILES):
        offset_s = as_time(row.fields[_OFFSET], f"{row.where}, {_OFFSET}")
        if abs(offset_s - start_s) > 1e-9:
            start_s, end_s = offset_s, round(offset_s + end_s - start_s, 9)
    score = row.first(_SCORES).replace(",", ".") or "1"
    label = row.first(_LABELS) or next((row.fields[name] for name in _LABELS if row.fields.get(name)), "")
    return labelled(start_s, end_s, label, row.where, as_seconds(score, f"{row.where}, score", "a number"))
