"""FiftyOne temporal detections (JSON) <-> events of many videos: `labels.json` of FiftyOneTemporalDetectionDataset.

    {"classes": ["dog barking"], "labels": {"a": [{"label": 0, "timestamps": [1.52, 5.03], "confidence": 0.93}]}}

A label is a number into "classes" where these are there, else a text. "support" holds the first and last frame from 1
on in the place of "timestamps"; that takes the frame rate. A video is named by its file without the ending.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.strict_json import as_list, as_number, as_object, as_text, dump_json, field, kind, load_json
from avloc.formats.text import PathLike, encoded, labelled
from avloc.formats.truth import Choices, Truth


def read_fiftyone(path: PathLike, choices: Choices) -> dict[str, Truth]:
    """Events by video; a video without labels (null) has none.

    Raises:
        FormatError: the file cannot be read or is not in the form above; the entry is named.
    """
    top = as_object(load_json(path), str(path), 'an object with "labels"')
    classes = None
    if top.get("classes") is not None:
        classes = [as_text(name, f'{path}: "classes"') for name in as_list(top["classes"], f'{path}: "classes"')]
    videos = {}
    labels = as_object(field(top, "labels", str(path)), f'{path}: "labels"', "an object with one entry per video")
    for video, rows in labels.items():
        where = f"{path}: video {video!r}"
        entries = [] if rows is None else as_list(rows, where)
        events = [_event(row, f"{where}, entry {i}", classes, choices.fps) for i, row in enumerate(entries)]
        videos[video] = Truth.of(Events.of(events))
    return videos


def write_fiftyone(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write events with their scores, and the classes in the order of the alphabet.

    Raises:
        OutputError: the file cannot be written.
    """
    classes = sorted({label for truth in videos.values() for label in truth.events.labels})
    number = {label: i for i, label in enumerate(classes)}
    labels = {video: [_entry(event, number) for event in truth.events] for video, truth in videos.items()}
    content = dump_json({"classes": classes, "labels": labels}, path, "the events")
    replace_file(path, encoded(content + "\n"))


def _entry(event: Event, number: Mapping[str, int]) -> dict[str, Any]:
    times = [event.start_s, event.end_s]
    return {"label": number[event.label], "timestamps": times, "confidence": event.score}


def _event(row: object, where: str, classes: list[str] | None, fps: float | None) -> Event:
    fields = as_object(row, where, 'an object with "label" and "timestamps"')
    score = as_number(fields["confidence"], f'{where}, "confidence"') if fields.get("confidence") is not None else 1.0
    start_s, end_s = _times(fields, where, fps)
    return labelled(start_s, end_s, _label(field(fields, "label", where), where, classes), where, score)


def _label(value: object, where: str, classes: list[str] | None) -> str:
    if classes is None:
        return as_text(value, f'{where}, "label"')
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(classes):
        raise FormatError(f'{where}, "label" is {kind(value)}; a number below {len(classes)} is needed')
    return classes[value]


def _times(fields: Mapping[str, Any], where: str, fps: float | None) -> tuple[float, float]:
    key = "support" if "timestamps" not in fields and "support" in fields else "timestamps"
    pair = [as_number(value, f'{where}, "{key}"') for value in as_list(field(fields, key, where), where)]
    if len(pair) != 2:
        raise FormatError(f'{where}: "{key}" has {len(pair)} numbers; two are needed')
    if key == "timestamps":
        return pair[0], pair[1]
    if fps is None or not fps > 0:
        raise FormatError(f"{where}: holds frames, not seconds; say how many a second has (avloc convert --fps 25)")
    return (pair[0] - 1) / fps, pair[1] / fps
