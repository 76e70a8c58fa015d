"""What is only seen, or only heard, in a video: the field "other_events" of annotations in ActivityNet's form.

    {"database": {video: {..., "annotations": [...],
                          "other_events": [{"segment": [start_s, end_s], "label": ..., "modality": "A"}]}}}

"V" is seen only (a silent object), "A" is heard only (a sound from outside the picture), "AV" is both, but no class
of the data set. None of them is an event to be found.
"""

from __future__ import annotations

from dataclasses import dataclass

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.activitynet import _event, _videos, _where
from avloc.formats.strict_json import as_list, as_object, field
from avloc.formats.text import PathLike

KEY = "other_events"
MODALITIES = ("A", "V", "AV")


@dataclass(frozen=True, slots=True)
class Distractors:
    """The distractors of one video."""

    seen_only: Events
    heard_only: Events


def read_distractors(path: PathLike) -> dict[str, Distractors]:
    """The distractors of every video that has the field, be it empty; other videos are unknown and left out.

    Raises:
        FormatError: the file cannot be read or is not in the form above.
    """
    found = {}
    for video, entry in _videos(path, "database").items():
        where = _where(path, video)
        fields = as_object(entry, where, "an object with one entry per field")
        if KEY in fields:
            found[video] = _distractors(fields[KEY], f'{where}, "{KEY}"')
    return found


def _distractors(rows: object, where: str) -> Distractors:
    events: dict[str, list[Event]] = {modality: [] for modality in MODALITIES}
    for i, row in enumerate(as_list(rows, where)):
        place = f"{where}, entry {i}"
        event = _event(row, place, scored=False)
        modality = field(as_object(row, place, "an object"), "modality", place)
        if modality not in MODALITIES:
            raise FormatError(
                f'{place}: "modality" is {modality!r}; "A" (heard only), "V" (seen only) or "AV" is needed'
            )
        events[str(modality)].append(event)
    return Distractors(Events.of(events["V"]), Events.of(events["A"]))
