"""What else explains an event: against plain loops; scores change as the line says and nothing is lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.events import Events
from avloc.evidence.explained import against, terms, weighed
from avloc.evidence.grounding import Grounding
from avloc.timegrid import TimeGrid

LABELS = ("bark", "howl", "waves")
GRID = TimeGrid.centred(0.5, 0.96)
IDENTITY = (0.0, 1.0, 0.0, 0.0)


@pytest.fixture
def grounding() -> Grounding:
    """Sounds bark, dog (both), surf, motor (of no class), noise (generic); sights dog, sea, boat, a face,
    one object. Bark and howl are alike."""
    return Grounding(
        objects=1,
        seen=np.array([[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 0.5, 0]], np.float32),
        sound_index=np.array([[0, 1], [1, 0], [2, 4]]),
        sound_weight=np.array([[1, 0.5], [0.5, 0], [1, 0.2]], np.float32),
        voice=np.array([[0, 1, 0, 0]] * 3, np.float32),
        alike=np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], bool),
        noise=np.full((2, 3), 0.01, np.float32),
        generic_sound=np.array([0, 0, 0, 0, 1], np.float32),
        generic_sight=np.array([0, 0, 0, 1, 0], np.float32),
        unmeant_sound=np.array([0, 0, 0, 1, 0], np.float32),
        unmeant_sight=np.array([0, 0, 1, 0, 1], np.float32),
    )


def inputs(sounds: np.ndarray, sights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As the network reads them: square roots, times four; objects as they are; no voice."""
    audio = np.concatenate([4 * np.sqrt(sounds), np.zeros((len(sounds), 2))], axis=1)
    visual = np.concatenate([4 * np.sqrt(sights[:, :3]), sights[:, 3:]], axis=1)
    return visual.astype(np.float32), audio.astype(np.float32), np.ones(len(sounds), bool)


def odds(p: float) -> float:
    p = min(max(p, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))


def test_a_class_is_held_against_what_else_is_heard_and_seen(grounding: Grounding) -> None:
    rng = np.random.default_rng(0)
    sounds, sights = rng.random((7, 5)), rng.random((7, 5)) * 0.6
    sights[:, 3] = 0.01  # no face
    found = against(grounding, *inputs(sounds, sights))
    assert found.shape == (2, 7, 3) and found.dtype == np.float16
    for t in range(7):
        bark, dog, surf, motor, noise = sounds[t]
        ear = {"bark": max(bark, 0.5 * dog), "howl": 0.5 * dog, "waves": max(surf, 0.2 * noise)}
        # Of the generic noise waves have something, but it does not speak against dogs.
        other = {"bark": (motor, surf), "howl": (motor, surf), "waves": (motor, max(ear["bark"], ear["howl"]))}
        dog, sea, boat, _, thing = sights[t]
        eye = {"bark": dog, "howl": dog, "waves": sea}
        face = 1 / (1 + math.exp(-3 * (math.log(0.01 / 0.99) - math.log(0.6 / 0.4))))
        beside = {"bark": sea, "howl": sea, "waves": dog}
        for k, label in enumerate(LABELS):
            heard = odds(ear[label]) - np.logaddexp(odds(other[label][0]), odds(other[label][1]))
            own = eye[label] + (0.5 * face if label == "waves" else 0)
            seen = odds(own) - np.logaddexp(odds(max(boat, thing**2)), odds(beside[label]))
            assert found[:, t, k] == pytest.approx([heard, seen], abs=0.02), (t, label)


def test_terms_are_means_over_the_steps_inside(grounding: Grounding) -> None:
    found = np.arange(2 * 8 * 3).reshape(2, 8, 3).astype(np.float16)
    first = float(GRID.to_seconds([0])[0])
    events = Events(
        [first + 0.9, first + 1.6, first - 9.0],
        [first + 2.6, first + 1.8, first + 99.0],
        ["howl", "waves", "bark"],
        [0.5, 0.9, 0.1],
    )
    rows = terms(events, LABELS, GRID, found)
    assert rows[0] == pytest.approx([0, *found[:, 2:6, 1].astype(float).mean(axis=1)])
    assert rows[1] == pytest.approx([odds(0.9), *found[:, 3, 2]])  # between two steps: the nearest to its middle
    assert rows[2] == pytest.approx([odds(0.1), *found[:, :, 0].astype(float).mean(axis=1)])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.floats(0.01, 9), st.sampled_from(LABELS), st.floats(0.001, 0.999)), max_size=12
    ),
    st.integers(1, 30),
)
def test_nothing_is_lost_and_the_plain_line_changes_nothing(
    rows: list[tuple[float, float, str, float]], steps: int
) -> None:
    events = Events(*([r[0] for r in rows], [r[0] + r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows]))
    found = np.random.default_rng(steps).normal(size=(2, steps, 3)).astype(np.float16)
    same = weighed(events, LABELS, GRID, found, IDENTITY)
    assert sorted(zip(same.start_s, same.end_s, same.labels, strict=True)) == sorted(
        zip(events.start_s, events.end_s, events.labels, strict=True)
    )
    assert np.allclose(np.sort(same.score), np.sort(events.score), atol=1e-6)
    other = weighed(events, LABELS, GRID, found, (-1.0, 0.8, 0.3, 0.2))
    assert len(other) == len(events) and np.all(np.diff(other.score) <= 0)
    assert not len(rows) or (other.score.min() >= 0 and other.score.max() <= 1)
