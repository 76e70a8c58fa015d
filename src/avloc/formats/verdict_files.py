"""Verdicts <-> files: a table, one event a line, or JSON. The page of a video writes and reads both.

    video,start,end,label,score,verdict,found_start,found_end,found_label,reviewer,at,duration,whole,result
    v1,1.520,5.030,dog barking,0.93,yes,1.520,5.030,dog barking,Ann,2026-01-31T12:00:00Z,30.000,,0123456789abcdef

`verdict` is yes, no, corrected, added, or empty where nobody looked at the event (`next` where somebody is to). An
added event has no found_ columns; `whole` is yes in all rows of a video that was watched whole. A row without times
is a video without an event. JSON has the same: {"verdicts": {video: {"duration", "whole", "result", "events": []}}}.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from avloc.errors import FormatError
from avloc.events import Event
from avloc.files import replace_file
from avloc.formats.strict_json import as_list, as_number, as_object, as_text, dump_json, load_json
from avloc.formats.tables import delimiter_of
from avloc.formats.text import PathLike, as_seconds, encoded, labelled, lines, one_line, read_text, rows
from avloc.formats.truth import Truth
from avloc.formats.verdicts import ASKED, KINDS, Kind, Reviewed, Verdict

COLUMNS = (
    *("video", "start", "end", "label", "score", "verdict", "found_start", "found_end", "found_label"),
    *("reviewer", "at", "duration", "whole", "result"),
)
NEEDED = ("video", "start", "end", "label", "verdict")
_NEED = "a file of verdicts, as the page of a video saves it"


def read_reviewed(path: PathLike) -> dict[str, Reviewed]:
    """The verdicts of a file, by video, in its order.

    Raises:
        FormatError: it cannot be read, is no file of verdicts, or a row is odd: it is named.
    """
    return _read_json(path) if Path(path).suffix.lower() == ".json" else _read_table(path)


def read_verdicts_truth(path: PathLike) -> dict[str, Truth]:
    """What the verdicts of a file say happened, and in which stretches all is known."""
    return {video: reviewed.truth() for video, reviewed in read_reviewed(path).items()}


def write_verdicts_truth(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write annotations as verdicts: each event is right, and videos are known whole where they are."""
    write_reviewed(
        path,
        {
            video: Reviewed(tuple(Verdict("yes", e, e) for e in truth.events), truth.duration_s, truth.known is None)
            for video, truth in videos.items()
        },
    )


def write_reviewed(path: PathLike, videos: Mapping[str, Reviewed]) -> None:
    """Write verdicts: JSON where the path ends so, else a table.

    Raises:
        OutputError: the file cannot be written.
        FormatError: a name is of no use to the format.
    """
    if Path(path).suffix.lower() == ".json":
        body = {video: _plain(reviewed) for video, reviewed in videos.items()}
        text = ",\n".join(f"  {dump_json(v, path, 'a name')}: {dump_json(b, path, v)}" for v, b in body.items())
        replace_file(path, encoded(f'{{"version": "1.0",\n "verdicts": {{\n{text}\n }}}}\n'))
        return
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for video, reviewed in videos.items():
        name = one_line(video, path, "verdicts", banned="")
        for row in map(_row_of, reviewed.verdicts) if reviewed.verdicts else ({},):
            for title in ("label", "found_label", "reviewer"):
                one_line(row.get(title) or "-", path, "verdicts", banned="")
            writer.writerow({"video": name, **row, **_about(reviewed)})
    replace_file(path, encoded(out.getvalue()))


def _about(reviewed: Reviewed) -> dict[str, str]:
    long = "" if math.isinf(reviewed.duration_s) else f"{reviewed.duration_s:.3f}"
    return {"duration": long, "whole": "yes" if reviewed.whole else "", "result": reviewed.result}


def _row_of(v: Verdict) -> dict[str, str]:
    row = {"start": f"{v.event.start_s:.3f}", "end": f"{v.event.end_s:.3f}", "label": v.event.label}
    row |= {"verdict": ASKED if v.asked and not v.kind else v.kind, "reviewer": v.by, "at": v.at}
    if v.found is not None:
        row |= {"score": f"{v.found.score:.6g}", "found_start": f"{v.found.start_s:.3f}"}
        row |= {"found_end": f"{v.found.end_s:.3f}", "found_label": v.found.label}
    return row


def _plain(reviewed: Reviewed) -> dict[str, Any]:
    about: dict[str, Any] = {} if math.isinf(reviewed.duration_s) else {"duration": round(reviewed.duration_s, 3)}
    about |= {"whole": reviewed.whole, "result": reviewed.result}
    return about | {"events": [_row_of(v) for v in reviewed.verdicts]}


def _read_table(path: PathLike) -> dict[str, Reviewed]:
    head = next((line for _, line in lines(read_text(path, _NEED))), "")
    numbered = rows(path, delimiter_of(head, path), _NEED)
    _, titles = next(numbered, (0, []))
    titles = [title.strip().lower() for title in titles]
    missing = [name for name in NEEDED if name not in titles]
    if missing:
        raise FormatError(f"{path}: the first line names no column {', '.join(missing)}; {_NEED} has them")
    videos: dict[str, list[dict[str, str]]] = {}
    for number, fields in numbered:
        row = dict(zip(titles, fields, strict=False)) | {"where": f"{path}, line {number}"}
        if not row.get("video"):
            raise FormatError(f"{row['where']}: names no video")
        videos.setdefault(row["video"], []).append(row)
    return {video: _reviewed(of_video) for video, of_video in videos.items()}


def _reviewed(of_video: list[dict[str, str]]) -> Reviewed:
    first = of_video[0]
    long = first.get("duration", "")
    duration_s = as_seconds(long, f"{first['where']}, duration") if long else math.inf
    return Reviewed(
        tuple(_verdict(row) for row in of_video if row.get("start") or row.get("end") or row.get("label")),
        duration_s,
        any(row.get("whole", "").lower() == "yes" for row in of_video),
        first.get("result", ""),
    )


def _verdict(row: Mapping[str, str]) -> Verdict:
    where = row["where"]
    kind = row.get("verdict", "").strip().lower()
    asked = kind == ASKED
    if not asked and kind not in KINDS:
        known = ", ".join(filter(None, KINDS))
        raise FormatError(f"{where}: the verdict {kind[:40]!r} is none; {known}, or nothing is needed")
    score = as_seconds(row["score"], f"{where}, score", "a number") if row.get("score") else 1.0
    event = _event(row, "", where)
    found = _event(row, "found_", where, score) if row.get("found_label") else None
    if found is None and kind != "added":
        found = Event(event.start_s, event.end_s, event.label, score)
    if found is not None and kind != "corrected":
        event = found
    plain = cast(Kind, "" if asked else kind)
    return Verdict(plain, event, found, row.get("reviewer", ""), row.get("at", ""), asked)


def _event(row: Mapping[str, str], prefix: str, where: str, score: float = 1.0) -> Event:
    start_s, end_s = (as_seconds(row.get(f"{prefix}{n}", ""), f"{where}, {prefix}{n}") for n in ("start", "end"))
    return labelled(start_s, end_s, row.get(f"{prefix}label", ""), where, score)


def _read_json(path: PathLike) -> dict[str, Reviewed]:
    top = as_object(load_json(path), str(path), 'an object with "verdicts"')
    if "verdicts" not in top:
        raise FormatError(f'{path}: there is no "verdicts" at the top level; {_NEED} has it')
    videos = as_object(top["verdicts"], f'{path}: "verdicts"', "an object with one entry per video")
    return {video: _of_json(entry, f"{path}: video {video!r}") for video, entry in videos.items()}


def _of_json(entry: object, where: str) -> Reviewed:
    told = as_object(entry, where, 'an object with "events"')
    verdicts = []
    for i, row in enumerate(as_list(told.get("events", []), f'{where}, "events"')):
        fields = as_object(row, f"{where}, event {i}", "an object")
        verdicts.append(_verdict({k: _text(v) for k, v in fields.items()} | {"where": f"{where}, event {i}"}))
    long = told.get("duration")
    duration_s = math.inf if long is None else as_number(long, f'{where}, "duration"')
    result = told.get("result") or ""
    return Reviewed(tuple(verdicts), duration_s, told.get("whole") is True, result and as_text(result, where))


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else repr(value)
