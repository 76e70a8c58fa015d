"""PSDS: the polyphonic sound detection score, over all thresholds at once (Bilen et al. 2020; Ebbers et al. 2022).

At a threshold, a detection is relevant if truth of its class covers `dtc` of its length, else false; a true event is
found if relevant detections cover `gtc` of its length; a false detection of which truth of another class covers
`cttc` is a cross-trigger as well. The rate of false ones by the hour, plus `alpha_ct` times the mean rate of
cross-triggers by the hour of the other classes, is a class's effective false positive rate. The score is the area
below the mean share of true events found over classes, less `alpha_st` times its deviation, up to `max_efpr`, as a
share of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.overlaps import Spans, spans_by_label, united
from avloc.events import Events

Float64 = NDArray[np.float64]
_HOUR_S = 3600.0
_SLACK = 5e-7  # seconds: a share that is met to the microsecond is met


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a use of a detector asks for: shares of overlap, and what false ones cost.

    dtc, gtc: of a detection, of a true event. cttc: of a cross-trigger; None counts none. max_efpr: by the hour.
    """

    dtc: float
    gtc: float
    cttc: float | None = None
    alpha_ct: float = 0.0
    alpha_st: float = 1.0
    max_efpr: float = 100.0

    def __post_init__(self) -> None:
        for name in ("dtc", "gtc", "cttc"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1:
                raise ValueError(f"{name} is {value}; a share above 0, up to 1, is needed")
        if min(self.alpha_ct, self.alpha_st) < 0 or not 0 < self.max_efpr < np.inf:
            raise ValueError("alpha_ct and alpha_st must be 0 or more, and max_efpr a finite rate above 0")
        if (self.cttc is None) != (self.alpha_ct == 0):
            raise ValueError("cttc and alpha_ct go together: cross-triggers are counted to cost something")


SCENARIOS: Mapping[str, Scenario] = {
    "PSDS1": Scenario(dtc=0.7, gtc=0.7),
    "PSDS2": Scenario(dtc=0.1, gtc=0.1, cttc=0.3, alpha_ct=0.5),
}
"""Those of DCASE's task 4: to react at once to where an event is; not to mistake one class for another."""


@dataclass(frozen=True, slots=True)
class Psds:
    """The score, and that of each class alone (without deviation), both shares of one; `labels` have truth."""

    value: float
    by_label: Float64
    labels: tuple[str, ...]


def psds(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    durations_s: Mapping[str, float],
    scenario: Scenario,
) -> Psds:
    """Score the detections of the videos of the truth at every threshold that their scores make.

    Detections of other videos, and of classes without truth, are left out. Events of one class that overlap cover
    their common time once.

    Raises:
        ValueError: there is no event, or a video's length is not known.
    """
    unknown = next((video for video in truth if not np.isfinite(durations_s[video])), None)
    if unknown is not None:
        raise ValueError(f"the length of video {unknown!r} is not known; give it in the truth (a column duration)")
    goals = {video: spans_by_label(events) for video, events in truth.items()}
    labels = tuple(sorted({label for by in goals.values() for label in by}))
    if not labels:
        raise ValueError("the truth has no event; a share of found ones needs some")
    hours = sum(durations_s[video] for video in truth) / _HOUR_S
    class_h = {label: _total_s(goals, label) / _HOUR_S for label in labels}
    curves = []
    for label in labels:
        rate, found = _curve(label, detections, goals, hours, class_h, scenario)
        curves.append((rate, found))
    rates = np.unique(np.concatenate([rate for rate, _ in curves]))
    each = np.stack([_held(rate, found, rates) for rate, found in curves])  # (K, R)
    effective = (each.mean(axis=0) - scenario.alpha_st * each.std(axis=0)).clip(min=0)
    alone = [_area(rate, found, scenario.max_efpr) for rate, found in curves]
    return Psds(_area(rates, effective, scenario.max_efpr), np.array(alone), labels)


def _total_s(goals: Mapping[str, Mapping[str, Spans]], label: str) -> float:
    return float(sum((by[label][:, 1] - by[label][:, 0]).sum() for by in goals.values() if label in by))


def _curve(
    label: str,
    detections: Mapping[str, Events],
    goals: Mapping[str, Mapping[str, Spans]],
    hours: float,
    class_h: Mapping[str, float],
    scenario: Scenario,
) -> tuple[Float64, Float64]:
    """Effective false positive rates, rising, and the most that is found up to each: a stair, up to max_efpr."""
    others = tuple(other for other in class_h if other != label)
    changes = []  # threshold, found, false, cross-triggers of each other class: how they change there
    truths = 0
    for video, goal in goals.items():
        truths += len(goal.get(label, ()))
        events = detections.get(video, Events())
        own = events.take([name == label for name in events.labels])
        if len(own):
            changes.append(_changes(own, label, goal, others, scenario))
    if not changes:
        return np.zeros(1), np.zeros(1)
    rows = np.concatenate(changes)
    rows = rows[np.argsort(-rows[:, 0], kind="stable")]
    total = np.cumsum(rows[:, 1:], axis=0)
    total = total[np.append(rows[1:, 0] < rows[:-1, 0], True)]  # equal scores of several videos count at once
    rate = total[:, 1] / hours
    if scenario.alpha_ct and others:
        by_hour = np.array([max(class_h[other], 1e-12) for other in others])
        rate = rate + scenario.alpha_ct * (total[:, 2:] / by_hour).mean(axis=1)
    return _stair(rate, total[:, 0] / truths, scenario.max_efpr)


def _changes(
    own: Events, label: str, goal: Mapping[str, Spans], others: tuple[str, ...], scenario: Scenario
) -> Float64:
    """Of one video and class, from the highest threshold down, differences to the one before: (S, 3 + others)."""
    spans = np.stack([own.start_s, own.end_s], axis=1)
    length = spans[:, 1] - spans[:, 0]
    spans, scores, length = (part[length > 0] for part in (spans, own.score, length))
    mine = goal.get(label, np.zeros((0, 2)))
    relevant = _shared(spans, mine) >= scenario.dtc * length - _SLACK
    crossed = np.zeros((len(spans), len(others)), bool)
    if scenario.cttc is not None:
        for k, other in enumerate(others):
            if other in goal:
                crossed[:, k] = ~relevant & (_shared(spans, goal[other]) >= scenario.cttc * length - _SLACK)
    rows = []
    goal_s = mine[:, 1] - mine[:, 0]
    for threshold in np.unique(scores)[::-1]:
        shown = scores >= threshold
        covered = _shared(mine, spans[shown & relevant])
        found = int(((covered >= scenario.gtc * goal_s - _SLACK) & (covered > 0)).sum())
        rows.append([threshold, found, int((shown & ~relevant).sum()), *crossed[shown].sum(axis=0)])
    counts = np.array(rows, np.float64).reshape(-1, 3 + len(others))
    counts[1:, 1:] -= counts[:-1, 1:].copy()
    return counts


def _shared(spans: Spans, by: Spans) -> Float64:
    """Seconds of each span that the union of others covers, (N,)."""
    shared = np.zeros(len(spans))
    for start_s, end_s in united(by):
        shared += (np.minimum(spans[:, 1], end_s) - np.maximum(spans[:, 0], start_s)).clip(min=0)
    return shared


def _stair(rate: Float64, found: Float64, most: float) -> tuple[Float64, Float64]:
    """Points of any order > rates, each once, and the largest share that is found at no higher one."""
    order = np.lexsort((found, rate))
    rate, best = rate[order], np.maximum.accumulate(found[order])
    last = np.append(rate[1:] > rate[:-1], True) & (rate <= most)
    return rate[last], best[last]


def _held(rate: Float64, found: Float64, at: Float64) -> Float64:
    """The stair at rates; 0 before its first point."""
    place = np.searchsorted(rate, at, side="right")
    return np.concatenate([[0.0], found])[place]


def _area(rate: Float64, found: Float64, most: float) -> float:
    """Area below a stair up to `most`, as a share of it; its last point holds on."""
    if not len(rate):
        return 0.0
    return float((np.diff(np.append(rate, most)) * found).sum() / most)
