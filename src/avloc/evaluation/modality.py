"""Which modality misled: false positives that lie on what is only seen, or only heard.

An object that is seen but silent, or a sound from outside the picture, is no audio-visual event. Where a video's
distractors of this sort are known, a false positive on one tells which modality the detector trusted alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.kinds import Kind, Stage, Table
from avloc.evaluation.overlaps import Columns, Index, Mask, columns, pairs
from avloc.events import Events

LEAST_SHARE = 0.5  # of tIoU, or of the detection's length, from which a detection lies on a distractor

_NEITHER, _OTHER, _SAME = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Misled:
    """False positives on distractors of one modality: of the same class, of other classes alone, by Kind (6,).

    distractors: how many there are. gain: by how much mAP, mean over thresholds, grows when the false positives
    on them are taken away.
    """

    distractors: int
    same_label: int
    other_label: int
    kinds: NDArray[np.int64]
    gain: float


@dataclass(frozen=True, slots=True)
class ModalityProfile:
    """The considered false positives of the videos whose distractors are known, and where they lie.

    One that lies on a seen-only and on a heard-only distractor counts for both and in `both`.
    """

    videos: int
    false_positives: int
    seen_only: Misled
    heard_only: Misled
    both: int
    neither: int


def modality_profile(
    table: Table,
    here: Stage,
    stages: Sequence[Stage],
    seen_only: Mapping[str, Events],
    heard_only: Mapping[str, Events],
) -> ModalityProfile:
    """Where false positives at the stage `here` lie; the gain is a mean over `stages`."""
    known = {*seen_only, *heard_only}
    inside = np.array([video in known for video in table.videos], bool)[table.found.video]
    wrong = inside & table.considered & (here.kind != Kind.TRUE)
    places = [_place(table, events) for events in (seen_only, heard_only)]
    misled = [
        Misled(
            distractors=sum(len(part) for part in events.values()),
            same_label=int((wrong & (place == _SAME)).sum()),
            other_label=int((wrong & (place == _OTHER)).sum()),
            kinds=np.bincount(here.kind[wrong & (place != _NEITHER)], minlength=len(Kind)),
            gain=_gain(table, stages, place != _NEITHER),
        )
        for events, place in zip((seen_only, heard_only), places, strict=True)
    ]
    seen, heard = (place != _NEITHER for place in places)
    return ModalityProfile(
        videos=len(known),
        false_positives=int(wrong.sum()),
        seen_only=misled[0],
        heard_only=misled[1],
        both=int((wrong & seen & heard).sum()),
        neither=int((wrong & ~seen & ~heard).sum()),
    )


def _place(table: Table, distractors: Mapping[str, Events]) -> Index:
    """Whether each detection lies on a distractor of its own class, of another one alone, or on none, (D,)."""
    # Distractors may be of classes that have no truth: they get numbers of their own.
    others = sorted({label for events in distractors.values() for label in events.labels} - set(table.labels))
    there = columns(table.videos, [*table.labels, *others], distractors)
    both = pairs(table.found, there)
    on = (both.tiou >= LEAST_SHARE) | (both.shared_s >= LEAST_SHARE * table.found.length_s[both.first])
    place = np.full(len(table.found), _NEITHER)
    np.maximum.at(place, both.first[on], _degree(table.found, there, both.first[on], both.second[on]))
    return place


def _degree(found: Columns, there: Columns, first: Index, second: Index) -> Index:
    return np.where(found.label[first] == there.label[second], _SAME, _OTHER)


def _gain(table: Table, stages: Sequence[Stage], on: Mask) -> float:
    wrong = on & table.considered
    return float(np.mean([table.gain(stage, wrong & (stage.kind != Kind.TRUE)) for stage in stages]))
