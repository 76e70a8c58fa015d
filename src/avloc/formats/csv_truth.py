"""CSV <-> truth: one row per event, the simplest way to give a data set of one's own.

    video,start,end,label,duration,subset
    v1,2.5,7.0,dog barking,30.0,train
    v1,9.0,11.5,car passing,30.0,train
    v2,,,,12.4,test

`duration` and `subset` may be left out; so may start, end and label of a video without any event. Times are seconds.
Spreadsheets of many languages divide by semicolons, and write 2,5 for 2.5: that is understood in reading.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.text import PathLike, as_seconds, encoded, one_line, read_text
from avloc.formats.truth import Truth

REQUIRED = ("video", "start", "end", "label")
OPTIONAL = ("duration", "subset")
DEFAULT_SUBSET = "train"


def read_csv_truth(path: PathLike) -> dict[str, Truth]:
    """Videos in the order of their first rows. Without a duration it is infinite; without a subset it is "train".

    Raises:
        FormatError: the file cannot be read, lacks a column, has an unknown one, or a row is odd: the line is named.
    """
    rows: dict[str, list[Event]] = {}
    about: dict[str, tuple[float, str]] = {}
    text = read_text(path, "a CSV file of events")
    delimiter = delimiter_of(text)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        _require_columns(path, reader.fieldnames)
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if None in row or None in row.values():
                raise FormatError(f"{where}: has not as many fields as the first line")
            if delimiter == ";":
                row |= {name: row[name].replace(",", ".") for name in ("start", "end", "duration") if name in row}
            video, said = _video(row, where)
            if about.setdefault(video, said) != said:
                raise FormatError(f"{where}: video {video!r} has another duration or subset than in a line before")
            events = rows.setdefault(video, [])
            if row["start"].strip() or row["end"].strip() or row["label"].strip():
                events.append(_event(row, f"{where}: video {video!r}"))
    except csv.Error as error:
        raise FormatError(f"{path}, line {reader.line_num}: is not CSV ({error})") from None
    return {video: Truth(*about[video], Events.of(events)) for video, events in rows.items()}


def write_csv_truth(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write annotations, videos without any event among them; scores are lost, numbers are in full.

    Raises:
        FormatError: a name has an end of line.
        OutputError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(REQUIRED + OPTIONAL)
    for video, truth in videos.items():
        name = one_line(video, path, "CSV", banned="")
        about = ["" if math.isinf(truth.duration_s) else repr(truth.duration_s), truth.subset]
        if not len(truth.events):
            writer.writerow([name, "", "", "", *about])
        for event in truth.events:
            label = one_line(event.label, path, "CSV", banned="")
            writer.writerow([name, repr(event.start_s), repr(event.end_s), label, *about])
    replace_file(path, encoded(text.getvalue()))


def delimiter_of(text: str) -> str:
    """What divides the columns that the first line names."""
    head = text.split("\n", 1)[0]
    return ";" if ";" in head and "," not in head else ","


def _require_columns(path: PathLike, names: Sequence[str]) -> None:
    found = list(names)
    missing = [name for name in REQUIRED if name not in found]
    odd = [name for name in found if name not in REQUIRED + OPTIONAL]
    if missing or odd or len(set(found)) < len(found):
        raise FormatError(
            f"{path}: the first line is {','.join(map(str, found))!r}; "
            f"the columns {','.join(REQUIRED)} are needed, {' and '.join(OPTIONAL)} may follow"
        )


def _video(row: dict[str, str], where: str) -> tuple[str, tuple[float, str]]:
    video = row["video"].strip()
    if not video:
        raise FormatError(f"{where}: names no video")
    duration = (row.get("duration") or "").strip()
    duration_s = as_seconds(duration, f"{where}: video {video!r}, duration") if duration else math.inf
    if duration_s < 0:
        raise FormatError(f"{where}: video {video!r}, duration is {duration}; seconds of 0 or more are needed")
    return video, (duration_s, (row.get("subset") or "").strip() or DEFAULT_SUBSET)


def _event(row: dict[str, str], where: str) -> Event:
    start_s, end_s = (as_seconds(row[name].strip(), f"{where}, {name}") for name in ("start", "end"))
    label = row["label"].strip()
    if not label:
        raise FormatError(f"{where}: the event has no label")
    if end_s < start_s:
        raise FormatError(f"{where}: the event ends at {end_s:g} s, before its start at {start_s:g} s")
    return Event(start_s, end_s, label)
