"""Tables of a results folder: events.csv of all events, failed.csv of all videos without a result and why.

Times are seconds with three decimals, scores plain numbers; rows are sorted, so the same results give the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from avloc.errors import OutputError
from avloc.events import Events
from avloc.files import replace_file
from avloc.scale.manifest import Entry

TABLE = "events.csv"
COLUMNS = ("video", "start_s", "end_s", "label", "score", "file")
FAILURES = "failed.csv"
FAILURE_COLUMNS = ("video", "file", "state", "reason")


def write_events_table(path: Path, results: Mapping[str, Events], files: Mapping[str, str] | None = None) -> None:
    """Write the events of many videos, by video, start, end and label.

    files: places of the videos as seen from the table, where they are known.

    Raises:
        OutputError: the file cannot be written.
    """
    rows = [
        [video, f"{start_s:.3f}", f"{end_s:.3f}", label, repr(float(score)), (files or {}).get(video, "")]
        for video in sorted(results)
        for start_s, end_s, label, score in sorted((e.start_s, e.end_s, e.label, e.score) for e in results[video])
    ]
    _write(path, COLUMNS, rows)


def write_failures(path: Path, entries: Iterable[Entry]) -> Path | None:
    """Write which videos have no result, and why; the path where there are some, else there is no such file.

    Raises:
        OutputError: the file cannot be written, or not be removed.
    """
    rows = [[e.result, e.video, e.state, e.reason] for e in entries]
    if rows:
        _write(path, FAILURE_COLUMNS, rows)
        return path
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be removed ({(error.strerror or str(error)).lower()})") from None
    return None


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    # As in JSON: a file name that is not UTF-8 reaches us with lone surrogates.
    replace_file(path, text.getvalue().encode("utf-8", "backslashreplace"))
