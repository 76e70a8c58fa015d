"""Paths on the command line > detections by video, of whatever program wrote them: the one reader of all verbs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from avloc.cli.inputs import MEDIA
from avloc.errors import FormatError
from avloc.events import Events
from avloc.formats.activitynet import LabelOf, detections_of
from avloc.formats.csv import read_table
from avloc.formats.files import below, files_below, named, sniff
from avloc.formats.media_names import SOUND_ENDINGS
from avloc.formats.result_arrays import are_arrays, as_json, events_of_arrays
from avloc.formats.strict_json import as_text, load_json
from avloc.formats.truth import Choices, Odd
from avloc.scale.shown import require_one_setting

_PICKLES = (".pkl", ".pickle")
_TORCH = (".pt", ".pth", ".tar")


@dataclass(frozen=True, slots=True)
class Predictions:
    """Detections by video, and the score from which they are shown, where all files tell the same."""

    events: dict[str, Events]
    show_score: float | None


def read_predictions(
    path: Path,
    odd: Odd | None = None,
    choices: Choices | None = None,
    label_of: LabelOf = as_text,
    *,
    unscored: bool = False,
) -> Predictions:
    """Detections of a file of any format, or of a folder: all NAME.events.json, or else its files of labels.

    odd: is told of each entry that is no event; without it that is an error.
    label_of: what a label means that stands in JSON; without it a label that is no text is odd.
    unscored: a detection in JSON without a score has score 1; else it is odd.

    Raises:
        FormatError: a file cannot be read, the folder holds none, results of different settings, or a video stands in
            two files.
    """
    chosen = choices or Choices()
    if not path.is_dir():
        return _read_file(path, odd, chosen, label_of, unscored)
    inside = files_below(path)
    require_one_setting(path, inside)
    files = {file: _read_file(file, odd, chosen, label_of, unscored) for file in inside}
    scores = {found.show_score for found in files.values()}
    found = below(path, {file: found.events for file, found in files.items()})
    return Predictions(found, scores.pop() if len(scores) == 1 else None)


def _read_file(path: Path, odd: Odd | None, choices: Choices, label_of: LabelOf, unscored: bool) -> Predictions:
    _require_readable(path)
    content = load_json(path) if path.suffix.lower() == ".json" else None
    if are_arrays(content):
        return Predictions(events_of_arrays(content, path, odd, label_of), None)
    form = "activitynet" if isinstance(content, dict) and "results" in content else sniff(path)
    if form.startswith("activitynet"):
        events, about = detections_of(content, path, odd, label_of, unscored=unscored)
        score = about.get("show_score")
        told = isinstance(score, int | float) and not isinstance(score, bool)
        return Predictions(events, float(score) if told and score is not None else None)
    # Only detections may be odd here and there: what people label is mended, not left out.
    videos = read_table(path, odd, choices.fps) if form == "csv" else named(form).read(path, choices)
    return Predictions({video: truth.events for video, truth in videos.items()}, None)


def _require_readable(path: Path) -> None:
    ending = path.suffix.lower()
    if ending in MEDIA | SOUND_ENDINGS:
        raise FormatError(
            f"{path} is a media file, and predictions are wanted: what `avloc detect --all` writes, or another format"
        )
    if ending in _TORCH:
        raise FormatError(
            f"{path} is a file of torch, and predictions are wanted: "
            "write them as JSON, or as a CSV file (video,start,end,label,score)"
        )
    if not path.exists():
        raise FormatError(f"{path} cannot be read (it does not exist); name a file of predictions")
    if ending in _PICKLES:
        error = FormatError(
            f"{path} is a pickle, and reading a pickle runs code that is in it; "
            "where you trust it, turn it into JSON with these lines of Python, and give that"
        )
        error.program = as_json(path)
        raise error


def counted(count: int, one: str, more: str | None = None) -> str:
    """Such as "1 video" and "2 videos"."""
    return f"{count} {one if count == 1 else more or one + 's'}"
