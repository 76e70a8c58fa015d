"""All events of a results folder in one table: events.csv with the columns video, start_s, end_s, label, score.

Times are seconds with three decimals, scores plain numbers; rows are sorted, so the same results give the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from avloc.events import Events
from avloc.files import replace_file

TABLE = "events.csv"
COLUMNS = ("video", "start_s", "end_s", "label", "score")


def write_events_table(path: Path, results: Mapping[str, Events]) -> None:
    """Write the events of many videos, by video, start, end and label.

    Raises:
        OutputError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for video in sorted(results):
        for start_s, end_s, label, score in sorted((e.start_s, e.end_s, e.label, e.score) for e in results[video]):
            writer.writerow([video, f"{start_s:.3f}", f"{end_s:.3f}", label, repr(float(score))])
    # As in JSON: a file name that is not UTF-8 reaches us with lone surrogates.
    replace_file(path, text.getvalue().encode("utf-8", "backslashreplace"))
