"""Tables of sound events <-> events of many videos: the TSV of DCASE and that of AudioSet's strong labels.

    filename	onset	offset	event_label              segment_id	start_time_seconds	end_time_seconds	label
    a	1.520	5.030	dog barking                      a	1.520	5.030	dog barking
    b			                                     (DCASE alone: a file without any event)

DCASE: the annotations of task 4 (DESED); AudioSet: Hershey et al. 2021, "The benefit of temporally-strong labels in
audio event classification". Columns may stand in any order; others are left out. Milliseconds, no scores.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.text import PathLike, as_time, encoded, labelled, one_line, rows
from avloc.formats.truth import Truth

DCASE = ("filename", "onset", "offset", "event_label")
AUDIOSET = ("segment_id", "start_time_seconds", "end_time_seconds", "label")


def read_dcase(path: PathLike) -> dict[str, Truth]:
    """Either of the two, by the names of the columns; the order is that of the file.

    Raises:
        FormatError: the file cannot be read, a column is missing, or a line is odd: it is named.
    """
    table = rows(path, "\t", "a table of sound events")
    _, head = next(table, (0, []))
    columns = next((c for c in (DCASE, AUDIOSET) if set(c) <= set(head)), None)
    if columns is None:
        raise FormatError(
            f"{path}, line 1: the columns {', '.join(DCASE)} (or {', '.join(AUDIOSET)}) are needed, divided by tabs"
        )
    videos: dict[str, list[Event]] = {}
    for number, row in table:
        where = f"{path}, line {number}"
        if len(row) != len(head):
            raise FormatError(f"{where}: has {len(row)} fields, and the first line {len(head)}")
        fields = dict(zip(head, row, strict=True))
        video, start, end, label = (fields[name] for name in columns)
        if not video:
            raise FormatError(f'{where}: names no file in the column "{columns[0]}"')
        events = videos.setdefault(video, [])
        if start or end or label:
            start_s, end_s = (as_time(text, where) for text in (start, end))
            events.append(labelled(start_s, end_s, label, where))
    return {video: Truth.of(Events.of(events)) for video, events in videos.items()}


def write_dcase(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write the form of DCASE, videos without any event among them.

    Raises:
        FormatError: a name has a tab or an end of line.
        OutputError: the file cannot be written.
    """
    _write(path, videos, DCASE, empty=True)


def write_audioset(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write the form of AudioSet, which has no line for a video without any event.

    Raises:
        FormatError: a name has a tab or an end of line.
        OutputError: the file cannot be written.
    """
    _write(path, videos, AUDIOSET, empty=False)


def _write(path: PathLike, videos: Mapping[str, Truth], columns: tuple[str, ...], *, empty: bool) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    for video, truth in videos.items():
        name = one_line(video, path, "a table of sound events")
        if empty and not len(truth.events):
            writer.writerow([name, "", "", ""])
        for event in truth.events:
            label = one_line(event.label, path, "a table of sound events")
            writer.writerow([name, f"{event.start_s:.3f}", f"{event.end_s:.3f}", label])
    replace_file(path, encoded(text.getvalue()))
