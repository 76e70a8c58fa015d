"""Truth that says an event twice, against the rule written out: pair by pair, what is kept decides."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.evaluation.duplicates import without_duplicates
from avloc.events import Event, Events


def plain(events: Events, tolerance_s: float) -> list[Event]:
    kept: list[Event] = []
    for event in events:
        twins = [
            other
            for other in kept
            if other.label == event.label
            and abs(other.start_s - event.start_s) <= tolerance_s
            and abs(other.end_s - event.end_s) <= tolerance_s
        ]
        if not twins:
            kept.append(event)
    return kept


EVENT = st.builds(
    lambda start, length, label: Event(start, start + length, label),
    st.sampled_from([0.0, 0.0005, 0.001, 0.0015, 0.002, 1.0, 1.001, 1.0011]),
    st.sampled_from([0.0, 2.0, 2.0005, 2.001, 2.0015]),
    st.sampled_from("ab"),
)
TRUTH = st.dictionaries(st.sampled_from("uvw"), st.lists(EVENT, max_size=9).map(Events.of), max_size=3)


@settings(max_examples=300, deadline=None)
@given(TRUTH, st.sampled_from([0.0, 1e-3, 0.5]))
def test_equals_the_rule_written_out(truth: dict[str, Events], tolerance_s: float) -> None:
    once, dropped = without_duplicates(truth, tolerance_s)
    assert list(once) == list(truth)
    for video, events in truth.items():
        kept = plain(events, tolerance_s)
        assert list(once[video]) == kept
        assert dropped.get(video, 0) == len(events) - len(kept)
    assert all(dropped.values())
    assert without_duplicates(once, tolerance_s) == (once, {})


def test_a_hand_made_case() -> None:
    """The second is a twin of the first; the third one of the second alone, which is gone; the class matters."""
    truth = {"u": Events([1, 1.0008, 1.0016, 1], [3, 3, 3, 3], ["dog", "dog", "dog", "cat"])}
    once, dropped = without_duplicates(truth)
    assert once["u"] == truth["u"].take([0, 2, 3]) and dropped == {"u": 1}


def test_no_truth_and_an_odd_tolerance() -> None:
    assert without_duplicates({}) == ({}, {})
    assert without_duplicates({"u": Events()}) == ({"u": Events()}, {})
    with pytest.raises(ValueError, match="tolerance_s is -1"):
        without_duplicates({}, -1)
