"""What is heard only and seen only lies outside the events of its class, and nothing faint or unsure is told."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.events import Event, Events
from avloc.events.filter import EventFilter
from avloc.events.modality import AUDIO, BOTH, VISUAL
from avloc.evidence.apart import (
    EAR,
    EYE,
    LEAST_S,
    ClassEvidence,
    Curve,
    apart,
    chosen_apart,
    perceived,
    with_modalities,
)
from avloc.timegrid import TimeGrid

GRID = TimeGrid.centred(0.32, 0.96)
LABELS = ("dog", "wolf", "bus")
ALIKE = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], bool)


def evidence(
    heard: dict[str, tuple[float, float, float]], seen: dict[str, tuple[float, float, float]], steps: int = 100
) -> ClassEvidence:
    """Of classes: how strongly (alone; the other strength is the same), from and to which second."""
    strength = np.zeros((4, steps, 3), np.float32)
    times_s = GRID.to_seconds(np.arange(steps))
    for places, spans in (((0, 2), heard), ((1, 3), seen)):
        for label, (value, start_s, end_s) in spans.items():
            strength[np.ix_(places, (times_s >= start_s) & (times_s < end_s), [LABELS.index(label)])] = value
    return ClassEvidence(GRID, LABELS, strength, ALIKE)


def told(found: ClassEvidence, events: Events = Events()) -> list[tuple[str, str, float, float]]:  # noqa: B008
    return [
        (r.modality, r.event.label, round(r.event.start_s, 1), round(r.event.end_s, 1)) for r in apart(found, events)
    ]


def test_what_only_one_sense_tells_is_apart() -> None:
    found = evidence({"dog": (0.9, 5, 12)}, {"bus": (0.9, 20, 29)})
    assert [row[:2] for row in told(found)] == [(AUDIO, "dog"), (VISUAL, "bus")]
    (_, _, start_s, end_s), (_, _, bus_s, bus_end_s) = told(found)
    assert abs(start_s - 5) < 0.7 and abs(end_s - 12) < 0.7 and abs(bus_s - 20) < 0.7 and abs(bus_end_s - 29) < 0.7
    heard, seen = apart(found, Events())
    assert heard.event.score == heard.heard > 0.9 > 0.1 > heard.seen
    assert seen.event.score == seen.seen > 0.8 > 0.1 > seen.heard


def test_what_both_tell_is_no_matter_of_one_and_faint_or_short_things_are_none() -> None:
    assert told(evidence({"dog": (0.9, 5, 12)}, {"dog": (0.5, 5, 12)})) == []
    assert told(evidence({"dog": (0.2, 5, 12)}, {})) == []
    assert told(evidence({"dog": (0.9, 5, 5.4)}, {})) == []


def test_classes_stretch_and_length_are_chosen_as_of_events_but_thresholds_are_not() -> None:
    found = evidence({"dog": (0.9, 5, 12)}, {"bus": (0.9, 20, 29)})
    for wanted, labels in (
        (EventFilter(labels=("bus",)), ["bus"]),
        (EventFilter(not_labels=("bus",)), ["dog"]),
        (EventFilter(start_s=13), ["bus"]),
        (EventFilter(end_s=5.5), []),  # half a second of it is too little to tell of
        (EventFilter(min_length_s=8), ["bus"]),
        (EventFilter(min_score=1.0, min_scores={"dog": 1.0}, merge_gap_s=50), ["dog", "bus"]),
    ):
        rows = apart(found, Events(), wanted)
        assert [row.event.label for row in rows] == labels
        assert {e.label.split(" (")[0] for e in chosen_apart(with_modalities(apart(found, Events())), wanted)} >= {
            *labels
        }
    (cut,) = apart(found, Events(), EventFilter(start_s=25, end_s=60))
    assert cut.event.start_s == 25 and cut.modality == VISUAL
    (kept,) = chosen_apart(with_modalities([cut]), EventFilter(end_s=27))
    assert (kept.start_s, kept.end_s, kept.label) == (25, 27, "bus (visual)")


def test_of_alike_classes_the_strongest_is_told() -> None:
    both = {"dog": (0.8, 5, 12), "wolf": (0.6, 5, 12)}
    assert [row[1] for row in told(evidence(both, {}))] == ["dog"]


def test_events_of_the_class_are_left_out_of_it() -> None:
    found = evidence({"dog": (0.9, 5, 20)}, {})
    events = Events([8, 9, 0], [10, 12, 30], ["dog", "dog", "bus"], [0.9, 0.8, 0.9])
    assert [row[:2] for row in told(found, events)] == [(AUDIO, "dog")] * 2
    (_, _, a, b), (_, _, c, d) = told(found, events)
    assert abs(a - 5) < 0.7 and (b, c) == (8.0, 12.0) and abs(d - 20) < 0.7


def test_events_keep_their_score_and_get_two_certainties() -> None:
    found = evidence({"dog": (0.9, 5, 12)}, {"dog": (0.9, 5, 12)})
    sure, unsure, unknown = perceived(found, Events([5, 20, 5], [12, 28, 9], ["dog", "dog", "cow"], [0.8, 0.3, 0.3]))
    assert (sure.modality, sure.event.score) == (BOTH, 0.8)
    assert sure.heard > 0.9 and sure.seen > 0.9 and unsure.heard < 0.1 and unsure.seen < 0.3 and unknown.heard < 0.1
    at_the_end = perceived(found, Events([31.9, 500], [32, 501], ["dog", "dog"]))  # behind the last step too
    assert all(0 <= row.heard <= 1 and 0 <= row.seen <= 1 for row in at_the_end)


SPANS = st.dictionaries(
    st.sampled_from(LABELS), st.tuples(st.floats(0, 1), st.floats(0, 30), st.floats(0, 32)), max_size=3
)
EVENTS = st.lists(
    st.builds(
        lambda a, n, label: Event(a, a + n, label, 0.7), st.floats(0, 30), st.floats(0, 9), st.sampled_from(LABELS)
    ),
    max_size=4,
).map(Events.of)


@settings(max_examples=60, deadline=None)
@given(SPANS, SPANS, EVENTS)
def test_rows_are_sound_whatever_comes(
    heard: dict[str, tuple[float, float, float]], seen: dict[str, tuple[float, float, float]], events: Events
) -> None:
    rows = apart(evidence(heard, seen), events)
    for row in rows:
        assert row.event.duration_s >= LEAST_S - 1e-9 and row.modality in (AUDIO, VISUAL)
        assert 0 <= row.event.score <= 1
        for event in events:
            apart_from_it = row.event.end_s <= event.start_s or row.event.start_s >= event.end_s
            assert event.label != row.event.label or apart_from_it or event.duration_s == 0
    for modality in (AUDIO, VISUAL):
        mine = sorted((r.event.label, r.event.start_s, r.event.end_s) for r in rows if r.modality == modality)
        assert all(a[0] != b[0] or a[2] <= b[1] for a, b in itertools.pairwise(mine))


@pytest.mark.parametrize("curve", [EAR.by_itself, EYE.by_itself, EAR.of_events, EYE.of_events, Curve(1, 0)])
def test_more_evidence_is_more_certainty(curve: Curve) -> None:
    said = [curve(x, 0.5) for x in np.linspace(0, 1, 30)]
    assert said == sorted(said) and 0 <= said[0] < said[-1] <= 1
