"""First line of a table > what each column holds, by the names that programs and people use.

    video, start, end, label, score, duration, subset, file            as avloc writes them; also modality
    filename, onset, offset, event_label                               DCASE, sed_eval; event_labels: LLP
    Start (s), End (s), Scientific name, Common name, Confidence, File BirdNET; also its tables for R and Kaleidoscope
    INDIR, FOLDER, IN FILE, OFFSET, DURATION, MANUAL ID                Kaleidoscope
    tmin, tier, text, tmax                                             Praat
    Media file name, Behavior, Start (s), Stop (s)                     BORIS, aggregated events (tabular: boris.py)
    audio_file, annotation, start_time, end_time                       OpenSoundscape

Of several columns that could be the label, or the video, the one named first below is taken. `duration` is the length
of the video where an end is there, and else that of the event; `offset` is an end beside an onset, and else a start.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from avloc.errors import FormatError

VIDEO = ("video", "video name", "video id")
FILE = (
    *("file", "filepath", "file path", "path", "begin path", "filename", "file name", "begin file", "in file"),
    *("media file name", "media file", "media", "audio file", "sound file", "audio filename", "audio", "recording"),
    *("notated path", "source file", "clip", "input", "wav", "wav file", "youtube id", "ytid", "uri"),
)
START = (
    *("start", "begin", "onset", "tmin", "xmin", "start time", "begin time", "time start", "event start"),
    *("starttime", "begintime", "segment start", "start second", "in", "from", "time"),
)
END = (
    *("end", "stop", "offset", "tmax", "xmax", "end time", "stop time", "time end", "event end", "finish"),
    *("endtime", "stoptime", "segment end", "end second", "out", "to", "until"),
)
LENGTH = ("event duration", "duration", "dur", "length", "delta time")
LABEL = (
    *("label", "event label", "event labels", "annotation", "common name", "species", "class", "class name"),
    *("category", "event"),
    *("event type", "sound event", "behavior", "behaviour", "call type", "manual id", "tag", "text", "species name"),
    *(
        "scientific name",
        "auto id*",
        "top1match*",
        "species code",
        "value",
        "name",
        "marker name",
        "labels",
        "description",
    ),
)
SCORE = ("score", "confidence", "probability", "prob")
DURATION = ("duration", "video duration", "media duration", "file duration", "audio duration", "total duration")
SUBSET = ("subset", "split")
MODALITY = ("modality",)

_UNIT = re.compile(
    r"[\s_]*(?:-|[(\[])?\s*\b(s|sec|secs|second|seconds|ss\.msec|h+:m+:s+(?:\.m*s*)?|m+:s+|ms|msec|millisec|milliseconds|frame|frames)[)\]]?$"
)
_MILLI = ("ms", "msec", "millisec", "milliseconds")
_FRAMES = ("frame", "frames")
_OWN = ("video", "start", "end", "label", "score", "duration", "subset")
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's place, its title as it stands there, and what of a second its numbers count; 0 for frames."""

    place: int
    title: str
    unit_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table keeps what; several columns stand in order of preference.

    video: its name; file: its path, with the folders that stand in columns of their own before it. end or length.
    """

    count: int
    video: Column | None
    file: tuple[Column, ...]
    start: Column | None
    end: Column | None
    length: Column | None
    label: tuple[Column, ...]
    score: Column | None
    duration: Column | None
    subset: Column | None
    modality: Column | None = None
    unknown: tuple[str, ...] = field(default=())

    @property
    def holds_events(self) -> bool:
        return self.start is not None and (self.end or self.length) is not None and bool(self.label)

    @property
    def missing(self) -> list[str]:
        """The usual names of what is not there."""
        found = {
            "start": self.start,
            "end": self.end or self.length,
            "label": self.label,
        }
        return [name for name, column in found.items() if not column]


def columns_of(titles: Sequence[str]) -> Columns:
    """What the columns of these titles hold."""
    found: dict[str, Column] = {}
    for place, title in enumerate(titles):
        name, unit_s = _plain(title)
        found.setdefault(name, Column(place, title.strip(), unit_s))
    start = _first(found, START)
    end = _first(found, END)
    begin = found.get("offset")
    if begin is not None and (start is None or "in file" in found) and _first(found, LENGTH):
        start, end = begin, None  # Kaleidoscope's offset into the file
    length = None if end else _first(found, LENGTH)
    video = _first(found, VIDEO)
    groups = (VIDEO, FILE, START, END, LENGTH, LABEL, SCORE, DURATION, SUBSET, MODALITY)
    known = {name for names in groups for name in names}
    return Columns(
        len(titles),
        video,
        _file(found),
        start,
        end,
        length,
        tuple(found[name] for name in LABEL if name in found),
        _first(found, SCORE),
        _first(found, DURATION if length is None else DURATION[1:]),
        _first(found, SUBSET),
        _first(found, MODALITY),
        tuple(name for name in found if name not in known),
    )


def divided(line: str, otherwise: str = ",") -> str:
    """What divides the columns of a first line: what finds most that a table of events has."""

    def known(delimiter: str) -> tuple[int, bool]:
        titles = fields_of(line, delimiter)
        columns = columns_of(titles) if len(titles) > 1 else None
        found = (columns.video, columns.start, columns.end, columns.label, columns.file) if columns else ()
        return sum(map(bool, found)), delimiter == otherwise

    return max(_DELIMITERS, key=known)


def fields_of(line: str, delimiter: str) -> list[str]:
    """The fields of one line."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def require_no_slip(path: object, titles: Iterable[str], columns: Columns) -> None:
    """Refuse a title that is nearly one that matters, which would be left out unsaid, and one that stands twice.

    Raises:
        FormatError: there is one.
    """
    small = [title.strip().lower() for title in titles]
    for name in _OWN:
        if small.count(name) > 1:
            raise FormatError(f"{path}: the first line names the column {name!r} twice; keep one of them")
    names = [_plain(title)[0] for title in titles]
    for name in columns.unknown:
        near = difflib.get_close_matches(name, [own for own in _OWN if own not in names and own != name], 1, 0.8)
        if near:
            raise FormatError(f"{path}: the first line names a column {name!r}; did you mean {near[0]!r}?")


def _plain(title: str) -> tuple[str, float]:
    """A title in small letters without its unit, and the unit in seconds."""
    name = title.strip().strip("\"'").strip().lower().lstrip("#").strip()
    found = _UNIT.search(name.replace("_", " "))
    stem = name[: found.start()] if found and found.start() else name
    unit = found[1] if found and found.start() else ""
    unit_s = 1e-3 if unit in _MILLI else 0.0 if unit in _FRAMES else 1.0
    return " ".join(stem.replace("_", " ").replace("-", " ").split()), unit_s


def _first(found: dict[str, Column], names: Iterable[str]) -> Column | None:
    return next((found[name] for name in names if name in found), None)


def _file(found: dict[str, Column]) -> tuple[Column, ...]:
    file = _first(found, FILE)
    if file is None:
        return ()
    folders = (found.get("indir"), found.get("folder")) if file == found.get("in file") else ()
    return (*(column for column in folders if column), file)
