"""The score from which events are best shown to people: where the F1 score on a validation set is highest."""

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
