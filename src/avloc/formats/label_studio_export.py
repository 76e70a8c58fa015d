"""Exports of Label Studio > events: JSON and JSON-MIN, of any version since 1.0, and the completions of those before.

    task > data: one address of a media file      task > annotations, one an annotator > result: regions
                                                  task > predictions, one a model      > result: regions
    JSON-MIN: an object an annotation: the data, a list of values for each control, "annotator", "annotation_id"

Regions of time are read: "labels" on sound (seconds), "timeserieslabels" (seconds, where the series counts them) and
"timelinelabels" on video, which are frames from 1 on: their rate is the task's data "fps", or is given. Everything
else is left out: choices, texts, boxes and their copies without ranges that Label Studio puts among timeline labels,
and regions that have no label.

Of a task one answer is read: of annotations where it has some, else of predictions. Skipped ones are none: a task
that was only skipped is left out. Of several the annotator who is named counts, or the one marked as ground truth; of
the same annotator, the newest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.media_names import SOUND_ENDINGS, VIDEO_ENDINGS, address_path, names_of
from avloc.formats.strict_json import as_list, as_number, as_object, as_text, field, load_json
from avloc.formats.text import PathLike, labelled
from avloc.formats.truth import Choices, Truth

_MEDIA = ("video", "audio", "video_url", "audio_url", "videoSource", "url", "file")
_UPLOADED = re.compile(r"[0-9a-f]{8}-")  # what Label Studio puts before the name of an uploaded file
_ANSWERS = ("annotations", "completions", "predictions")
_KINDS = ("labels", "timeserieslabels", "timelinelabels")
_LONGEST_S = 1e7  # four months: larger numbers are dates, counted from 1970

Fields = dict[str, Any]


def read_label_studio(path: PathLike, choices: Choices) -> dict[str, Truth]:
    """Segments by task, under the name of the task's media file without its ending.

    Raises:
        FormatError: the file cannot be read or is not in the form above, a video stands in two tasks, a task has
            answers of several and none is chosen, or the frame rate is needed and not known.
    """
    tasks = list(_tasks(path))
    places = [_place(data, where) for where, _, data in tasks]
    names = names_of(places)
    videos: dict[str, Truth] = {}
    for (where, task, data), place in zip(tasks, places, strict=True):
        video = names[place]
        if video in videos:
            raise FormatError(f"{where}: video {video!r} stands in a task before; keep one of the two")
        regions = _regions(task, where, choices.annotator)
        if regions is None:
            continue
        rate = as_number(data["fps"], f'{where}, "fps"') if "fps" in data else choices.fps
        events = Events.of(event for at, region in regions for event in _region(region, at, rate))
        videos[video] = Truth.of(events, _duration_s(data, regions, where))
    if tasks and not videos and choices.annotator is not None:
        raise FormatError(f"{path}: no task has an answer of {choices.annotator!r}; leave --annotator out")
    return videos


def _tasks(path: PathLike) -> Iterator[tuple[str, Fields, Fields]]:
    """The words that begin an error on a task, the task, and its data."""
    rows = as_list(load_json(path), str(path))
    for i, task in enumerate(_whole(rows) if all(map(is_min, rows)) else rows):
        where = f"{path}, task {i}"
        fields = as_object(task, where, 'an object with "data" and "annotations"')
        yield where, fields, as_object(field(fields, "data", where), f'{where}, "data"', "an object")


def is_min(row: object) -> bool:
    """Whether an entry of a list is one of JSON-MIN: an annotation with the data of its task."""
    return isinstance(row, dict) and "annotation_id" in row and "data" not in row


def _whole(rows: list[Fields]) -> list[Fields]:
    """The tasks of JSON-MIN, each with all of its annotations."""
    tasks: dict[object, Fields] = {}
    for number, row in enumerate(rows):
        values = [value for held in row.values() if isinstance(held, list) for value in held]
        regions = [
            {"type": kind, "value": value}
            for value in values
            for kind in _KINDS
            if isinstance(value, dict) and kind in value
        ]
        task = tasks.setdefault(row.get("id", f"row {number}"), {"data": row, "annotations": []})
        task["annotations"].append(
            {"completed_by": row.get("annotator"), "updated_at": row.get("updated_at"), "result": regions}
        )
    return list(tasks.values())


def _place(data: Mapping[str, Any], where: str) -> PurePosixPath:
    """The path of a task's media file."""
    usual = [key for key in _MEDIA if key in data]
    others = [key for key, value in data.items() if isinstance(value, str) and _is_media(value)]
    if not usual and len(others) != 1:
        raise FormatError(f'{where}: "data" names no media file; one of {", ".join(_MEDIA)} is needed')
    key = (usual or others)[0]
    path = address_path(as_text(data[key], f'{where}, "{key}"'))
    if "upload" in path.parts[:-1]:
        path = path.with_name(_UPLOADED.sub("", path.name, count=1) or path.name)
    return path


def _is_media(value: str) -> bool:
    return address_path(value).suffix.lower() in VIDEO_ENDINGS | SOUND_ENDINGS


def _regions(task: Fields, where: str, annotator: str | None) -> list[tuple[str, Fields]] | None:
    """The regions of the answer that counts; [] where nobody answered, None where it was skipped or is another's."""
    made = next((key for key in _ANSWERS if task.get(key)), None)
    if made is None:
        return []
    given = [
        (f"{where}, {made} {i}", as_object(answer, f"{where}, {made} {i}", 'an object with "result"'))
        for i, answer in enumerate(as_list(task[made], f'{where}, "{made}"'))
    ]
    answers = [(at, answer) for at, answer in given if not (answer.get("was_cancelled") or answer.get("skipped"))]
    if annotator is not None:
        answers = [(at, answer) for at, answer in answers if annotator in _names(answer)]
    if not answers:
        return None
    at, chosen = _chosen(answers, where)
    regions = enumerate(as_list(field(chosen, "result", at), at))
    return [(f"{at}, region {j}", as_object(region, f"{at}, region {j}", "an object")) for j, region in regions]


def _chosen(answers: list[tuple[str, Fields]], where: str) -> tuple[str, Fields]:
    """One of several answers."""
    marked = [answer for answer in answers if answer[1].get("ground_truth")] or answers
    names = [next(iter(_names(answer)), "") for _, answer in marked]
    if len(marked) == 1 or (len(set(names)) == 1 and names[0]):
        # Later ones stand behind: of equal times the last is the newest.
        return max(enumerate(marked), key=lambda entry: (_time(entry[1][1]), entry[0]))[1]
    said = ", ".join(name or "unknown" for name in names)
    raise FormatError(
        f"{where}: has {len(marked)} answers, of {said}; name one of these (avloc convert --annotator), "
        "mark one as ground truth in Label Studio, or keep one in the file"
    )


def _names(answer: Fields) -> list[str]:
    """What an annotator, or a model, may be called by: number, address, name."""
    who = answer.get("completed_by", answer.get("model_version"))
    if isinstance(who, dict):
        told = [who.get("id"), who.get("email"), who.get("username")]
        told.append(" ".join(filter(None, (who.get("first_name"), who.get("last_name")))))
    else:
        told = [who]
    return [str(name) for name in told if name not in (None, "")]


def _time(answer: Fields) -> str:
    """When an answer was last changed."""
    return str(answer.get("updated_at") or answer.get("created_at") or "")


def _duration_s(data: Fields, regions: list[tuple[str, Fields]], where: str) -> float:
    """The length of the task's media file, as its data or its regions tell."""
    if "duration" in data:
        return as_number(data["duration"], f'{where}, "duration"')
    for _, region in regions:
        told = region.get("original_length")
        if isinstance(told, int | float) and 0 < told < math.inf:
            return float(told)
    return math.inf


def _region(region: Fields, where: str, fps: float | None) -> Iterator[Event]:
    kind = str(region.get("type"))
    if kind not in _KINDS:
        return  # choices, texts, boxes, relations: not segments of time
    value = as_object(field(region, "value", where), where, "an object")
    if not _is_of_time(kind, value):
        return
    named = value.get(kind) or ()
    labels = [as_text(label, where) for label in as_list(named, where)] if named else []
    if not labels:
        return
    score = as_number(region["score"], f'{where}, "score"') if region.get("score") is not None else 1.0
    spans = _ranges(value, where, fps) if kind == "timelinelabels" else [_span(value, where)]
    for start_s, end_s in spans:
        if kind == "timeserieslabels" and max(abs(start_s), abs(end_s)) > _LONGEST_S:
            raise FormatError(f"{where}: {start_s:.0f} is a date; a series that counts seconds from 0 on is needed")
        for label in labels:
            yield labelled(start_s, end_s, label, where, score)


def _is_of_time(kind: str, value: Fields) -> bool:
    """Whether a region has a time, rather than being a box, a stretch of text, or the remains of one."""
    if kind == "timelinelabels":
        return bool(value.get("ranges"))
    ends = [value[key] for key in ("start", "end") if key in value]
    return bool(ends) and None not in ends and "text" not in value and "startOffset" not in value


def _span(value: Mapping[str, Any], where: str) -> tuple[float, float]:
    return as_number(field(value, "start", where), where), as_number(field(value, "end", where), where)


def _ranges(value: Mapping[str, Any], where: str, fps: float | None) -> Iterator[tuple[float, float]]:
    if fps is None or not fps > 0:
        raise FormatError(f"{where}: holds frames, not seconds; say how many a second has (avloc convert --fps 25)")
    for span in as_list(field(value, "ranges", where), where):
        start, end = _span(as_object(span, where, 'an object with "start" and "end"'), where)
        yield (start - 1) / fps, end / fps
