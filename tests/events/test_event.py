"""Event and Events: validated, immutable, and whole when nothing is in them."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc import Event, Events

event_lists = st.lists(
    st.builds(
        lambda start, length, label, score: Event(start, start + length, label, score),
        st.floats(0, 1e4),
        st.floats(0, 1e3),
        st.sampled_from(["dog barking", "cat", "小提琴"]),
        st.floats(0, 1),
    ),
    max_size=8,
)


def test_none_at_all_is_valid() -> None:
    empty = Events()
    assert len(empty) == 0 and list(empty) == [] and empty == Events.of([])
    assert empty.start_s.shape == empty.end_s.shape == empty.score.shape == (0,)
    assert len(empty.above(0.5)) == len(empty.by_time()) == len(empty[:3]) == len(empty.take([])) == 0


@given(event_lists)
def test_rows_and_columns_say_the_same(rows: list[Event]) -> None:
    events = Events.of(rows)
    assert list(events) == rows and len(events) == len(rows)
    assert events == Events(events.start_s, events.end_s, events.labels, events.score)
    assert hash(events) == hash(Events.of(rows))
    assert [events[i] for i in range(-len(rows), 0)] == rows
    assert list(events[::-2]) == rows[::-2]


@given(event_lists)
def test_by_time_and_above(rows: list[Event]) -> None:
    events = Events.of(rows)
    assert list(events.by_time()) == sorted(rows, key=lambda e: (e.start_s, e.end_s, e.label))
    assert list(events.above(0.5)) == [e for e in rows if e.score >= 0.5]


def test_take_by_number_and_by_mask() -> None:
    events = Events([0, 1, 2], [1, 2, 3], ["a", "b", "c"], [0.1, 0.2, 0.3])
    assert events.take([2, 0]).labels == ("c", "a")
    assert events.take(np.array([True, False, True])).labels == ("a", "c")
    with pytest.raises(IndexError, match="event 3 of 3"):
        events[3]


def test_truth_has_score_one_and_a_duration() -> None:
    assert Events([1], [3.5], ["a"])[0] == Event(1.0, 3.5, "a", 1.0)
    assert Event(1.0, 3.5, "a").duration_s == 2.5


def test_nothing_can_be_changed() -> None:
    given = np.array([0.0])
    events = Events(given, [1], ["a"])
    given[0] = 5
    assert events.start_s[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        events.start_s[0] = 3
    with pytest.raises(AttributeError, match="immutable"):
        events.score = np.zeros(1)
    with pytest.raises(AttributeError):
        events[0].start_s = 3  # type: ignore[misc]


def test_copies_travel_between_processes() -> None:
    events = Events([0, 1], [1, 2], ["a", "b"], [0.5, 0.6])
    assert copy.deepcopy(events) == pickle.loads(pickle.dumps(events)) == events


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (([0, 1], [1, 2], ["a"]), "start_s has 2 entries for 1 labels"),
        (([0], [1, 2], ["a"]), "end_s has 2 entries"),
        (([0], [1], ["a"], [0.5, 0.5]), "score has 2 entries"),
        (([math.nan], [1], ["a"]), "start_s of event 0 is nan"),
        (([0, 0], [1, math.inf], ["a", "b"]), "end_s of event 1 is inf"),
        (([0], [1], ["a"], [math.nan]), "score of event 0 is nan"),
        (([0, 3], [1, 2], ["a", "b"]), r"event 1 \(b\) ends at 2 s, before its start at 3 s"),
        (([0], [1], [""]), "label of event 0 is ''"),
        (([0], [1], [7]), "label of event 0 is 7"),
        (([[0]], [1], ["a"]), "shape"),
    ],
)
def test_what_is_no_event_is_refused(columns: tuple[object, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Events(*columns)  # type: ignore[arg-type]


def test_events_are_not_equal_to_others_or_to_something_else() -> None:
    one = Events([0], [1], ["a"])
    assert one != Events([0], [1], ["b"]) and one != Events([0], [2], ["a"]) and one != Events([0], [1], ["a"], [0.5])
    assert one != [Event(0, 1, "a")]


def test_a_long_row_is_shortened_for_the_eye() -> None:
    text = repr(Events(np.arange(25), np.arange(25) + 1, ["a"] * 25))
    assert text.startswith("Events(25)") and text.endswith("... 5 more") and text.count("\n") == 21
