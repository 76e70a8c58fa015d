"""EPIC-Sounds' annotations: tables of sounds in videos of minutes > truth by video.

    EPIC_Sounds_train.csv, EPIC_Sounds_validation.csv    annotation_id, participant_id, video_id, start_timestamp,
                                                         stop_timestamp, description, class, class_id
    EPIC_100_video_info.csv                              video_id, duration: of EPIC-KITCHENS, if it lies beside

Times are 00:01:02.345; columns of samples may stand between. The class "background" says that nothing is to be told
and is left out, as in the detection challenge. EPIC-Sounds: Huh et al. 2023.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.text import PathLike, as_seconds, as_time, labelled, read_text, rows
from avloc.formats.text import lines as lines_of
from avloc.formats.truth import Truth

BACKGROUND = "background"
_COLUMNS = ("video_id", "start_timestamp", "stop_timestamp", "class", "class_id")
_INFO = "EPIC_100_video_info.csv"
_PREFIX = "epic_sounds_"


def is_epic_sounds(path: Path) -> bool:
    """Whether this is such a table, by its first line, or a folder that holds one, by its name."""
    if path.is_dir():
        return bool(_tables(path))
    head = next((line for _, line in lines_of(read_text(path, "a table of sounds"))), "")
    return set(_COLUMNS) <= {title.strip() for title in head.split(",")}


def read_epic_sounds(path: PathLike) -> tuple[dict[str, Truth], tuple[str, ...]]:
    """Videos of a table, or of all in a folder that tell classes, and the classes by their class_id.

    Subsets are what follows EPIC_Sounds_ in the name of a table: "train", "validation". Where no table of videos lies
    beside, a video ends where its features do.

    Raises:
        FormatError: a file cannot be read, a line is odd, a class has two numbers, or a video stands in two tables.
    """
    root = Path(path)
    tables = _tables(root) if root.is_dir() else [root]
    folder = root if root.is_dir() else root.parent
    lengths_s = dict(_lengths(folder / _INFO)) if (folder / _INFO).is_file() else {}
    numbers: dict[str, int] = {}
    videos: dict[str, tuple[Path, list[Event]]] = {}
    for table in tables:
        for where, fields in _fields(table):
            event = _event(where, fields, numbers)
            file, events = videos.setdefault(fields["video_id"], (table, []))
            if file != table:
                raise FormatError(f"{where}: video {fields['video_id']!r} stands in {file.name} as well")
            events.extend([] if event is None else [event])
    found = {
        video: Truth(lengths_s.get(video, math.inf), _subset(file), Events.of(events))
        for video, (file, events) in videos.items()
    }
    return found, tuple(sorted(numbers, key=lambda label: numbers[label]))


def _tables(folder: Path) -> list[Path]:
    """Those that tell classes; the recognition challenge's test set does not."""
    named = [f for f in sorted(folder.glob("*.csv")) if f.name.lower().startswith(_PREFIX)]
    return [file for file in named if is_epic_sounds(file)]


def _subset(table: Path) -> str:
    name = table.stem
    return name[len(_PREFIX) :].lower() if name.lower().startswith(_PREFIX) else "train"


def _event(where: str, fields: dict[str, str], numbers: dict[str, int]) -> Event | None:
    label, number = fields["class"], as_seconds(fields["class_id"], f"{where}, class_id", "a whole number")
    start_s, end_s = (as_time(fields[name], where) for name in ("start_timestamp", "stop_timestamp"))
    event = labelled(start_s, end_s, label, where)
    if label == BACKGROUND:
        return None
    if numbers.setdefault(label, int(number)) != number:
        raise FormatError(f"{where}: class {label!r} has the class_id {number:g} and, before, {numbers[label]}")
    return event


def _fields(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    table = rows(path, ",", "a table of EPIC-Sounds")
    _, head = next(table, (0, []))
    head = [title.strip() for title in head]
    if not set(_COLUMNS) <= set(head):
        raise FormatError(f"{path}, line 1: the columns {', '.join(_COLUMNS)} are needed, divided by commas")
    for number, row in table:
        where = f"{path}, line {number}"
        if len(row) != len(head):
            raise FormatError(f"{where}: has {len(row)} fields, and the first line {len(head)}")
        yield where, {name: text.strip() for name, text in zip(head, row, strict=True)}


def _lengths(path: Path) -> Iterator[tuple[str, float]]:
    table = rows(path, ",", "a table of videos")
    _, head = next(table, (0, []))
    if not {"video_id", "duration"} <= set(head):
        raise FormatError(f"{path}, line 1: the columns video_id and duration are needed")
    for number, row in table:
        fields = dict(zip(head, row, strict=False))
        where = f"{path}, line {number}: the duration"
        yield fields["video_id"], as_seconds(fields.get("duration", ""), where)
