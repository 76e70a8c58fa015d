"""What goes wrong in detections, and what it costs: false positives by kind, false negatives by kind of truth.

After Alwassel, Caba Heilbron, Escorcia and Ghanem (2018), who look at the 10 G surest detections of each class, G
being its number of truths. Classes without truth are left out, and their detections too, as mAP does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.columns import Float64
from avloc.evaluation.kinds import BANDS, ERRORS, Kind, Missed, Stage, Table, make_table, mean
from avloc.evaluation.matching import THRESHOLDS
from avloc.evaluation.modality import ModalityProfile, modality_profile
from avloc.evaluation.sensitivity import Characteristic, characteristics
from avloc.events import Events

MOST_CONFUSED = 12

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: truths, AP as a mean over thresholds, missed truths, considered detections by Kind, (6,)."""

    label: str
    truths: int
    ap: float
    missed: int
    kinds: Counts


@dataclass(frozen=True, slots=True)
class Confused:
    """So many considered detections were labelled `given` on truth of the class `true`."""

    given: str
    true: str
    count: int


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found out. Kinds, misses and confused classes are at `threshold`.

    profile: (10, 6), considered detections by rank (the surest G of each class, the next G, ...) and Kind.
    gain: (thresholds, 5), by how much mAP grows when the errors of one kind of ERRORS, as they are at that
        threshold, are taken away; 0 or more.
    normalized: mAP as if all classes had equally many truths, mean over thresholds; `characteristics` compare to it.
    """

    threshold: float
    thresholds: tuple[float, ...]
    videos: int
    truths: int
    detections: int
    left_out: int
    mean_ap: float
    normalized: float
    profile: Counts
    gain: Float64
    missed: Missed
    characteristics: tuple[Characteristic, ...]
    classes: tuple[ClassRow, ...]
    confused: tuple[Confused, ...]
    modality: ModalityProfile | None

    @property
    def considered(self) -> int:
        """How many detections are in the profile."""
        return int(self.profile.sum())

    @property
    def kinds(self) -> Counts:
        """Considered detections by Kind, (6,)."""
        return np.asarray(self.profile.sum(axis=0))

    @property
    def mean_gain(self) -> Float64:
        """Gain by kind of ERRORS as a mean over thresholds, (5,)."""
        return np.asarray(self.gain.mean(axis=0))


def diagnose(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    durations_s: Mapping[str, float] | None = None,
    *,
    seen_only: Mapping[str, Events] | None = None,
    heard_only: Mapping[str, Events] | None = None,
    threshold: float = 0.5,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Diagnosis:
    """Diagnose detections against truth, both by video.

    durations_s: lengths of the videos; without them nothing is said of the share of the video.
    seen_only, heard_only: what is only seen, or only heard, in the videos where that is known; an empty Events tells
        that nothing is. Without either, `modality` is None.
    threshold: tIoU from which a detection is right. thresholds: those of mAP and of what errors cost in it.

    Raises:
        ValueError: a threshold lies outside (0, 1], or there is none.
    """
    limits = tuple(float(t) for t in thresholds)
    if not limits or not all(0 < t <= 1 for t in (threshold, *limits)):
        raise ValueError(f"thresholds are {(threshold, *limits)}; one or more above 0, up to 1, are needed")
    table = make_table(detections, truth)
    here = table.at(threshold)
    stages = [table.at(limit) for limit in limits]
    groups, normalized = characteristics(
        table.found,
        table.goal,
        [stage.truth_of for stage in stages],
        here.detection_of < 0,
        np.array([(durations_s or {}).get(video, np.nan) for video in table.videos]),
    )
    modality = None
    if seen_only is not None or heard_only is not None:
        modality = modality_profile(table, here, stages, seen_only or {}, heard_only or {})
    base = np.array([table.ap(stage) for stage in stages])
    removed = [[table.considered & (stage.kind == kind) for kind in ERRORS] for stage in stages]
    return Diagnosis(
        threshold=threshold,
        thresholds=limits,
        videos=len(table.videos),
        truths=len(table.goal),
        detections=sum(len(events) for events in detections.values()),
        left_out=sum(len(events) for events in detections.values()) - len(table.found),
        mean_ap=mean(base),
        normalized=normalized,
        profile=_profile(table, here),
        gain=np.array(
            [[table.gain(stage, mask) for mask in row] for stage, row in zip(stages, removed, strict=True)]
        ),
        missed=table.missed(here),
        characteristics=groups,
        classes=_classes(table, here, base),
        confused=_confused(table, here),
        modality=modality,
    )


def _profile(table: Table, here: Stage) -> Counts:
    counts = np.zeros((BANDS, len(Kind)), np.int64)
    rows = np.flatnonzero(table.considered)
    np.add.at(counts, (table.band[rows], here.kind[rows]), 1)
    return counts


def _classes(table: Table, here: Stage, base: Float64) -> tuple[ClassRow, ...]:
    kinds = np.zeros((len(table.labels), len(Kind)), np.int64)
    rows = np.flatnonzero(table.considered)
    np.add.at(kinds, (table.found.label[rows], here.kind[rows]), 1)
    missed = np.bincount(table.goal.label[here.detection_of < 0], minlength=len(table.labels))
    return tuple(
        ClassRow(label, int(table.truths[k]), float(base[:, k].mean()), int(missed[k]), kinds[k])
        for k, label in enumerate(table.labels)
    )


def _confused(table: Table, here: Stage) -> tuple[Confused, ...]:
    """Pairs of classes by how often the one was given to the other, on the truth that overlaps best."""
    mistaken = table.considered & np.isin(here.kind, (Kind.WRONG_LABEL, Kind.CONFUSION))
    rows = np.flatnonzero(mistaken[table.overlaps.first])
    rows = rows[table.found.label[table.overlaps.first[rows]] != table.goal.label[table.overlaps.second[rows]]]
    rows = rows[np.lexsort((-table.overlaps.tiou[rows], table.overlaps.first[rows]))]
    _, first = np.unique(table.overlaps.first[rows], return_index=True)
    rows = rows[first]
    given, true = table.found.label[table.overlaps.first[rows]], table.goal.label[table.overlaps.second[rows]]
    which, counts = np.unique(np.stack([given, true], axis=1), axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_CONFUSED]
    return tuple(Confused(table.labels[which[i, 0]], table.labels[which[i, 1]], int(counts[i])) for i in order)
