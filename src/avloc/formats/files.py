"""Which format a file has, and reading and writing of any: the only place that knows them all.

A file is read by its ending and, where that leaves a choice, by what it holds; it is written by its ending.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from avloc.errors import FormatError
from avloc.events import Events
from avloc.files import files_in
from avloc.formats import activitynet, elan, praat, premiere, raven, resolve, youtube
from avloc.formats.activitynet_videos import read_results, write_annotations, write_results
from avloc.formats.audacity import read_audacity, write_audacity
from avloc.formats.chapters import read_ffmetadata, write_ffmetadata
from avloc.formats.content import format_of_content
from avloc.formats.csv import read_table, write_table
from avloc.formats.csv_truth import read_csv_truth, write_csv_truth
from avloc.formats.dcase import read_dcase, write_audioset, write_dcase
from avloc.formats.edl import read_edl, write_edl
from avloc.formats.elan import read_elan, write_elan
from avloc.formats.fcpxml import read_fcpxml, write_fcpxml
from avloc.formats.fiftyone import read_fiftyone, write_fiftyone
from avloc.formats.label_studio import read_label_studio, write_label_studio
from avloc.formats.otio import read_otio, write_otio
from avloc.formats.premiere import read_premiere, write_premiere
from avloc.formats.resolve import read_resolve, write_resolve
from avloc.formats.rttm import read_rttm, write_rttm
from avloc.formats.srt import read_srt, write_srt
from avloc.formats.text import PathLike
from avloc.formats.tiers import require_tiers
from avloc.formats.truth import Choices, Truth
from avloc.formats.verdict_files import read_verdicts_truth, write_verdicts_truth
from avloc.formats.via import read_via, write_via
from avloc.formats.webvtt import read_webvtt, write_webvtt
from avloc.formats.youtube import refuse_youtube, write_youtube

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
        frames: Whether times are counted in frames, so that a video's frame rate must be known.
        clock: Whether a file can hold the time of day.
        read: Path and what a person chose > videos.
        write: Path and videos > a file.
    """

    title: str
    endings: tuple[str, ...]
    several: bool
    scores: bool
    read: Callable[[PathLike, Choices], Videos]
    write: Callable[[PathLike, Mapping[str, Truth]], None]
    frames: bool = False
    clock: bool = False


def _events(videos: Mapping[str, Truth]) -> dict[str, Events]:
    return {video: truth.events for video, truth in videos.items()}


_SELECTIONS = ".selections.txt"
_LONG_ENDINGS = (ENDING, _SELECTIONS, resolve.ENDING, premiere.ENDING, youtube.ENDING)
_WORKBOOKS = (".xlsx", ".xls", ".ods", ".numbers")
_BESIDE = re.compile(r"BirdNET.*(\.list\.txt|params\.csv)|(features\.)?failed\.csv", re.IGNORECASE)  # lists, settings

FORMATS: Mapping[str, Format] = {
    "activitynet": Format(
        "ActivityNet results", (ENDING, ".json"), True, True, read_results, write_results, clock=True
    ),
    "activitynet-truth": Format(
        "ActivityNet annotations", (".json",), True, False, lambda p, _: activitynet.read_truth(p), write_annotations
    ),
    "csv": Format(
        "a table",
        (".csv", ".tsv", ".tab"),
        True,
        True,
        lambda p, c: read_table(p, fps=c.fps),
        write_table,
        clock=True,
    ),
    "csv-truth": Format(
        "a table of annotations", (".csv",), True, False, lambda p, c: read_csv_truth(p, c.fps), write_csv_truth
    ),
    "verdicts": Format(
        "verdicts on events",
        (".csv", ".json"),
        True,
        True,
        lambda p, _: read_verdicts_truth(p),
        write_verdicts_truth,
    ),
    "dcase": Format("DCASE", (".tsv",), True, False, lambda p, _: read_dcase(p), write_dcase),
    "audioset": Format("AudioSet", (".tsv",), True, False, lambda p, _: read_dcase(p), write_audioset),
    "audacity": Format("Audacity labels", (".txt",), False, False, lambda p, _: read_audacity(p), write_audacity),
    "raven": Format(
        "Raven selections", (_SELECTIONS, ".txt"), False, True, lambda p, _: raven.read_raven(p), raven.write_raven
    ),
    "webvtt": Format("WebVTT", (".vtt",), False, True, lambda p, _: read_webvtt(p), write_webvtt),
    "srt": Format("SRT", (".srt",), False, False, lambda p, _: read_srt(p), write_srt),
    "elan": Format("ELAN", (".eaf",), False, False, lambda p, c: read_elan(p, c.tiers), write_elan),
    "praat": Format(
        "Praat", (praat.ENDING,), False, False, lambda p, c: praat.read_praat(p, c.tiers), praat.write_praat
    ),
    "rttm": Format("RTTM", (".rttm",), True, True, lambda p, _: read_rttm(p), write_rttm),
    "label-studio": Format("Label Studio", (".json",), True, True, read_label_studio, write_label_studio),
    "via": Format("VIA 3", (".json",), True, False, lambda p, _: read_via(p), write_via),
    "fiftyone": Format("FiftyOne", (".json",), True, True, read_fiftyone, write_fiftyone),
    "edl": Format("an EDL", (".edl",), False, True, read_edl, write_edl, frames=True, clock=True),
    "resolve": Format(
        "markers of Resolve",
        (resolve.ENDING, ".edl"),
        False,
        True,
        read_resolve,
        write_resolve,
        frames=True,
        clock=True,
    ),
    "premiere": Format(
        "markers of Premiere", (premiere.ENDING,), False, True, read_premiere, write_premiere, frames=True, clock=True
    ),
    "otio": Format("OpenTimelineIO", (".otio",), False, True, read_otio, write_otio, frames=True, clock=True),
    "fcpxml": Format(
        "Final Cut Pro XML", (".fcpxml",), False, True, read_fcpxml, write_fcpxml, frames=True, clock=True
    ),
    "ffmetadata": Format(
        "FFmpeg's chapters", (".ffmeta",), False, False, lambda p, _: read_ffmetadata(p), write_ffmetadata
    ),
    "youtube": Format("YouTube's chapters", (youtube.ENDING,), False, False, refuse_youtube, write_youtube),
}


_TIERS = {"elan": elan.tier_names, "praat": praat.tier_names}


def read_truth(path: PathLike, format: str | None = None, choices: Choices | None = None) -> Videos:
    """The videos of a file of any format, or of all such files below a folder; their order is that of the files.

    format: a name of FORMATS; without it the ending tells, and what the file holds.
    choices: what to read where a file holds more, and the frame rate of those that count frames.
    Of a folder, files that end in .events.json are read, or else those of formats of one video a file, or else tables
    and the others. A video is named by the folders below it, too: north/rec1.

    Raises:
        FormatError: a file cannot be read or is odd, its format cannot be told, or a video stands in two files.
    """
    chosen = choices or Choices()
    folder = Path(path)
    files = files_below(folder, format) if folder.is_dir() else [folder]
    forms = {file: format or sniff(file) for file in files}
    if chosen.tiers:
        require_tiers({file: _TIERS[forms[file]](file) for file in files if forms[file] in _TIERS}, chosen.tiers)
    found = {file: named(forms[file]).read(file, chosen) for file in files}
    return below(folder, found) if folder.is_dir() else found[folder]


def read_events(path: PathLike, format: str | None = None, choices: Choices | None = None) -> dict[str, Events]:
    """As `read_truth`, the events alone."""
    return _events(read_truth(path, format, choices))


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
    """What the files of a folder hold, by name and the folders below it: north/rec1.

    That is what detection calls them in its own table of a results folder.

    Raises:
        FormatError: a video stands in two files of one folder.
    """

    def place(file: Path, video: str) -> str:
        inside = file.parent.relative_to(folder).as_posix()
        return video if inside == "." else f"{inside}/{video}"

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
    if len(candidates) == 1 or str(path).lower().endswith(_LONG_ENDINGS):
        return candidates[0]
    found = format_of_content(path)
    if found is None:
        raise FormatError(
            f"{path}: what it holds is of no known format with the ending {Path(path).suffix.lower()} "
            f"({', '.join(candidates)}); turn it into one by avloc convert --from FORMAT, where you know its format"
        )
    return found


def _of_ending(path: PathLike) -> list[str]:
    name = Path(path).name.lower()
    for ending in (*_LONG_ENDINGS, Path(name).suffix):
        found = [key for key, f in FORMATS.items() if ending in f.endings and name.endswith(ending)]
        if found:
            return found
    endings = ", ".join(dict.fromkeys(ending for f in FORMATS.values() for ending in f.endings))
    said = "rename it, or name the format to avloc convert, with --from or --to"
    if Path(name).suffix in _WORKBOOKS:
        said = "save the sheet as CSV in UTF-8 and give that"
    raise FormatError(f"{path}: its ending is of no known format ({endings}); {said}")


def files_below(folder: Path, format: str | None = None) -> list[Path]:
    """The files of a folder that are read, at any depth.

    Raises:
        FormatError: there is none, or a folder may not be read.
    """
    endings = named(format).endings if format else (ENDING,)
    one_video = tuple(ending for f in FORMATS.values() if not f.several for ending in f.endings)
    others = tuple(ending for f in FORMATS.values() if f.several for ending in f.endings)
    problems: list[str] = []
    inside = [file for file in files_in(folder, problems.append) if _is_file_of_events(file)]
    if problems:
        raise FormatError(problems[0])
    for wanted in (endings, *(() if format else (one_video, others))):
        files = [file for file in inside if file.name.lower().endswith(wanted)]
        if files:
            return files
    looked = f"file that ends in {' or '.join(endings)}"
    if not format:
        looked = f"result of avloc detect (NAME{ENDING}) and no file of labels of another format (docs/formats.md)"
    raise FormatError(f"{folder}: holds no {looked}; name a file, or such a folder")


def _is_file_of_events(path: Path) -> bool:
    """Not what programs put beside their tables, nor hidden files."""
    return not path.name.startswith(".") and not _BESIDE.fullmatch(path.name)
