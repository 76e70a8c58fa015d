"""Events <-> a table of text: columns video, start, end, label, score, file; commas, or tabs in a .tsv file.

Times are seconds. `file` is the video's place as seen from the table, and is there where one is known. In reading,
the first line names the columns, in any order and by any usual name; other columns are ignored. A video without any
event has no line, so it is not there when the table is read again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Events
from avloc.files import replace_file
from avloc.formats.media_names import seen_from
from avloc.formats.tables import open_table, read_videos
from avloc.formats.text import PathLike, encoded
from avloc.formats.truth import Odd, Truth, clock_at

COLUMNS = ("video", "start", "end", "label", "score")
FILE = "file"
CLOCK = ("start_clock", "end_clock")
"""Time of day of start and end, where the beginning of the video is known."""


def write_table(path: PathLike, results: Mapping[str, Truth | Events]) -> None:
    """Write detections of many videos, one event a line; numbers in full.

    Raises:
        OutputError: the file cannot be written.
        FormatError: a name holds what a table of text cannot.
    """
    videos = {video: held if isinstance(held, Truth) else Truth.of(held) for video, held in results.items()}
    text = io.StringIO()
    delimiter = "\t" if Path(path).suffix.lower() in (".tsv", ".tab") else ","
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    told = any(held.media for held in videos.values())
    timed = any(held.began is not None for held in videos.values())
    writer.writerow((*COLUMNS, *((FILE,) if told else ()), *(CLOCK if timed else ())))
    for video, held in videos.items():
        place = (seen_from(held.media, path),) if told else ()
        for event in held.events:
            for name in (video, event.label, *place):
                if (not name and name not in place) or any(c in name for c in "\r\n\0"):
                    raise FormatError(
                        f"{path}: the name {name!r} has no place in a table; one line of text is needed"
                    )
            row = [video, repr(event.start_s), repr(event.end_s), event.label, repr(event.score)]
            clocks = (clock_at(held, event.start_s), clock_at(held, event.end_s)) if timed else ()
            writer.writerow([*row, *place, *clocks])
    replace_file(path, encoded(text.getvalue()))


def read_table(path: PathLike, odd: Odd | None = None, fps: float | None = None) -> dict[str, Truth]:
    """Read detections; the order of videos and events is that of the file.

    odd: is told of each line that is no event; without it that is an error.

    Raises:
        FormatError: the file cannot be read, a column is missing, or a line is no event.
    """
    table = open_table(path, "a table of events", fps)
    missing = [*table.columns.missing, *(() if table.columns.score else ("score",))]
    if missing:
        raise FormatError(
            f"{path}: the first line names no column {', '.join(missing)}; "
            f"the columns {', '.join(COLUMNS)} are needed, divided by {_SAID[table.delimiter]}"
        )
    return read_videos(table, "", odd)


_SAID = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "strokes"}
