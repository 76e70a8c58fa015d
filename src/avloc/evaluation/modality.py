"""Which modality misled: false positives that lie on what is only seen, or only heard.

An object that is seen but silent, or a sound from outside the picture, is no audio-visual event. Where a video's
distractors of this sort are known, a false positive on one tells which modality the detector trusted alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.columns import Columns, Index, columns_by_video
from avloc.evaluation.kinds import BANDS, Kind, Stage, Table
from avloc.evaluation.overlaps import Mask, pairs
from avloc.events import Events

Counts = NDArray[np.int64]

LEAST_SHARE = 0.5  # of its length, from which a detection lies on a distractor; a tIoU of 0.5 implies it

_NEITHER, _OTHER, _SAME = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Misled:
    """False positives on distractors of one modality: of their own class, or of other classes alone.

    distractors: how many there are. same_label, other_label: (10,), by rank: the surest G of a class, the next G...
    same_gain, other_gain: by how much mAP, mean over thresholds, grows when these false positives are taken away.
    """

    distractors: int
    same_label: Counts
    other_label: Counts
    same_gain: float
    other_gain: float


@dataclass(frozen=True, slots=True)
class ModalityProfile:
    """The considered false positives of the videos whose distractors are known, and where they lie; (10,) by rank.

    One that lies on a seen-only and on a heard-only distractor counts for each of them.
    """

    videos: int
    false_positives: Counts
    seen_only: Misled
    heard_only: Misled
    neither: Counts


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
    band = table.band

    def count(chosen: Mask) -> Counts:
        return np.bincount(band[wrong & chosen], minlength=BANDS)

    seen, heard = (_place(table, events) for events in (seen_only, heard_only))
    misled = [
        Misled(
            distractors=sum(len(part) for part in events.values()),
            same_label=count(place == _SAME),
            other_label=count(place == _OTHER),
            same_gain=_gain(table, stages, place == _SAME),
            other_gain=_gain(table, stages, place == _OTHER),
        )
        for events, place in ((seen_only, seen), (heard_only, heard))
    ]
    return ModalityProfile(
        videos=len(known),
        false_positives=count(wrong),
        seen_only=misled[0],
        heard_only=misled[1],
        neither=count((seen == _NEITHER) & (heard == _NEITHER)),
    )


def _place(table: Table, distractors: Mapping[str, Events]) -> Index:
    """Whether each detection lies on a distractor of its own class, of another one alone, or on none, (D,)."""
    # Distractors may be of classes that have no truth: they get numbers of their own.
    others = sorted({label for events in distractors.values() for label in events.labels} - set(table.labels))
    there = columns_by_video(distractors, table.videos, [*table.labels, *others])
    both = pairs(table.found, there)
    on = both.shared_s >= LEAST_SHARE * table.found.length_s[both.first]
    place = np.full(len(table.found), _NEITHER)
    np.maximum.at(place, both.first[on], _degree(table.found, there, both.first[on], both.second[on]))
    return place


def _degree(found: Columns, there: Columns, first: Index, second: Index) -> Index:
    return np.where(found.label[first] == there.label[second], _SAME, _OTHER)


def _gain(table: Table, stages: Sequence[Stage], on: Mask) -> float:
    wrong = on & table.considered
    return float(np.mean([table.gain(stage, wrong & (stage.kind != Kind.TRUE)) for stage in stages]))
