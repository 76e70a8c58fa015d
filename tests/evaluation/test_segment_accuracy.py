"""Segment accuracy: numbers worked out by hand, a plain loop, and the threshold that a validation split chooses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.evaluation.segment_accuracy import best_accuracy, segment_accuracy
from avloc.events import Event, Events

TEN = {"a": 10.0, "b": 10.0}


def test_two_clips_by_hand() -> None:
    """Clip a: a bell from 2 s to 6 s. Clip b: nothing.

    a: found from 3.4 s to 7 s covers the middles of seconds 4, 5, 6 (3.5 is covered too: 3.4 <= 3.5): 3, 4, 5, 6.
    Right: 0, 1 (none), 3, 4, 5 (bell), 7, 8, 9 (none) = 8; wrong: 2 (missed), 6 (false).
    b: a dog with 0.9 from 0 to 2, which a bell with 0.95 hides in second 1: 2 wrong, 8 right.
    """
    truth = {"a": Events([2], [6], ["bell"]), "b": Events()}
    found = {
        "a": Events([3.4], [7.0], ["bell"], [0.6]),
        "b": Events([0, 1], [2, 2], ["dog", "bell"], [0.9, 0.95]),
    }
    score = segment_accuracy(found, truth, TEN, min_score=0.5)
    assert (score.segments, score.right, score.background, score.background_right) == (20, 16, 16, 13)
    assert score.accuracy == 0.8
    # Nothing is told: the 16 seconds without an event are right.
    assert segment_accuracy(found, truth, TEN, min_score=0.99).right == 16
    # With 0.9 the bell of clip a is silent: its 4 seconds are missed; b has 2 false seconds.
    assert segment_accuracy(found, truth, TEN, min_score=0.9).right == 14
    assert (
        best_accuracy(found, truth, TEN).min_score > 1
    )  # 0.6 is right 16 times as well: to tell nothing is no worse


def test_the_surer_class_is_the_one_that_is_told() -> None:
    truth = {"a": Events([0, 0], [10, 3], ["bell", "dog"])}
    found = {"a": Events([0, 0, 0], [10, 10, 5], ["dog", "bell", "cat"], [0.5, 0.7, 0.8])}
    assert segment_accuracy(found, truth, TEN).right == 5  # the cat hides five seconds
    assert segment_accuracy({"a": found["a"].take([0, 1])}, truth, TEN).right == 10
    assert segment_accuracy({"a": found["a"].take([0])}, truth, TEN).right == 3


def loop(found: dict[str, Events], truth: dict[str, Events], durations: dict[str, float], least: float) -> int:
    right = 0
    for video, goal in truth.items():
        for second in range(int(np.ceil(durations[video]))):
            middle = second + 0.5
            there = {e.label for e in goal if e.start_s <= middle < e.end_s}
            told, best = None, -1.0
            for event in found.get(video, Events()):
                if event.score >= least and event.start_s <= middle < event.end_s and event.score > best:
                    told, best = event.label, event.score
            right += told in there if told is not None else not there
    return right


events = st.lists(
    st.tuples(st.floats(0, 9), st.floats(0.1, 6), st.sampled_from("xyz"), st.integers(0, 20)), max_size=6
).map(lambda rows: Events.of(Event(a, a + n, label, score / 20) for a, n, label, score in rows))
sets = st.dictionaries(st.sampled_from(["a", "b", "c"]), events, min_size=1, max_size=3)


@given(sets, sets, st.integers(0, 20))
def test_as_the_plain_loop(found: dict[str, Events], truth: dict[str, Events], least: int) -> None:
    durations = {video: 10.0 if video == "a" else 7.3 for video in truth}
    score = segment_accuracy(found, truth, durations, min_score=least / 20)
    assert score.right == loop(found, truth, durations, least / 20)
    assert score.segments == sum(10 if video == "a" else 8 for video in truth)
    best = best_accuracy(found, truth, durations)
    assert best.right == max(loop(found, truth, durations, at / 20) for at in range(22))
    assert best.right == segment_accuracy(found, truth, durations, min_score=best.min_score).right


def test_no_clip_and_no_length() -> None:
    assert segment_accuracy({}, {}, {}).accuracy == 0.0 and best_accuracy({}, {}, {}).segments == 0
    with pytest.raises(ValueError, match="length of video 'a' is not known"):
        segment_accuracy({}, {"a": Events()}, {"a": float("inf")})
    with pytest.raises(ValueError, match="segment_s is 0"):
        segment_accuracy({}, {"a": Events()}, TEN, segment_s=0)
