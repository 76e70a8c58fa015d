"""Label Studio tasks (JSON) <-> events of many videos: segments of time on the sound, in seconds, with scores.

    [{"data": {"video": "a"}, "predictions": [{"model_version": "avloc", "result": [
       {"type": "labels", "from_name": "label", "to_name": "audio", "id": "1", "score": 0.93,
        "value": {"start": 1.52, "end": 5.03, "channel": 0, "labels": ["dog barking"]}}]}]}]

That is the form of an import with predictions for a labelling interface in which <Labels name="label"> lie on
<Audio name="audio" value="$video" sync="video"> beside <Video name="video" value="$video">. What is read of exports
is told in `avloc.formats.label_studio_export`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from avloc.files import replace_file
from avloc.formats.label_studio_export import read_label_studio as read_label_studio
from avloc.formats.strict_json import dump_json
from avloc.formats.text import PathLike, encoded
from avloc.formats.truth import Truth


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
