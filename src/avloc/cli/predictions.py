"""Paths on the command line > detections by video, and the truth they are held against."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from avloc.cli.inputs import MEDIA
from avloc.errors import FormatError
from avloc.events import Events
from avloc.formats.activitynet import read_results
from avloc.formats.csv import read_table
from avloc.formats.files import ENDING as ENDING
from avloc.formats.files import below, named, read_truth, sniff
from avloc.formats.truth import Truth

TABLES = (".csv", ".tsv", ".tab")
_PICKLES = (".pkl", ".pickle", ".pt", ".pth")
_SOUND = frozenset((".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav"))
_PREFIX = "v_"  # what ActivityNet's own names begin with; some programs put it before every name


@dataclass
class Against:
    """Detections and the truth of a split, by video, and what a reader should know of how they fit.

    Attributes:
        detections: By video, the videos outside the split among them.
        truth: By video, those without events among them.
        durations_s: Lengths of the videos of the truth; infinite where the truth does not tell.
        odd: Entries that are no event; they were left out.
        notes: What was left out or is missing, a line each.
        videos_without_predictions: Those that are missing, and those whose list is empty.
    """

    detections: dict[str, Events]
    truth: dict[str, Events]
    durations_s: dict[str, float]
    odd: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    videos_without_predictions: int = 0
    predictions_of_unknown_videos: int = 0
    predictions_of_unknown_labels: int = 0


def read_predictions(path: Path, on_odd: Callable[[str], None] | None = None) -> dict[str, Events]:
    """Detections of a file of any format, or all NAME.events.json below a folder.

    on_odd: is told of each entry that is no event, which is then left out; without it that is an error.

    Raises:
        FormatError: a file cannot be read, the folder holds none, or a video stands in two files.
    """
    if not path.is_dir():
        return _read_file(path, on_odd)
    files = sorted(path.rglob(f"*{ENDING}"))
    if not files:
        raise FormatError(
            f"{path}: holds no file that ends in {ENDING}; give a JSON file of detections or such a folder"
        )
    return below(path, {file: read_results(file, on_odd) for file in files})


def read_against(
    predictions: Path, truth: Path, split: str | None = None, *, strict: bool = False, split_only: bool = False
) -> Against:
    """Detections beside the truth of a split (None: of all).

    strict: what would be a note is an error.
    split_only: leave detections of videos outside the split out.

    Raises:
        FormatError: a file cannot be read, nothing in the two fits, or `strict` finds something odd.
    """
    known = read_truth(truth)
    chosen = _of_split(known, split, truth)
    odd: list[str] = []
    detections = read_predictions(predictions, None if strict else odd.append)
    if odd and not any(map(len, detections.values())):
        raise FormatError(f"none of the {len(odd)} entries is an event; the first: {odd[0]}")
    renamed = _named_as(detections, known)
    held = Against(
        renamed,
        {video: entry.events for video, entry in chosen.items()},
        {video: entry.duration_s for video, entry in chosen.items()},
        odd,
    )
    _require_common(held, predictions, truth)
    if odd:
        held.notes.append(f"{counted(len(odd), 'entry', 'entries')} left out that are no events; the first: {odd[0]}")
    if split_only:
        held.detections = {video: events for video, events in renamed.items() if video in chosen}
    _note_videos(held)
    _note_labels(held, {label for entry in known.values() for label in entry.events.labels})
    if strict and held.notes:
        raise FormatError(f"{predictions}: {held.notes[0]}; --strict refuses that")
    return held


def _read_file(path: Path, on_odd: Callable[[str], None] | None) -> dict[str, Events]:
    ending = path.suffix.lower()
    if ending in _PICKLES:
        raise FormatError(
            f"{path} is a pickle, and reading a pickle runs code that is in it; "
            "where you trust it, write its columns to a CSV file (video,start,end,label,score) and give that"
        )
    if ending in MEDIA | _SOUND:
        raise FormatError(
            f"{path} is a media file, and predictions are wanted: what `avloc detect --all` writes, or another format"
        )
    if not path.exists():
        raise FormatError(f"{path} cannot be read (it does not exist); name a file of predictions")
    if path.name.lower().endswith(ENDING):
        return read_results(path, on_odd)
    if ending == ".csv":
        return read_table(path, on_odd)
    form = sniff(path)
    if form.startswith("activitynet"):
        return read_results(path, on_odd)
    if form == "csv":
        return read_table(path, on_odd)
    return {video: truth.events for video, truth in named(form).read(path, None).items()}


def _of_split(known: Mapping[str, Truth], split: str | None, path: Path) -> dict[str, Truth]:
    chosen = {video: entry for video, entry in known.items() if split in (None, entry.subset)}
    if not chosen:
        subsets = ", ".join(sorted({entry.subset for entry in known.values()} - {""}))
        if not subsets:
            raise FormatError(f"{path}: names no split; leave --split out" if known else f"{path}: holds no video")
        raise FormatError(f"{path}: no video is of split {split!r}; the splits there are: {subsets}")
    return chosen


def _named_as(detections: dict[str, Events], known: Mapping[str, Truth]) -> dict[str, Events]:
    """Detections under the names of the truth, where these differ by a media file's ending, the prefix or folders."""
    renamed: dict[str, str] = {}
    for plain in (_plain, _without_folders):
        strange = _by(plain, (video for video in detections if video not in known and video not in renamed))
        taken = {*detections, *renamed.values()}
        other = _by(plain, (video for video in known if video not in taken))
        renamed |= {video: other[name] for name, video in strange.items() if name in other}
    return {renamed.get(video, video): events for video, events in detections.items()}


def _by(plain: Callable[[str], str], videos: Iterable[str]) -> dict[str, str]:
    """Names by what `plain` leaves of them, where no two are left the same."""
    names = {video: plain(video) for video in videos}
    count = Counter(names.values())
    return {name: video for video, name in names.items() if count[name] == 1}


def _plain(video: str) -> str:
    folder, stroke, name = unicodedata.normalize("NFC", video).replace("\\", "/").rpartition("/")
    ending = PurePosixPath(name).suffix
    if ending.lower() in MEDIA | _SOUND:
        name = name.removesuffix(ending)
    return folder + stroke + name.removeprefix(_PREFIX)


def _without_folders(video: str) -> str:
    return _plain(video).rsplit("/", 1)[-1]


def _require_common(held: Against, predictions: Path, truth: Path) -> None:
    if held.detections and held.truth and not held.detections.keys() & held.truth.keys():
        raise FormatError(
            f"{predictions} and {truth} have no video in common: "
            f"the one names {_some(held.detections)}, the other {_some(held.truth)}"
        )


def _some(videos: Iterable[str]) -> str:
    names = [repr(video) for video in videos]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _note_videos(held: Against) -> None:
    missing = [video for video in held.truth if video not in held.detections]
    held.videos_without_predictions = sum(not len(held.detections.get(video, ())) for video in held.truth)
    if not any(map(len, held.truth.values())):
        held.notes.append("the truth has no event: mAP says nothing")
    if missing:
        share = 100 * len(missing) / len(held.truth)
        held.notes.append(
            f"{len(missing)} of {counted(len(held.truth), 'video')} ({share:.1f} %) "
            f"{'is' if len(missing) == 1 else 'are'} not in the predictions; "
            f"the first: {missing[0]!r}"
        )
    strange = [video for video in held.detections if video not in held.truth]
    held.predictions_of_unknown_videos = count = sum(len(held.detections[video]) for video in strange)
    if strange:
        held.notes.append(
            f"{counted(count, 'prediction')} for {counted(len(strange), 'video')} outside the truth (the first: "
            f"{strange[0]!r}) count as false; --split-only leaves them out"
        )


def _note_labels(held: Against, known: set[str]) -> None:
    strange: dict[str, int] = {}
    for events in held.detections.values():
        for label in events.labels:
            if label not in known:
                strange[label] = strange.get(label, 0) + 1
    held.predictions_of_unknown_labels = count = sum(strange.values())
    if strange:
        held.notes.append(
            f"{counted(count, 'prediction')} with {counted(len(strange), 'label')} unknown to the truth (the first: "
            f"{next(iter(strange))!r}) left out"
        )


def counted(count: int, one: str, more: str | None = None) -> str:
    """Such as "1 video" and "2 videos"."""
    return f"{count} {one if count == 1 else more or one + 's'}"
