r"""Premiere's table of markers <-> events: columns divided by tabs, times as timecode. One video a file.

    Marker Name	Description	In	Out	Duration	Marker Type
    dog barking	score=0.93	00;00;01;16	00;00;05;01	00;00;03;15	Comment

This is what Premiere writes with File > Export > Markers; panels such as those that come as extensions read it. A
sequence begins at 00:00:00:00 where the video has no timecode. Drop-frame times have semicolons throughout. In
reading, commas may divide the columns, UTF-16 is understood, and a marker without a name is named by its description.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.footage import Footage, footage_to_read, footage_to_write
from avloc.formats.text import (
    PathLike,
    encoded,
    lines,
    one_line,
    only_video,
    read_text,
    rows,
    scored_note,
    video_name,
)
from avloc.formats.timecode import is_drop
from avloc.formats.truth import Choices, Truth, note_of

ENDING = ".markers.csv"
COLUMNS = ("Marker Name", "Description", "In", "Out", "Duration", "Marker Type")


def read_premiere(path: PathLike, choices: Choices) -> dict[str, Truth]:
    """The markers of a sequence, under the file's name.

    Raises:
        FormatError: the file cannot be read, a column is missing, or a marker is odd: its line is named.
    """
    video = video_name(path)
    footage = footage_to_read(choices, video, path, "a table of markers")
    head = next((line for _, line in lines(read_text(path, "a table of markers"))), "")
    table = rows(path, "\t" if "\t" in head else ",", "a table of markers")
    titles = [title.strip() for title in next(table, (0, []))[1]]
    missing = [title for title in COLUMNS[:4] if title not in titles]
    if missing:
        raise FormatError(f"{path}: the first line names no column {', '.join(missing)}; Premiere's markers have it")
    events = []
    for number, fields in table:
        row = dict(zip(titles, fields, strict=False))
        if any(field.strip() for field in fields):
            events.append(_event(row, footage, f"{path}, line {number}"))
    return {video: Truth.of(Events.of(events))}


def write_premiere(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; an event of no length becomes one of one frame.

    Raises:
        FormatError: there are several videos, nothing tells the frame rate, an event starts before the first picture,
            or a label has an end of line.
        OutputError: the file cannot be written.
    """
    truth = only_video(videos, path, "markers")
    footage = footage_to_write(truth, path, "a table of markers")
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for event in truth.events:
        start, end = footage.frames(event, path, "markers")
        frames = (footage.start + start, footage.start + end, end - start)
        times = [footage.timecode.text(frame, semicolons=footage.timecode.drop) for frame in frames]
        label = one_line(event.label, path, "markers", "").strip()
        writer.writerow([label, note_of(truth, event), *times, "Comment"])
    replace_file(path, encoded(text.getvalue()))


def _event(row: Mapping[str, str], footage: Footage, where: str) -> Event:
    begin, stop = row.get("In", ""), row.get("Out", "")
    footage = footage.labelled(is_drop(begin))
    code = footage.timecode
    start, end = code.frame(begin, f"{where}, In"), code.frame(stop, f"{where}, Out")
    note = row.get("Description", "")
    label = row.get("Marker Name", "").strip() or note.strip()
    return footage.event(start, end, label, where, scored_note(note))
