"""Events that are shown to people: how many are right from a score on, and from which score they are best shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True)
class Judged:
    """Detections of many videos, the surest first: their scores (D,), which are right (D,), and how many truths."""

    score: NDArray[np.float64]
    right: NDArray[np.bool_]
    truths: int

    def at(self, score: float) -> OperatingPoint:
        """Precision and recall of the detections of at least `score`."""
        shown = self.score >= score
        found = int(self.right[shown].sum())
        return OperatingPoint(score, found / max(1, int(shown.sum())), found / max(1, self.truths))


def judge(detections: Mapping[str, Events], truth: Mapping[str, Events], tiou: float) -> Judged:
    """Match detections at `tiou` as for mAP; those of classes without truth, or of videos without, are wrong.

    Detections are matched in descending order of score, so that those of at least any score are matched among
    themselves: one matching serves every score.

    Raises:
        ValueError: `tiou` lies outside (0, 1].
    """
    matches = match(detections, truth, [tiou])
    known = set(matches.labels)
    strange = [s for e in detections.values() for name, s in zip(e.labels, e.score, strict=True) if name not in known]
    score = np.concatenate([matches.detections.score, np.asarray(strange, np.float64)])
    right = np.concatenate([matches.hit[0], np.zeros(len(strange), bool)])
    order = np.argsort(-score, kind="stable")
    return Judged(score[order], right[order], len(matches.truth))


def best_f1(
    detections: Mapping[str, Events], truth: Mapping[str, Events], tiou: float = 0.5, almost: float = 0.0
) -> OperatingPoint | None:
    """The score whose detections have the highest F1 at `tiou`; of several the highest. None where nothing is right.

    With `almost`, the highest of the scores whose F1 is at most that much less: where F1 is flat, fewer and surer
    events are worth more to people than more of them.

    Raises:
        ValueError: `tiou` lies outside (0, 1].
    """
    judged = judge(detections, truth, tiou)
    score = np.unique(judged.score[judged.right])[::-1]
    if not score.size:
        return None
    shown = np.searchsorted(-judged.score, -score, "right")
    found = judged.right.cumsum()[shown - 1]
    f1 = 2 * found / (shown + judged.truths)
    best = int(np.argmax(f1 >= f1.max() - almost))
    return OperatingPoint(float(score[best]), float(found[best] / shown[best]), float(found[best] / judged.truths))


def quiet_score(detections: Mapping[str, Events], duration_s: float, per_event_s: float) -> float:
    """The least score from which detections come at most once in `per_event_s`, of `duration_s` seconds in all.

    For videos in which nothing happens that should be found.
    """
    score = np.sort(np.concatenate([np.zeros(0), *(events.score for events in detections.values())]))[::-1]
    allowed = math.floor(duration_s / per_event_s)
    return float(np.nextafter(score[allowed], 1.0)) if len(score) > allowed else 0.0
