"""Label Studio tasks (JSON) <-> events of many videos: segments of time on the sound, in seconds, with scores.

    [{"data": {"video": "a"}, "predictions": [{"model_version": "avloc", "result": [
       {"type": "labels", "from_name": "label", "to_name": "audio", "id": "1", "score": 0.93,
        "value": {"start": 1.52, "end": 5.03, "channel": 0, "labels": ["dog barking"]}}]}]}]

That is the form of an import with predictions for a labelling interface in which <Labels name="label"> lie on
<Audio name="audio" value="$video" sync="video"> beside <Video name="video" value="$video">. Read are exports of such
segments, and of <TimelineLabels>, whose ranges are frames from 1 on: their rate is the task's data "fps", or is
given. Annotations are taken where a task has some, else predictions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.strict_json import as_list, as_number, as_object, as_text, dump_json, field, load_json
from avloc.formats.text import PathLike, encoded, labelled, without_ending
from avloc.formats.truth import Truth

_MEDIA = ("video", "audio", "video_url", "audio_url", "url", "file")
_UPLOADED = re.compile(r"[0-9a-f]{8}-")  # what Label Studio puts before the name of an uploaded file


def read_label_studio(path: PathLike, fps: float | None = None) -> dict[str, Truth]:
    """Segments by task, under the name of the task's media file without its ending.

    fps: frames a second, for ranges of frames in tasks that do not say it.

    Raises:
        FormatError: the file cannot be read or is not in the form above, a video stands in two tasks, or
            the frame rate is needed and not known.
    """
    videos: dict[str, Truth] = {}
    for i, task in enumerate(as_list(load_json(path), str(path))):
        where = f"{path}, task {i}"
        fields = as_object(task, where, 'an object with "data" and "annotations"')
        data = as_object(field(fields, "data", where), f'{where}, "data"', "an object")
        video = _video(data, where)
        if video in videos:
            raise FormatError(f"{where}: video {video!r} stands in a task before; keep one of the two")
        rate = as_number(data["fps"], f'{where}, "fps"') if "fps" in data else fps
        duration_s = as_number(data["duration"], f'{where}, "duration"') if "duration" in data else math.inf
        videos[video] = Truth.of(Events.of(_events(fields, where, rate)), duration_s)
    return videos


def write_label_studio(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one task a video; the events are predictions.

    Raises:
        OutputError: the file cannot be written.
    """
    tasks = ",\n".join(dump_json(_task(video, truth), path, repr(video)) for video, truth in videos.items())
    replace_file(path, encoded(f"[\n{tasks}\n]\n"))


def _task(video: str, truth: Truth) -> dict[str, Any]:
    duration = {} if math.isinf(truth.duration_s) else {"duration": truth.duration_s}
    result = [
        {
            "id": str(number),
            "type": "labels",
            "from_name": "label",
            "to_name": "audio",
            "score": event.score,
            "value": {"start": event.start_s, "end": event.end_s, "channel": 0, "labels": [event.label]},
        }
        for number, event in enumerate(truth.events, 1)
    ]
    return {"data": {"video": video, **duration}, "predictions": [{"model_version": "avloc", "result": result}]}


def _video(data: Mapping[str, Any], where: str) -> str:
    for key in _MEDIA:
        if key in data:
            return media_name(as_text(data[key], f'{where}, "{key}"'))
    raise FormatError(f'{where}: "data" names no media file; one of {", ".join(_MEDIA)} is needed')


def media_name(url: str) -> str:
    """The name of a video by its address, without folders and ending; a plain name is taken as it is."""
    if "/" not in url and "\\" not in url:
        return without_ending(url)
    parts = urlsplit(url)
    local = parse_qs(parts.query).get("d")  # /data/local-files/?d=folder/file.mp4
    name = PurePosixPath(local[0] if local else unquote(parts.path)).name
    if "/upload/" in parts.path:
        name = _UPLOADED.sub("", name, count=1)
    return without_ending(name) or url


def _events(task: Mapping[str, Any], where: str, fps: float | None) -> Iterator[Event]:
    made = next((key for key in ("annotations", "predictions") if task.get(key)), None)
    for i, answer in enumerate(as_list(task[made], f'{where}, "{made}"') if made else ()):
        at = f"{where}, {made} {i}"
        fields = as_object(answer, at, 'an object with "result"')
        if fields.get("was_cancelled"):
            continue
        for j, region in enumerate(as_list(field(fields, "result", at), at)):
            yield from _region(as_object(region, f"{at}, region {j}", "an object"), f"{at}, region {j}", fps)


def _region(region: Mapping[str, Any], where: str, fps: float | None) -> Iterator[Event]:
    kind = region.get("type")
    if kind not in ("labels", "timelinelabels"):
        return  # choices, texts, boxes: not segments of time
    value = as_object(field(region, "value", where), where, "an object")
    score = as_number(region["score"], f'{where}, "score"') if region.get("score") is not None else 1.0
    labels = [as_text(label, where) for label in as_list(field(value, str(kind), where), where)]
    for start_s, end_s in _spans(value, where, fps) if kind == "timelinelabels" else [_span(value, where)]:
        for label in labels:
            yield labelled(start_s, end_s, label, where, score)


def _span(value: Mapping[str, Any], where: str) -> tuple[float, float]:
    return as_number(field(value, "start", where), where), as_number(field(value, "end", where), where)


def _spans(value: Mapping[str, Any], where: str, fps: float | None) -> Iterator[tuple[float, float]]:
    if fps is None or not fps > 0:
        raise FormatError(f"{where}: holds frames, not seconds; say how many a second has (avloc convert --fps 25)")
    for span in as_list(field(value, "ranges", where), where):
        start, end = _span(as_object(span, where, 'an object with "start" and "end"'), where)
        yield (start - 1) / fps, end / fps
