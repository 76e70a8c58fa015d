"""CSV <-> truth: one row per event, the simplest way to give a data set of one's own.

    video,start,end,label,duration,subset
    v1,2.5,7.0,dog barking,30.0,train
    v1,1:09.0,1:11.5,car passing,30.0,train
    v2,,,,12.4,test

`duration` and `subset` may be left out; so may start, end and label of a video without any event. Times are seconds,
or minutes and seconds. Other usual names of columns are understood (`avloc.formats.columns`), and so are the
semicolons and the 2,5 for 2.5 of spreadsheets of many languages.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping

from avloc.errors import FormatError
from avloc.files import replace_file
from avloc.formats.tables import open_table, read_videos
from avloc.formats.text import PathLike, encoded, one_line
from avloc.formats.truth import Truth

REQUIRED = ("video", "start", "end", "label")
OPTIONAL = ("duration", "subset")
DEFAULT_SUBSET = "train"


def read_csv_truth(path: PathLike, fps: float | None = None) -> dict[str, Truth]:
    """Videos in the order of their first rows. Without a duration it is infinite; without a subset it is "train".

    Raises:
        FormatError: the file cannot be read, lacks a column, has one that is nearly one of these, or a row is odd:
            the line is named.
    """
    table = open_table(path, "a CSV file of events", fps)
    if table.columns.missing:
        raise FormatError(
            f"{path}: the first line is {','.join(table.titles)[:80]!r}; "
            f"the columns {','.join(REQUIRED)} are needed, {' and '.join(OPTIONAL)} may follow"
        )
    return read_videos(table, DEFAULT_SUBSET, stripped=True)


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
