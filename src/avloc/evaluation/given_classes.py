"""Segments of classes that are known to be in the video: how language models are compared on UnAV-100.

A question is a video and a class that has truth there, the answer all segments of that class that were found in the
video. Segments of other classes, and of videos without truth, are answers to no question and left out. Measures and
names are those of Shin et al., *TiTok: Audio-Visual LLM for Multi-Segment Temporal Grounding*, Eq. 9 to 12.

Of a question let N be the number of true segments and M of those found.

- mean IoU: of the time that the true segments cover together and the time that the found ones do, what is common over
  what either covers; its mean over questions. No answer is 0.
- F1 at a tIoU: harmonic mean of recall, the share of all true segments for which some segment of the answer reaches
  the tIoU, and of precision, the share of all found segments that reach it with some true one. Several may do so with
  one and the same: nothing is matched one to one, unlike in mAP.
- CountF1: harmonic mean of two accuracies of the number of segments, against two opposite faults.
  Against too few, on the questions with N > 1: the coverage C is the mean of min(N, M) / max(N, M), the floor b the
  mean of 1 / N, which is C of who always answers with one segment; the accuracy is (C - b) / (1 - b), and 0 below b.
  Against too many, on the questions with N = 1: the share whose M is 1, too.
  CountF1 is 0 where both are 0, and not a number where either kind of question is lacking.

Legend: Q questions, T thresholds, V videos of the truth, B draws of videos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.bootstrap import drawn_videos
from avloc.evaluation.matching import tiou
from avloc.evaluation.overlaps import Spans, spans_by_label, united
from avloc.events import Events

Float64 = NDArray[np.float64]

F1_THRESHOLDS = (0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class GivenScores:
    """The measures as shares of one: of the data (), or of each draw (B,); those by threshold (T,) or (T, B)."""

    mean_iou: Float64
    recall: Float64
    precision: Float64
    coverage: Float64
    floor: Float64
    not_too_few: Float64
    not_too_many: Float64

    @property
    def f1(self) -> Float64:
        """Harmonic mean of recall and precision; 0 where both are 0."""
        return _harmonic(self.recall, self.precision)

    @property
    def count_f1(self) -> Float64:
        """Harmonic mean of the two accuracies of counts."""
        return _harmonic(self.not_too_few, self.not_too_many)


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered to Q questions; a column each.

    Attributes:
        thresholds: T tIoU thresholds of F1.
        videos: How many videos the truth has, V.
        video: Index of the question's video, (Q,).
        true: Number of true segments, (Q,); 1 or more.
        found: Number of segments found, (Q,).
        iou: IoU of the times covered, (Q,).
        true_hit: True segments that some found one reaches, (T, Q).
        found_hit: Found segments that reach some true one, (T, Q).
    """

    thresholds: tuple[float, ...]
    videos: int
    video: NDArray[np.intp]
    true: Float64
    found: Float64
    iou: Float64
    true_hit: Float64
    found_hit: Float64

    def scores(self) -> GivenScores:
        """The measures of all questions, each of shape () or (T,)."""
        return self._weighed(np.ones(len(self.video)))

    def draws(self, draws: int = 1000, seed: int = 0) -> GivenScores:
        """The measures of draws of videos, for `bootstrap.interval`; shapes (B,) and (B, T).

        Raises:
            ValueError: `draws` is not positive.
        """
        parts = [
            self._weighed(times[self.video].astype(np.float64)) for times in drawn_videos(self.videos, draws, seed)
        ]
        return GivenScores(
            *(
                np.concatenate([np.atleast_1d(getattr(part, name)).T for part in parts])
                for name in GivenScores.__slots__
            )
        )

    def _weighed(self, weight: Float64) -> GivenScores:
        """Each question counts so often: (Q,) or (Q, B)."""
        several = self.true > 1
        most = np.maximum(self.true, self.found)
        ratio = np.minimum(self.true, self.found) / most
        coverage = _ratio((several * ratio) @ weight, several @ weight)
        floor = _ratio((several / self.true) @ weight, several @ weight)
        return GivenScores(
            mean_iou=_ratio(self.iou @ weight, weight.sum(axis=0)),
            recall=_ratio(self.true_hit @ weight, self.true @ weight),
            precision=np.nan_to_num(_ratio(self.found_hit @ weight, self.found @ weight)),
            coverage=coverage,
            floor=floor,
            not_too_few=np.maximum((coverage - floor) / (1 - floor), 0.0),
            not_too_many=_ratio((~several & (self.found == 1)) @ weight, ~several @ weight),
        )


def given_classes(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    min_score: float | None = None,
    thresholds: Sequence[float] = F1_THRESHOLDS,
) -> Answers:
    """The answers to all questions, by the video's name; those with a score of at least `min_score`, None: all.

    Raises:
        ValueError: there is no threshold, or one lies outside (0, 1].
    """
    limits = tuple(float(t) for t in thresholds)
    if not limits or not all(0 < t <= 1 for t in limits):
        raise ValueError(f"thresholds are {limits}; one or more numbers above 0 and up to 1 are needed")
    rows = []
    for number, (video, events) in enumerate(truth.items()):
        given = detections.get(video, Events())
        answers = spans_by_label(given if min_score is None else given.above(min_score))
        for label, true in spans_by_label(events).items():
            rows.append((number, true, answers.get(label, np.zeros((0, 2)))))
    hits = [_hits(true, found, limits) for _, true, found in rows]
    shape = (len(limits), len(rows))
    return Answers(
        limits,
        len(truth),
        np.array([number for number, _, _ in rows], np.intp),
        np.array([len(true) for _, true, _ in rows], np.float64),
        np.array([len(found) for _, _, found in rows], np.float64),
        np.array([iou_of_unions(true, found) for _, true, found in rows], np.float64),
        np.array([of_true for of_true, _ in hits], np.float64).T.reshape(shape),
        np.array([of_found for _, of_found in hits], np.float64).T.reshape(shape),
    )


def iou_of_unions(first: Spans, second: Spans) -> float:
    """Time that both cover over time that either covers; 0 where none is covered. Spans are (N, 2) in seconds."""
    either = _length(np.concatenate([first, second]))
    both = _length(first) + _length(second) - either
    return max(both, 0.0) / either if either > 0 else 0.0


def _length(spans: Spans) -> float:
    return sum(end_s - start_s for start_s, end_s in united(spans))


def _hits(true: Spans, found: Spans, limits: tuple[float, ...]) -> tuple[list[int], list[int]]:
    """At each threshold, how many true segments are reached, and how many found ones reach any."""
    overlap = tiou(true[:, :1], true[:, 1:], found[None, :, 0], found[None, :, 1])
    best_true, best_found = overlap.max(axis=1, initial=0.0), overlap.max(axis=0, initial=0.0)
    return [int((best_true >= t).sum()) for t in limits], [int((best_found >= t).sum()) for t in limits]


def _ratio(part: Float64, whole: Float64) -> Float64:
    """Not a number where the whole is nothing."""
    known = np.asarray(whole > 0)
    return np.asarray(np.where(known, part / np.where(known, whole, 1.0), np.nan), np.float64)


def _harmonic(a: Float64, b: Float64) -> Float64:
    total = a + b
    return np.asarray(2 * a * b / np.where(total == 0, 1.0, total), np.float64)
