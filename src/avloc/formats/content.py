"""What a file holds > the name of its format, where its ending leaves a choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avloc.errors import FormatError
from avloc.formats import raven, verdict_files
from avloc.formats.audacity import looks_like_labels
from avloc.formats.columns import fields_of
from avloc.formats.csv_truth import REQUIRED
from avloc.formats.dcase import AUDIOSET, DCASE
from avloc.formats.label_studio_export import is_min
from avloc.formats.strict_json import load_json
from avloc.formats.tables import open_table
from avloc.formats.text import PathLike, lines, read_text


def format_of_content(path: PathLike) -> str | None:
    """The format of a .json, .edl, .txt, .csv, .tsv or .tab file; None where nothing tells.

    Raises:
        FormatError: the file cannot be read, or is a table without the columns of one.
    """
    ending = Path(path).suffix.lower()
    if ending == ".json":
        return _of_json(load_json(path))
    if ending == ".edl":
        return "resolve" if "|M:" in read_text(path, "an EDL") else "edl"
    head = next((line for _, line in lines(read_text(path, "a file of events"))), "")
    if "Marker Name" in head and "Marker Type" in head:
        return "premiere"
    if ending == ".txt" and (not head or len(head.split("\t")) == 3 or looks_like_labels(head)):
        return "audacity"
    return _of_table(path, head, ending)


def _of_json(top: Any) -> str | None:
    if isinstance(top, list):
        task = all(isinstance(task, dict) and ("data" in task or is_min(task)) for task in top)
        return "label-studio" if task else None
    keys = set(top) if isinstance(top, dict) else set()
    wanted = {
        "activitynet": {"results"},
        "activitynet-truth": {"database"},
        "via": {"project", "file", "view", "metadata"},
        "fiftyone": {"labels"},
        "verdicts": {"verdicts"},
    }
    return next((name for name, needed in wanted.items() if needed <= keys), None)


def _of_table(path: PathLike, head: str, ending: str) -> str | None:
    table = open_table(path, "a table of events")
    small = {title.strip().lower() for title in table.titles}
    if {raven.BEGIN, raven.END} <= small:
        return "raven"
    if ending == ".csv" and set(verdict_files.NEEDED) <= small:
        return "verdicts"
    if ending in (".tsv", ".tab"):
        titles = {title.strip() for title in fields_of(head, "\t")}
        for name, columns in (("dcase", DCASE), ("audioset", AUDIOSET)):
            if set(columns) <= titles:
                return name
    if table.columns.holds_events:
        return "csv-truth" if table.columns.score is None else "csv"
    if ending == ".csv":
        said = f"its first line is {head[:80]!r}" if head else "is empty"
        raise FormatError(f"{path}: {said}; the columns {','.join(REQUIRED)} are needed, named in the first line")
    return None
