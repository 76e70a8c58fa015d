"""What a grounded network's scores are worth: calibration, and a line of explanations (avloc.evidence.explained).

Composed videos teach what evidence is, not what real pictures and sounds are taken for: there a thing fills the frame
or lies small on a photograph, and what else the eye sees says nothing. So the line is fitted to clips of the real
world, with composed videos as a light weight against chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.labelled import LabelledVideo
from avloc.datasets.real_clips import RealClip, features_of, read_real_clips
from avloc.detector import Detector
from avloc.errors import TrainingError
from avloc.evaluation.calibration import Line, logistic_fit, logistic_line
from avloc.evaluation.matching import match
from avloc.evaluation.operating_point import judge
from avloc.events import Event, Events
from avloc.evidence.explained import against, terms
from avloc.features.inputs import network_inputs
from avloc.features.sequence import FeatureSequence
from avloc.models.grounded import Grounded

Float64 = NDArray[np.float64]
_LEAST_CALIBRATED = 0.05
LEAST_SCORE = 0.02
"""Of a detection that the line is fitted to."""
COMPOSED_WEIGHT = 0.01
"""Of a detection in a composed video beside one in a real clip."""
RIDGE = 2.0
"""Of the line's factors, in multiples of their terms' spread."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A real clip and its features."""

    truth: RealClip
    features: FeatureSequence


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Detections: terms (N, 3) of the line but for the bias, which are right (N,), and their weights (N,)."""

    terms: Float64
    right: NDArray[np.bool_]
    weight: Float64

    @classmethod
    def join(cls, parts: Iterable[Trials]) -> Trials:
        """All of them."""
        parts = list(parts)
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("terms", "right", "weight")))


def of_clip(detector: Detector, clip: Clip) -> Trials:
    """The surest detection of each class that counts: the class is there, or it is not."""
    found = surest(detector.detect_features(clip.features).all_events.above(LEAST_SCORE))
    verdicts = [clip.truth.judge(label) for label in found.labels]
    counts = np.array([v is not None for v in verdicts], bool)
    terms = terms_of(detector, clip.features, found)[counts]
    right = np.array([bool(v) for v in verdicts], bool)[counts]
    return Trials(terms, right, np.ones(len(right)))


def of_composed(detector: Detector, video: LabelledVideo, tiou: float) -> Trials:
    """All detections of a composed video, matched with its truth as for mAP."""
    found = detector.detect_features(video.features).all_events.above(LEAST_SCORE)
    terms = terms_of(detector, video.features, found)
    return Trials(terms, _right(found, video.truth, tiou), np.full(len(found), COMPOSED_WEIGHT))


def surest(events: Events) -> Events:
    """The surest event of each class."""
    best: dict[str, Event] = {}
    for event in events:
        if event.label not in best or event.score > best[event.label].score:
            best[event.label] = event
    return Events.of(best.values())


def terms_of(detector: Detector, features: FeatureSequence, events: Events) -> Float64:
    """Terms of the line but for the bias, (N, 3)."""
    seen, heard = network_inputs(features, True, embeddings=False, cues=detector.config.features.cues)
    found = against(detector.grounding, seen, heard, np.ones(len(seen), bool))
    return terms(events, detector.labels, detector.grid, found)


def fit_line(trials: Trials) -> Float64:
    """The line (4,), bias first.

    Raises:
        TrainingError: all trials are right, or all wrong.
    """
    if trials.right.all() or not trials.right.any():
        raise TrainingError("the real clips show nothing right, or nothing wrong; give more of them")
    spread = trials.terms.std(axis=0).clip(1e-6)
    design = np.concatenate([np.ones((len(trials.right), 1)), trials.terms / spread], axis=1)
    ridge = np.array([0.0, *[RIDGE] * len(spread)])
    line = logistic_fit(design, trials.right, trials.weight, ridge)
    return np.asarray(line / np.array([1.0, *spread]))


def calibrate(
    network: Grounded, found: Mapping[str, Events], truth: Mapping[str, Events], tiou: float
) -> Line | None:
    """Fold a slope and an offset of the logits into the network, so that a score is the chance to be right.

    Order is kept: mAP changes only by the share that soft-NMS takes. None where no such line can be drawn.
    """
    judged = judge({v: events.above(_LEAST_CALIBRATED) for v, events in found.items()}, truth, tiou)
    line = logistic_line(judged.score, judged.right)
    if line is not None:
        for member in network.members:
            member.rescale(line.slope, line.offset)  # type: ignore[operator]
    return line


def weigh(
    detector: Detector, clips: Sequence[Clip], composed: Iterable[LabelledVideo], tiou: float
) -> tuple[float, ...]:
    """The line for a detector that has none, fitted to clips and composed videos.

    Raises:
        TrainingError: the clips hold nothing to fit it to.
    """
    trials = [of_clip(detector, clip) for clip in clips] + [of_composed(detector, v, tiou) for v in composed]
    return tuple(np.round(fit_line(Trials.join(trials)), 4).tolist())


def clips_of(
    folders: Sequence[Path], detector: Detector, cache: Path, on_done: Callable[[int, int], None]
) -> Iterator[Clip]:
    """The clips of folders with their features. Raises FormatError, MediaError."""
    every = [clip for folder in folders for clip in read_real_clips(folder, detector.labels)]
    for i, truth in enumerate(every):
        yield Clip(truth, features_of(truth, detector.extractor, detector.grid, cache))
        on_done(i + 1, len(every))


def _right(found: Events, truth: Events, tiou: float) -> NDArray[np.bool_]:
    right = np.zeros(len(found), bool)
    known = set(truth.labels)
    by_rank = sorted(
        (i for i, name in enumerate(found.labels) if name in known), key=lambda i: (found.labels[i], -found.score[i])
    )
    right[by_rank] = match({"": found}, {"": truth}, [tiou]).hit[0]  # by class, then score
    return right
