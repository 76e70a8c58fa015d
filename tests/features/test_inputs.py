"""The two arrays that a network reads, with and without the encoders' scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avloc.errors import FeatureError
from avloc.features.inputs import network_inputs
from avloc.features.sequence import FeatureSequence
from avloc.timegrid import TimeGrid


def features(steps: int, logits: float = 1.0, classes: int = 6) -> FeatureSequence:
    rng = np.random.default_rng(0)
    return FeatureSequence(
        TimeGrid(1.0, 1.0),
        max(steps, 1.0),
        rng.random((steps, 4), np.float32),
        rng.random((steps, 3), np.float32),
        (logits * rng.standard_normal((steps, classes))).astype(np.float32),
        rng.random((steps, classes // 2), np.float32),
    )


def test_without_scores_they_are_the_embeddings() -> None:
    given = features(5)
    visual, audio = network_inputs(given, False)
    assert visual is given.visual and audio is given.audio


@pytest.mark.parametrize("logits", [1.0, 1000.0])
def test_scores_stand_behind_the_embeddings(logits: float) -> None:
    given = features(5, logits)
    visual, audio = network_inputs(given, True)
    assert visual.dtype == audio.dtype == np.float32
    assert np.array_equal(visual[:, :4], given.visual) and np.array_equal(audio[:, :3], given.audio)
    for step in range(5):
        shifted = given.visual_scores[step].astype(np.float64)
        p = np.exp(shifted - shifted.max())
        assert visual[step, 4:] == pytest.approx(4 * np.sqrt(p / p.sum()), abs=1e-5)
        assert audio[step, 3:] == pytest.approx(4 * np.sqrt(given.audio_scores[step]), rel=1e-6)
    assert np.allclose((visual[:, 4:] ** 2).sum(axis=1), 16, rtol=1e-5)


def test_cues_stand_behind_the_scores_of_their_modality() -> None:
    given = features(5)
    cues = np.arange(25, dtype=np.float32).reshape(5, 5)  # three seen, two heard
    visual, audio = network_inputs(replace(given, cues=cues), True, embeddings=False, cues=5)
    assert visual.shape == (5, 6 + 3) and audio.shape == (5, 3 + 2)
    assert np.array_equal(visual[:, 6:], cues[:, :3]) and np.array_equal(audio[:, 3:], cues[:, 3:])


def test_features_with_other_cues_are_refused_in_one_line() -> None:
    with pytest.raises(FeatureError, match="have 0 cues, the model needs 83; extract them anew"):
        network_inputs(features(5), True, embeddings=False, cues=83)


def test_nothing_of_nothing() -> None:
    visual, audio = network_inputs(features(0), True)
    assert visual.shape == (0, 10) and audio.shape == (0, 6)


def test_encoders_without_classes() -> None:
    visual, audio = network_inputs(features(5, classes=0), True)
    assert visual.shape == (5, 4) and audio.shape == (5, 3)
