"""Which format a file has, and reading and writing of any: the only place that knows them all.

A file is read by its ending and, where that leaves a choice, by what it holds; it is written by its ending. A
format may always be named instead.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from avloc.errors import FormatError
from avloc.events import Events
from avloc.formats import activitynet, raven
from avloc.formats.audacity import read_audacity, write_audacity
from avloc.formats.csv import COLUMNS, columns_of, read_table, write_table
from avloc.formats.csv_truth import DEFAULT_SUBSET, REQUIRED, delimiter_of, read_csv_truth, write_csv_truth
from avloc.formats.dcase import AUDIOSET, DCASE, read_dcase, write_audioset, write_dcase
from avloc.formats.elan import read_elan, write_elan
from avloc.formats.fiftyone import read_fiftyone, write_fiftyone
from avloc.formats.label_studio import read_label_studio, write_label_studio
from avloc.formats.rttm import read_rttm, write_rttm
from avloc.formats.srt import read_srt, write_srt
from avloc.formats.strict_json import load_json
from avloc.formats.text import PathLike, lines, read_text
from avloc.formats.truth import Truth
from avloc.formats.via import read_via, write_via
from avloc.formats.webvtt import read_webvtt, write_webvtt

Videos = dict[str, Truth]
T = TypeVar("T")

ENDING = ".events.json"
"""What the names of files end in that detection writes, one a video."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        title: Its name in a sentence.
        endings: Of its files; the first is the one to write, unless another format above has it too.
        several: Whether a file holds several videos.
        scores: Whether a file holds scores.
        read: Path and, for formats that may hold frames, frames a second > videos.
        write: Path and videos > a file.
    """

    title: str
    endings: tuple[str, ...]
    several: bool
    scores: bool
    read: Callable[[PathLike, float | None], Videos]
    write: Callable[[PathLike, Mapping[str, Truth]], None]


def _read_results(path: PathLike, _: float | None) -> Videos:
    results, told = activitynet.read_results(path), activitynet.read_external(path)
    lengths = told.get("durations")
    if not isinstance(lengths, dict):
        lengths = dict.fromkeys(results, told.get("duration")) if len(results) == 1 else {}
    return {video: Truth.of(events, _length(lengths.get(video))) for video, events in results.items()}


def _length(told: object) -> float:
    return float(told) if type(told) in (int, float) and 0 <= told < math.inf else math.inf  # type: ignore[operator, arg-type]


def _write_results(path: PathLike, videos: Mapping[str, Truth]) -> None:
    known = {video: round(truth.duration_s, 3) for video, truth in videos.items() if math.isfinite(truth.duration_s)}
    told: dict[str, Any] = {"duration": next(iter(known.values()))} if len(videos) == len(known) == 1 else {}
    if len(videos) > 1 and known:
        told = {"durations": known}
    activitynet.write_results(path, _events(videos), told)


def _write_truth(path: PathLike, videos: Mapping[str, Truth]) -> None:
    for video, truth in videos.items():
        if math.isinf(truth.duration_s):
            raise FormatError(
                f"{path}: ActivityNet's annotations need the length of each video, and that of {video!r} "
                "is not known; use csv-truth"
            )
    named = {v: Truth(t.duration_s, t.subset or DEFAULT_SUBSET, t.events) for v, t in videos.items()}
    activitynet.write_truth(path, named)


def _read_table(path: PathLike, _: float | None) -> Videos:
    return {video: Truth.of(events) for video, events in read_table(path).items()}


def _write_table(path: PathLike, videos: Mapping[str, Truth]) -> None:
    write_table(path, _events(videos))


def _events(videos: Mapping[str, Truth]) -> dict[str, Events]:
    return {video: truth.events for video, truth in videos.items()}


_SELECTIONS = ".selections.txt"

FORMATS: Mapping[str, Format] = {
    "activitynet": Format("ActivityNet results", (ENDING, ".json"), True, True, _read_results, _write_results),
    "activitynet-truth": Format(
        "ActivityNet annotations", (".json",), True, False, lambda p, _: activitynet.read_truth(p), _write_truth
    ),
    "csv": Format("a table", (".csv", ".tsv", ".tab"), True, True, _read_table, _write_table),
    "csv-truth": Format(
        "a table of annotations", (".csv",), True, False, lambda p, _: read_csv_truth(p), write_csv_truth
    ),
    "dcase": Format("DCASE", (".tsv",), True, False, lambda p, _: read_dcase(p), write_dcase),
    "audioset": Format("AudioSet", (".tsv",), True, False, lambda p, _: read_dcase(p), write_audioset),
    "audacity": Format("Audacity labels", (".txt",), False, False, lambda p, _: read_audacity(p), write_audacity),
    "raven": Format(
        "Raven selections", (_SELECTIONS, ".txt"), False, True, lambda p, _: raven.read_raven(p), raven.write_raven
    ),
    "webvtt": Format("WebVTT", (".vtt",), False, True, lambda p, _: read_webvtt(p), write_webvtt),
    "srt": Format("SRT", (".srt",), False, False, lambda p, _: read_srt(p), write_srt),
    "elan": Format("ELAN", (".eaf",), False, False, lambda p, _: read_elan(p), write_elan),
    "rttm": Format("RTTM", (".rttm",), True, True, lambda p, _: read_rttm(p), write_rttm),
    "label-studio": Format("Label Studio", (".json",), True, True, read_label_studio, write_label_studio),
    "via": Format("VIA 3", (".json",), True, False, lambda p, _: read_via(p), write_via),
    "fiftyone": Format("FiftyOne", (".json",), True, True, read_fiftyone, write_fiftyone),
}


def read_truth(path: PathLike, format: str | None = None, fps: float | None = None) -> Videos:
    """The videos of a file of any format, or of all such files below a folder; their order is that of the files.

    format: a name of FORMATS; without it the ending tells, and what the file holds.
    fps: frames a second, for the two formats that may hold frames (label-studio, fiftyone).
    Of a folder, files that end in .events.json are read, or else those of the formats of one video a file.

    Raises:
        FormatError: a file cannot be read or is odd, its format cannot be told, or a video stands in two files.
    """
    folder = Path(path)
    if folder.is_dir():
        return below(folder, {file: read_truth(file, format, fps) for file in _files_below(folder, format)})
    return named(format or sniff(path)).read(path, fps)


def read_events(path: PathLike, format: str | None = None, fps: float | None = None) -> dict[str, Events]:
    """As `read_truth`, the events alone."""
    return _events(read_truth(path, format, fps))


def write_events(path: PathLike, videos: Mapping[str, Truth | Events], format: str | None = None) -> None:
    """Write the events of videos; the ending tells the format where none is named.

    Raises:
        FormatError: the ending is of no format, or the format cannot hold what is given: which is said.
        OutputError: the file cannot be written.
    """
    whole = {video: entry if isinstance(entry, Truth) else Truth.of(entry) for video, entry in videos.items()}
    named(format or format_to_write(path)).write(path, whole)


def merged(files: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    """The videos of several files.

    Raises:
        FormatError: a video stands in two of them.
    """
    videos: dict[str, T] = {}
    source: dict[str, str] = {}
    for file, found in files.items():
        for video, truth in found.items():
            if video in videos:
                raise FormatError(f"video {video!r} stands in {source[video]} and in {file}; keep one of the two")
            videos[video], source[video] = truth, file
    return videos


def below(folder: Path, files: Mapping[Path, Mapping[str, T]]) -> dict[str, T]:
    """What the files of a folder hold. Videos of one name in several sub folders are named by these, too: north/rec1.

    Raises:
        FormatError: a video stands in two files of one folder.
    """
    count = Counter(video for found in files.values() for video in found)

    def place(file: Path, video: str) -> str:
        return video if count[video] == 1 else (PurePosixPath(file.parent.relative_to(folder)) / video).as_posix()

    return merged({str(file): {place(file, v): held for v, held in found.items()} for file, found in files.items()})


def named(name: str) -> Format:
    """The format of a name.

    Raises:
        FormatError: there is none.
    """
    if name not in FORMATS:
        raise FormatError(f"{name!r} is no format; the formats are {', '.join(FORMATS)}")
    return FORMATS[name]


def format_to_write(path: PathLike) -> str:
    """The name of the format that files of this ending are written in.

    Raises:
        FormatError: the ending is of no format.
    """
    return _of_ending(path)[0]


def sniff(path: PathLike) -> str:
    """The name of the format that a file has, by its ending and what it holds.

    Raises:
        FormatError: it cannot be read, or cannot be told.
    """
    candidates = _of_ending(path)
    if len(candidates) == 1 or str(path).lower().endswith((ENDING, _SELECTIONS)):
        return candidates[0]
    ending = Path(path).suffix.lower()
    head = "" if ending == ".json" else _head(path)
    found = _of_json(load_json(path)) if ending == ".json" else _of_head(head, ending)
    if found is None and ending == ".csv":
        said = f"its first line is {head[:80]!r}" if head else "is empty"
        raise FormatError(f"{path}: {said}; the columns {','.join(REQUIRED)} are needed")
    if found is None:
        raise FormatError(
            f"{path}: what it holds is of no known format with the ending {ending} ({', '.join(candidates)}); "
            "name the format (avloc convert --from)"
        )
    return found


def _of_ending(path: PathLike) -> list[str]:
    name = Path(path).name.lower()
    for ending in (ENDING, _SELECTIONS, Path(name).suffix):
        found = [key for key, f in FORMATS.items() if ending in f.endings and name.endswith(ending)]
        if found:
            return found
    endings = ", ".join(dict.fromkeys(ending for f in FORMATS.values() for ending in f.endings))
    raise FormatError(
        f"{path}: its ending is of no known format ({endings}); rename it, or name the format (avloc convert)"
    )


def _files_below(folder: Path, format: str | None) -> list[Path]:
    endings = named(format).endings if format else (ENDING,)
    one_video = tuple(ending for f in FORMATS.values() if not f.several for ending in f.endings)
    for wanted in (endings, () if format else one_video):
        files = sorted(file for file in folder.rglob("*") if file.name.lower().endswith(wanted) and file.is_file())
        if files:
            return files
    raise FormatError(f"{folder}: holds no file that ends in {' or '.join(endings)}; name a file, or such a folder")


def _head(path: PathLike) -> str:
    return next(lines(read_text(path, "a file of events")), (0, ""))[1]


def _of_json(top: Any) -> str | None:
    if isinstance(top, list):
        return "label-studio" if all(isinstance(task, dict) and "data" in task for task in top) else None
    keys = set(top) if isinstance(top, dict) else set()
    wanted = {
        "activitynet": {"results"},
        "activitynet-truth": {"database"},
        "via": {"project", "file", "view", "metadata"},
        "fiftyone": {"labels"},
    }
    return next((name for name, needed in wanted.items() if needed <= keys), None)


def _of_head(line: str, ending: str) -> str | None:
    columns = [name.strip().strip('"') for name in line.split(delimiter_of(line) if ending == ".csv" else "\t")]
    small = {name.lower() for name in columns}
    if ending == ".txt":
        return "raven" if raven.BEGIN in small else "audacity" if len(columns) == 3 or not line else None
    if set(COLUMNS) <= set(columns_of(columns)):
        return "csv"
    if ending == ".csv":
        return "csv-truth" if set(REQUIRED) <= small else None
    return "dcase" if set(DCASE) <= set(columns) else "audioset" if set(AUDIOSET) <= set(columns) else None
