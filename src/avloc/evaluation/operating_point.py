"""Events that are shown to people: how many are right from a score on, and the score from which F1 is highest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.matching import match
from avloc.events import Events


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Detections of at least `score`, of all classes together, against truth: shares in [0, 1]."""

    score: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """Detections of at least `score`, of all classes together: how many they are, how many are right, of how many.

    score: None where all detections are shown. left_out: those of classes without truth, where these do not count.
    """

    score: float | None
    tiou: float
    detections: int
    right: int
    truths: int
    left_out: int

    @property
    def precision(self) -> float:
        """Share of the detections that are right; 0 where there is none."""
        return self.right / self.detections if self.detections else 0.0

    @property
    def recall(self) -> float:
        """Share of the truth that is found; 0 where there is none."""
        return self.right / self.truths if self.truths else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.detections + self.truths
        return 2 * self.right / total if total else 0.0


def shown_from(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    score: float | None = None,
    *,
    tiou: float = 0.5,
    every_class: bool = False,
) -> Shown:
    """What people see who are shown the detections of at least `score`; None: all of them.

    every_class: detections of classes without truth count as wrong; else they are left out, as mAP leaves them out.

    Raises:
        ValueError: `tiou` lies outside (0, 1].
    """
    seen = detections if score is None else {video: events.above(score) for video, events in detections.items()}
    matches = match(seen, truth, [tiou])
    count = len(matches.detections) + (matches.left_out if every_class else 0)
    left_out = 0 if every_class else matches.left_out
    return Shown(score, tiou, count, int(matches.hit[0].sum()), len(matches.truth), left_out)


def best_f1(
    detections: Mapping[str, Events], truth: Mapping[str, Events], tiou: float = 0.5
) -> OperatingPoint | None:
    """The score whose detections have the highest F1 at `tiou`; of several the highest. None where nothing is right.

    Detections are matched as for mAP, in descending order of score, so that those of at least any score are matched
    among themselves: one matching serves every score. Detections of classes without truth count as wrong.

    Raises:
        ValueError: `tiou` lies outside (0, 1].
    """
    matches = match(detections, truth, [tiou])
    right = np.sort(matches.detections.score[matches.hit[0]])[::-1]
    if not right.size:
        return None
    score = np.unique(right)[::-1]
    every = np.sort(np.concatenate([events.score for events in detections.values()]))
    shown = len(every) - np.searchsorted(every, score, "left")
    found = np.searchsorted(-right, -score, "right")
    truths = len(matches.truth)
    best = int(np.argmax(2 * found / (shown + truths)))
    return OperatingPoint(float(score[best]), float(found[best] / shown[best]), float(found[best] / truths))
