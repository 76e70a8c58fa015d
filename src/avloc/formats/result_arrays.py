"""Detections in the columns that ActionFormer and its kin write (TriDet, UnAV, UniAV, CCNet), as JSON.

    {"video-id": ["a", "a"], "t-start": [1.5, 4.0], "t-end": [3.0, 9.0], "label": [7, 7], "score": [0.9, 0.2]}

Times are seconds; labels are the "label_id" of the annotations, or names. Those programs keep the dictionary as a
pickle (eval_results.pkl), which avloc does not read; `as_json` is the program that turns it into this.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Events
from avloc.formats.activitynet import LabelOf, scored_events
from avloc.formats.strict_json import as_list, as_object, as_text
from avloc.formats.text import PathLike
from avloc.formats.truth import Odd

COLUMNS = ("video-id", "t-start", "t-end", "label", "score")


def are_arrays(content: object) -> bool:
    """Whether the content of a JSON file has the columns."""
    return isinstance(content, dict) and set(COLUMNS) <= content.keys()


def events_of_arrays(
    content: object, path: PathLike, odd: Odd | None = None, label_of: LabelOf = as_text
) -> dict[str, Events]:
    """Detections by video, in the order of the columns; a video's entries are counted by themselves.

    odd: is told of each entry that is no event; without it that is an error.
    label_of: what a label means; without it a label that is no text is odd.

    Raises:
        FormatError: a column is no list or of another length than the first, or a video has no name.
    """
    top = as_object(content, str(path), f"an object with {', '.join(COLUMNS)}")
    columns = [as_list(top[name], f'{path}: "{name}"') for name in COLUMNS]
    for name, column in zip(COLUMNS, columns, strict=True):
        if len(column) != len(columns[0]):
            raise FormatError(
                f'{path}: "{name}" has {len(column)} entries for {len(columns[0])} of "{COLUMNS[0]}"; '
                "give one per detection"
            )
    names = _names(columns[3], path, label_of)
    videos: dict[str, list[dict[str, object]]] = {}
    for i, (video, start_s, end_s, label, score) in enumerate(zip(*columns, strict=True)):
        if type(video) is not str or not video:
            as_text(video, f'{path}: "{COLUMNS[0]}", entry {i}')
        named = names.get(label, label) if type(label) in (int, float, str) else label
        row = {"segment": [start_s, end_s], "label": named, "score": score}
        videos.setdefault(video, []).append(row)
    return {video: scored_events(rows, path, video, odd, label_of) for video, rows in videos.items()}


def as_json(path: Path) -> tuple[str, ...]:
    """Three lines of Python that turn a pickle of the columns into a JSON file beside it."""
    return (
        "import json, pickle, numpy",
        f"columns = pickle.load(open({str(path)!r}, 'rb'))",
        "json.dump({name: numpy.asarray(column).tolist() for name, column in columns.items()}, "
        f"open({str(path.with_suffix('.columns.json'))!r}, 'w'))",
    )


def _names(labels: list[object], path: PathLike, label_of: LabelOf) -> Mapping[object, object]:
    """The class of each label that has one; what has none is told entry by entry, where it stands."""
    names: dict[object, object] = {}
    for label in {label for label in labels if type(label) in (int, float, str)}:
        try:
            names[label] = label_of(label, str(path))
        except FormatError:
            continue
    return names
