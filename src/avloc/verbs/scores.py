"""Detections against truth: evaluate, compare, diagnose."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path

from avloc.cli.against import hold_against, read_goal
from avloc.cli.predictions import read_predictions
from avloc.evaluation.comparison import Comparison
from avloc.evaluation.comparison import compare as compared
from avloc.evaluation.diagnosis import Diagnosis
from avloc.evaluation.diagnosis import diagnose as diagnosed
from avloc.evaluation.matching import THRESHOLDS, match
from avloc.evaluation.mean_ap import MeanAp, mean_ap
from avloc.events import Events

PathLike = str | Path
ByVideo = Mapping[str, Events]


def evaluate(
    predictions: PathLike | ByVideo,
    truth: PathLike | ByVideo,
    split: str | None = None,
    thresholds: tuple[float, ...] = THRESHOLDS,
) -> MeanAp:
    """mAP of detections against truth; either a file (or folder) of any format, or events by video.

    Raises:
        FormatError: a file cannot be read, or the two have no video in common.
    """
    found, goal, _ = _held(predictions, truth, split)
    return mean_ap(found, goal, thresholds)


def compare(
    first: PathLike | ByVideo,
    second: PathLike | ByVideo,
    truth: PathLike | ByVideo,
    split: str | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Is the second better than the first, and is that chance? `result.average.difference`, `.low`, `.high`, `.p`.

    Raises:
        FormatError: as `evaluate`.
    """
    matches = [match(found, goal, THRESHOLDS) for found, goal, _ in (_held(p, truth, split) for p in (first, second))]
    return compared(matches[0], matches[1], draws, seed)


def diagnose(
    predictions: PathLike | ByVideo, truth: PathLike | ByVideo, split: str | None = None, threshold: float = 0.5
) -> Diagnosis:
    """What goes wrong in detections: kinds of errors and what each costs, hard events.

    Raises:
        FormatError: as `evaluate`.
    """
    found, goal, durations_s = _held(predictions, truth, split)
    return diagnosed(found, goal, durations_s, threshold=threshold, thresholds=THRESHOLDS)


def _held(
    predictions: PathLike | ByVideo, truth: PathLike | ByVideo, split: str | None
) -> tuple[ByVideo, ByVideo, dict[str, float]]:
    """Detections, truth, and lengths, infinite where they are not known."""
    if isinstance(truth, Mapping):
        found = predictions if isinstance(predictions, Mapping) else read_predictions(Path(predictions)).events
        return found, truth, dict.fromkeys(truth, math.inf)
    goal = read_goal(Path(truth), split)
    if isinstance(predictions, Mapping):
        return predictions, goal.truth, {video: goal.known[video].duration_s for video in goal.truth}
    held = hold_against(Path(predictions), goal)
    for note in held.notes:
        warnings.warn(note, stacklevel=3)
    return held.detections, held.truth, held.durations_s
