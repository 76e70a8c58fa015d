"""F scores of audio-visual video parsing: what is heard, what is seen, and what is both, by segment and by event.

Classes tell their modality, "Speech (audio)" (`avloc.events.modality`); a plain class is heard and seen at once. As
in the evaluation of LLP (Tian, Li and Xu 2020): in each video an F of each class that is in truth or detections,
their mean (1 where there is none), and the mean over videos. A class is on, audio-visually, in the segments in which
it is heard and seen. An event is a run of segments in which its class is on; a found one is right, and a true one is
found, if some run of the other side overlaps it with tIoU 0.5 at least, be it another's partner or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.overlaps import spans_by_label
from avloc.evaluation.seconds import On, on_by_label, runs, segments_in
from avloc.events import Events
from avloc.events.modality import AUDIO, BOTH, VISUAL, without_modality

_TIOU = 0.5
_LEVELS = 33


@dataclass(frozen=True, slots=True)
class ParsingF:
    """Shares of one: of what is heard, of what is seen, of what is both, and of all that is heard or seen."""

    audio: float
    visual: float
    audio_visual: float
    by_event: float
    """Event@AV of the papers: counts of heard and seen together, class by class."""

    @property
    def by_type(self) -> float:
        """Type@AV of the papers: mean of the first three."""
        return (self.audio + self.visual + self.audio_visual) / 3


@dataclass(frozen=True, slots=True)
class Parsing:
    """F by segment and by event, over so many videos."""

    segment: ParsingF
    event: ParsingF
    videos: int
    min_score: float


Counts = tuple[int, int, int]  # right, false, missed
Both = Mapping[str, Mapping[str, On]]  # modality > class > segments


def parsing(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    durations_s: Mapping[str, float],
    *,
    min_score: float = 0.5,
    segment_s: float = 1.0,
) -> Parsing:
    """F scores over the videos of the truth; detections below `min_score` and of other videos are left out.

    A video whose length is not known (infinite) has segments up to the last end: what is nowhere on does not count.

    Raises:
        ValueError: there is no video, or segment_s is not positive.
    """
    if not truth:
        raise ValueError("the truth has no video; F scores are means over videos")
    rows = []
    for video, goal in truth.items():
        shown = detections.get(video, Events()).above(min_score)
        end_s = max((float(e.end_s.max()) for e in (goal, shown) if len(e)), default=0.0)
        count = segments_in(video, min(durations_s[video], max(end_s, segment_s)), segment_s)
        found, wanted = (_by_modality(events, count, segment_s) for events in (shown, goal))
        rows.append([*_scores(found, wanted, _segments), *_scores(found, wanted, _events)])
    means = np.mean(rows, axis=0).tolist()
    return Parsing(ParsingF(*means[:4]), ParsingF(*means[4:]), len(truth), min_score)


def best_parsing(
    detections: Mapping[str, Events],
    truth: Mapping[str, Events],
    durations_s: Mapping[str, float],
    *,
    segment_s: float = 1.0,
) -> Parsing:
    """With the score, of some spread over those of the detections, of the highest Type@AV by segment: for a
    validation split, not for the one that is reported.

    Raises:
        ValueError: as `parsing`.
    """
    scores = np.concatenate([np.zeros(0), *(detections[video].score for video in truth if video in detections)])
    levels = np.unique(np.quantile(scores, np.linspace(0, 1, _LEVELS), method="nearest")) if len(scores) else [0.0]
    tried = [parsing(detections, truth, durations_s, min_score=float(s), segment_s=segment_s) for s in levels]
    return max(tried, key=lambda found: found.segment.by_type)


def _by_modality(events: Events, count: int, segment_s: float) -> Both:
    """In which segments each class is heard, seen, and both."""
    plain: dict[str, list[int]] = {AUDIO: [], VISUAL: []}
    names = []
    for i, label in enumerate(events.labels):
        name, modality = without_modality(label)
        names.append(name)
        for one in plain:
            plain[one].extend([i] if modality in (one, BOTH) else [])
    bare = Events(events.start_s, events.end_s, names, events.score)
    on = {one: on_by_label(spans_by_label(bare.take(index)), count, segment_s) for one, index in plain.items()}
    both = {name: on[AUDIO][name] & on[VISUAL][name] for name in on[AUDIO].keys() & on[VISUAL].keys()}
    return {**on, BOTH: {name: here for name, here in both.items() if here.any()}}


def _scores(found: Both, wanted: Both, count: Callable[[On | None, On | None], Counts]) -> list[float]:
    """F of one video: heard, seen, both, heard and seen counted together."""
    counts: dict[str, dict[str, Counts]] = {}
    for modality in (AUDIO, VISUAL, BOTH):
        mine, goal = found[modality], wanted[modality]
        counts[modality] = {name: count(mine.get(name), goal.get(name)) for name in {*mine, *goal}}
    heard, seen = counts[AUDIO], counts[VISUAL]
    none = (0, 0, 0)
    pairs = {name: (heard.get(name, none), seen.get(name, none)) for name in {*heard, *seen}}
    together = {name: (a[0] + b[0], a[1] + b[1], a[2] + b[2]) for name, (a, b) in pairs.items()}
    return [_mean_f(by_class) for by_class in (heard, seen, counts[BOTH], together)]


def _mean_f(counts: Mapping[str, Counts]) -> float:
    if not counts:
        return 1.0
    return float(np.mean([2 * right / (2 * right + false + missed) for right, false, missed in counts.values()]))


def _segments(found: On | None, wanted: On | None) -> Counts:
    if found is None or wanted is None:
        return 0, 0 if found is None else int(found.sum()), 0 if wanted is None else int(wanted.sum())
    both = int((found & wanted).sum())
    return both, int(found.sum()) - both, int(wanted.sum()) - both


def _events(found: On | None, wanted: On | None) -> Counts:
    mine, goal = (np.zeros((0, 2), np.intp) if on is None else runs(on) for on in (found, wanted))
    near = _tiou(mine, goal) >= _TIOU
    right = int(near.any(axis=1).sum())
    return right, len(mine) - right, len(goal) - int(near.any(axis=0).sum())


def _tiou(a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.float64]:
    """Of runs (N, 2) with runs (M, 2): (N, M)."""
    shared = np.minimum(a[:, None, 1], b[:, 1]) - np.maximum(a[:, None, 0], b[:, 0])
    shared = shared.clip(min=0)
    return np.asarray(shared / ((a[:, 1] - a[:, 0])[:, None] + (b[:, 1] - b[:, 0]) - shared), np.float64)
