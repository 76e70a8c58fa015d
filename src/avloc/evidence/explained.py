"""Events > events whose scores say how much better their class explains them than anything else does.

Not of the paper. what is heard and seen > log odds against what else it may be > mean over each event > a line.
What is heard or seen a little of every class is often another thing altogether: a snowmobile is taken for waves where
nothing says that it is a motor. Here everything that the encoders know competes, also what no class means.

Legend: T time, K classes, N events.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from avloc.events import Events
from avloc.evidence.grounding import Grounding
from avloc.timegrid import TimeGrid

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

TERMS = ("bias", "score", "ear", "eye")
"""Of the line: 1, the log odds of the score, and the log odds of the class by ear and by eye less those of the surest
other explanation; classes that are alike are left aside, for the network has seen those."""
_LEAST = 1e-3  # of what is heard or seen, before its log odds
_LEAST_SCORE = 1e-4


def against(grounding: Grounding, visual: Float32, audio: Float32, mask: NDArray[np.bool_]) -> NDArray[np.float16]:
    """Network inputs > log odds of each class less those of the surest other explanation, ear and eye: (2, T, K).

    Half precision: a step's evidence is never known as well as that, and long videos keep it to their end.
    """
    sounds, sights = grounding.sounds(audio), grounding.sights(visual)
    unlike = ~(grounding.alike | np.eye(len(grounding.alike), dtype=bool))
    specific = grounding.sound_weight * (1 - grounding.generic_sound[grounding.sound_index])
    own = grounding.heard(sounds, grounding.sound_weight) * grounding.voices(audio, mask)
    ear = _over_others(own, grounding.heard(sounds, specific), sounds * grounding.unmeant_sound, unlike)
    own = grounding.of_sights(sights, grounding.seen)
    of_classes = grounding.of_sights(sights, grounding.seen * (1 - grounding.generic_sight))
    eye = _over_others(own, of_classes, sights * grounding.unmeant_sight, unlike)
    return np.stack([ear, eye]).astype(np.float16)


def _over_others(own: Float32, of_classes: Float32, unmeant: Float32, unlike: NDArray[np.bool_]) -> Float32:
    """Own evidence (T, K), that of each class by terms that speak against others, and what no class means (T, D)."""
    rival = np.empty_like(of_classes)
    for k, among in enumerate(unlike):
        rival[:, k] = of_classes[:, among].max(axis=1, initial=0.0)
    other = np.logaddexp(_log_odds(unmeant.max(axis=1, keepdims=True, initial=0.0)), _log_odds(rival))
    return np.asarray(_log_odds(own) - other, np.float32)


def terms(events: Events, labels: Sequence[str], grid: TimeGrid, found: NDArray[np.float16]) -> Float64:
    """Terms (N, 3) of the line but for the bias; `found` is what `against` says of all steps of the video.

    Evidence is the mean over the steps that lie in an event, or that of the step nearest to its middle.
    """
    last = found.shape[1]
    start, end = (grid.to_steps(s) for s in (events.start_s, events.end_s))
    first, behind = np.ceil(start).clip(0, last - 1), (np.floor(end) + 1).clip(1, last)
    middle = np.round((start + end) / 2).clip(0, last - 1)
    empty = behind <= first
    first, behind = np.where(empty, middle, first).astype(int), np.where(empty, middle + 1, behind).astype(int)
    index = {label: k for k, label in enumerate(labels)}
    rows = [
        found[:, a:b, index[label]].mean(axis=1, dtype=np.float64)
        for a, b, label in zip(first.tolist(), behind.tolist(), events.labels, strict=True)
    ]
    score = np.asarray(events.score, np.float64).clip(_LEAST_SCORE, 1 - _LEAST_SCORE)
    return np.concatenate([np.log(score / (1 - score))[:, None], np.reshape(rows, (len(rows), 2))], axis=1)


def weighed(
    events: Events, labels: Sequence[str], grid: TimeGrid, found: NDArray[np.float16], line: Sequence[float]
) -> Events:
    """The events with their scores as the line (4,) has them, highest first; none is lost."""
    if not len(events):
        return events
    z = line[0] + terms(events, labels, grid, found) @ np.asarray(line[1:])
    score = np.exp(-np.logaddexp(0.0, -z))
    order = np.argsort(-score, kind="stable")
    return Events(events.start_s[order], events.end_s[order], [events.labels[i] for i in order], score[order])


def _log_odds(p: Float32) -> Float32:
    """From -6.9 to 6.9."""
    p = p.clip(_LEAST, 1 - _LEAST)
    return np.asarray(np.log(p / (1 - p)), np.float32)
