"""Raven selection tables <-> events: tabs, a row a selection, with the columns that Raven itself writes.

    Selection	View	Channel	Begin Time (s)	End Time (s)	Low Freq (Hz)	High Freq (Hz)	Annotation	Confidence
    1	Spectrogram 1	1	1.520000	5.030000	0.0	10000.0	dog barking	0.93

Needed in reading are the two times and a column for the label: Annotation, or as others name it Species, Common Name
(BirdNET), Label, Class, Call Type. A selection that stands in two views has two rows and is one event. Where a table
spans several sound files (Begin File), times run through all of them: Raven's File Offset (s) is then needed. Raven
wants frequencies: 0 to 10 kHz is written, as events have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath, PureWindowsPath

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.text import PathLike, as_seconds, encoded, labelled, one_line, only_video, read_text, video_name
from avloc.formats.text import lines as lines_of
from avloc.formats.truth import Truth

BEGIN, END = "begin time (s)", "end time (s)"
_LABELS = ("annotation", "species", "common name", "label", "class", "call type")
_SCORES = ("confidence", "score")
_FILE, _OFFSET = "begin file", "file offset (s)"
_HEAD = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation\tConfidence\n"
)


def read_raven(path: PathLike) -> dict[str, Truth]:
    """The selections of a table: by sound file where it names several, else under the name of the table.

    Raises:
        FormatError: the file cannot be read, a column is missing, or a row is odd: its line is named.
    """
    table = _rows(path)
    several = len({fields.get(_FILE, "") for _, fields in table}) > 1
    videos: dict[str, list[Event]] = {} if several else {video_name(path): []}
    for where, fields in _once(table):
        video = _stem(fields[_FILE]) if several else video_name(path)
        videos.setdefault(video, []).append(_event(fields, where, several))
    return {video: Truth.of(Events.of(events)) for video, events in videos.items()}


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


def _rows(path: PathLike) -> list[tuple[str, dict[str, str]]]:
    """Place and fields of each row, by the names of the columns in small letters."""
    lines = lines_of(read_text(path, "a Raven selection table"))
    head = [name.strip().lower() for name in next(lines, (0, ""))[1].split("\t")]
    if BEGIN not in head or END not in head or not set(_LABELS) & set(head):
        raise FormatError(
            f"{path}, line 1: the columns Begin Time (s), End Time (s) and one of {', '.join(_LABELS)} are needed"
        )
    table = []
    for number, line in lines:
        where, row = f"{path}, line {number}", line.split("\t")
        if len(row) != len(head):
            raise FormatError(f"{where}: has {len(row)} fields divided by tabs, and the first line {len(head)}")
        table.append((where, dict(zip(head, row, strict=True))))
    return table


def _once(table: Iterable[tuple[str, dict[str, str]]]) -> Iterable[tuple[str, dict[str, str]]]:
    seen = set()
    for where, fields in table:
        # Waveform and spectrogram of a selection share its number and its times.
        key = (fields.get("selection"), fields[BEGIN], fields[END])
        if key[0] is None or key not in seen:
            seen.add(key)
            yield where, fields


def _event(fields: Mapping[str, str], where: str, several: bool) -> Event:
    start_s, end_s = (as_seconds(fields[name], f"{where}, {name}") for name in (BEGIN, END))
    if several:
        if _OFFSET not in fields:
            raise FormatError(f"{where}: the table spans several files; add the measurement File Offset (s) in Raven")
        offset_s = as_seconds(fields[_OFFSET], f"{where}, {_OFFSET}")
        start_s, end_s = offset_s, offset_s + end_s - start_s
    label = next(fields[name] for name in _LABELS if name in fields)
    score = next((fields[name] for name in _SCORES if fields.get(name)), "1")
    return labelled(start_s, end_s, label, where, as_seconds(score, f"{where}, score", "a number"))


def _stem(file: str) -> str:
    # Raven runs on Windows too: its tables have either slash.
    name = PureWindowsPath(file).name if "\\" in file else PurePosixPath(file).name
    return PurePosixPath(name).stem or file
