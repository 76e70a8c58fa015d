"""The default model on an event that goes on and on: one event, as long as it is; a pause makes two of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import avloc
from avloc.detector import Detector
from avloc.events import Events
from avloc.features.sequence import FeatureSequence
from avloc.media.writer import write_video
from avloc.streams import STREAMS

SAMPLE = Path(__file__).parents[1] / "demo" / "sample.mp4"
LABEL, FIRST, LAST = "playing trumpet", 61, 73  # steps of the sample in which it is seen and heard
STEP_S = 0.32
PAUSE = 10  # steps


@pytest.fixture(scope="module")
def detector() -> Detector:
    return avloc.load(threads=1)


@pytest.fixture(scope="module")
def trumpet(detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> FeatureSequence:
    """Features of the stretch of the sample, and of black silence behind it."""
    clip = tmp_path_factory.mktemp("long") / "clip.mp4"
    features = detector.extractor.extract(SAMPLE, detector.grid)
    black = np.zeros((90, 160, 3), np.uint8)
    write_video(clip, [black] * 50, 10, np.zeros(5 * 16_000, np.float32))
    still = detector.extractor.extract(clip, detector.grid)
    arrays = {
        n: np.concatenate([getattr(features, n)[FIRST:LAST], getattr(still, n)[2 : 2 + PAUSE]]) for n in STREAMS
    }
    return replace(features, duration_s=len(arrays["visual"]) * STEP_S, **arrays)


def lasting(trumpet: FeatureSequence, steps: list[int]) -> FeatureSequence:
    arrays = {n: getattr(trumpet, n)[steps] for n in STREAMS}
    return replace(trumpet, duration_s=len(steps) * STEP_S, **arrays)


def played(count: int) -> list[int]:
    return [i % (LAST - FIRST) for i in range(count)]


def unchained(detector: Detector) -> Detector:
    decoding = replace(detector.config.decoding, chain_from_s=0.0)
    return detector.with_decoding(decoding)


def trumpets(detector: Detector, features: FeatureSequence) -> Events:
    return detector.detect_features(features).events.where(label=LABEL)


@pytest.mark.parametrize("length_s", [20, 40, 180])
def test_a_long_event_is_one(detector: Detector, trumpet: FeatureSequence, length_s: int) -> None:
    features = lasting(trumpet, played(round(length_s / STEP_S)))
    (event,) = detector.detect_features(features).events
    assert event.label == LABEL
    assert event.duration_s >= 0.95 * features.duration_s


def test_unchained_it_loses_its_middle(detector: Detector, trumpet: FeatureSequence) -> None:
    """That the test above can fail."""
    features = lasting(trumpet, played(375))
    found = trumpets(unchained(detector), features)
    assert len(found) > 1 and sum(e.duration_s for e in found) < 0.6 * features.duration_s


def test_a_pause_of_three_seconds_makes_two_unless_the_gap_may_be_longer(
    detector: Detector, trumpet: FeatureSequence
) -> None:
    pause = [LAST - FIRST + i for i in range(PAUSE)]
    features = lasting(trumpet, [*played(96), *pause, *played(96)])
    before, behind = trumpets(detector, features)
    middle_s = (96 + PAUSE / 2) * STEP_S
    assert before.end_s < middle_s < behind.start_s
    assert before.duration_s + behind.duration_s >= 0.9 * 192 * STEP_S
    decoding = replace(detector.config.decoding, chain_gap_s=6.0)
    (event,) = trumpets(detector.with_decoding(decoding), features)
    assert event.duration_s >= 0.95 * features.duration_s
