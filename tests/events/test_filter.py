"""Choosing from events: done twice is done once, their order does not matter, and nothing grows."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc import Event, Events
from avloc.errors import ConfigError
from avloc.events.filter import EventFilter, merge_near, nearest_class, within

LABELS = ("dog barking", "cat", "小提琴")
# A grid of quarter seconds makes events touch, coincide and lie at the edges of the stretch.
QUARTERS = st.integers(0, 60).map(lambda n: n / 4)
EVENTS = st.lists(
    st.builds(
        lambda a, b, label, score: Event(min(a, b), max(a, b), label, score),
        QUARTERS,
        QUARTERS,
        st.sampled_from(LABELS),
        st.integers(0, 10).map(lambda n: n / 10),
    ),
    max_size=12,
).map(Events.of)
SOME = st.sets(st.sampled_from(LABELS), max_size=2).map(lambda names: tuple(sorted(names)))
FILTERS = st.builds(
    lambda keep, drop, score, by_class, length, gap, start, end: EventFilter(
        keep, tuple(set(drop) - set(keep)), score, by_class, length, gap, start, start + end
    ),
    SOME,
    SOME,
    st.sampled_from([0, 0.3, 0.8]),
    st.dictionaries(st.sampled_from(LABELS), st.sampled_from([0.2, 0.9])),
    QUARTERS.map(lambda length: length / 4),
    st.none() | QUARTERS.map(lambda gap: gap / 4),
    QUARTERS.map(lambda start: start / 4),
    QUARTERS.map(lambda length: length + 0.25),
)


def ordered(events: Events) -> list[tuple[float, float, str, float]]:
    return sorted((e.start_s, e.end_s, e.label, e.score) for e in events)


@given(EVENTS, FILTERS)
def test_twice_is_once(events: Events, wanted: EventFilter) -> None:
    once = wanted(events)
    assert wanted(once) == once


@given(EVENTS, FILTERS, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(events: Events, wanted: EventFilter, chance: random.Random) -> None:
    rows = list(events)
    chance.shuffle(rows)
    assert ordered(wanted(Events.of(rows))) == ordered(wanted(events))


@given(EVENTS, FILTERS)
def test_nothing_is_longer_surer_or_elsewhere_than_what_was_there(events: Events, wanted: EventFilter) -> None:
    kept = wanted(events)
    assert len(kept) <= len(events)
    for event in kept:
        of_class = [e for e in events if e.label == event.label and e.end_s >= wanted.start_s]
        under = [e for e in of_class if e.start_s <= event.end_s and e.end_s >= event.start_s]
        assert min(e.start_s for e in under) <= event.start_s <= event.end_s <= max(e.end_s for e in under)
        assert wanted.start_s <= event.start_s and event.end_s <= wanted.end_s
        assert event.duration_s >= wanted.min_length_s
        least = wanted.min_scores.get(event.label, wanted.min_score)
        assert least <= event.score <= max(e.score for e in under)
        assert event.label not in wanted.not_labels and event.label in (wanted.labels or LABELS)
        filled = sum(e.duration_s for e in under) + (wanted.merge_gap_s or 0) * (len(under) - 1)
        assert event.duration_s <= filled + 1e-9


@given(EVENTS, FILTERS)
def test_what_does_not_join_events_may_come_in_any_order(events: Events, wanted: EventFilter) -> None:
    plain = replace(wanted, merge_gap_s=None, min_length_s=0.0)
    labels = EventFilter(labels=plain.labels, not_labels=plain.not_labels)
    scores = EventFilter(min_score=plain.min_score, min_scores=plain.min_scores)
    stretch = EventFilter(start_s=plain.start_s, end_s=plain.end_s)
    for steps in ((labels, scores, stretch), (stretch, labels, scores), (scores, stretch, labels)):
        left = events
        for step in steps:
            left = step(left)
        assert left == plain(events)


@given(EVENTS, QUARTERS)
def test_merged_events_of_a_class_lie_apart_and_cover_what_was_there(events: Events, gap_s: float) -> None:
    merged = merge_near(events, gap_s)
    for label in LABELS:
        mine = merged.where(label=label)
        assert all(after.start_s - before.end_s > gap_s for before, after in itertools.pairwise(mine))
        for event in events.where(label=label):
            assert any(m.start_s <= event.start_s and event.end_s <= m.end_s for m in mine)


def test_a_stretch_cuts_what_crosses_it_and_leaves_out_what_touches_it() -> None:
    events = Events([0, 1, 4, 6, 2, 6], [2, 3, 8, 9, 2, 6], list("abcdef"))
    assert within(events, 2, 6) == Events([2, 4, 2], [3, 6, 2], list("bce"))


def test_the_whole_way() -> None:
    events = Events([0, 2, 2.5, 9], [1, 3, 4, 9.2], ["dog", "cat", "dog", "dog"], [0.4, 0.6, 0.9, 0.9])
    assert events.where(label="dog", merge_gap_s=1.5, length_s=0.5) == Events([0], [4], ["dog"], [0.9])
    assert events.where(score={"cat": 0.7}, not_label=["x"]) == events.take([0, 2, 3])
    assert events.where(score=0.5, start_s=2.7, end_s=3.5) == Events([2.7, 2.7], [3, 3.5], ["cat", "dog"], [0.6, 0.9])
    assert events.where() == events and events.where(label=[]) == events.where(label="bird") == Events()


def test_a_typo_names_the_nearest_class() -> None:
    known = ("dog barking", "cat", "People Laughing")
    EventFilter(labels=("cat",), min_scores={"dog barking": 0.5}).require_known(known)
    with pytest.raises(ConfigError, match="no class 'dog barkin'; did you mean 'dog barking'"):
        EventFilter(labels=("cat", "dog barkin")).require_known(known)
    with pytest.raises(ConfigError, match="'people laughing'; did you mean 'People Laughing'"):
        EventFilter(min_scores={"people laughing": 0.5}).require_known(known)
    assert nearest_class("Dog", known) == "did you mean 'dog barking'?"
    assert nearest_class("laughin", known) == "did you mean 'People Laughing'?"
    assert nearest_class("dogg", known) == "did you mean 'dog barking'?"
    assert nearest_class("xyz", known) == "the classes are People Laughing, cat, dog barking"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"min_length_s": -1}, "min_length_s is -1"),
        ({"merge_gap_s": float("inf")}, "merge_gap_s is inf"),
        ({"min_scores": {"cat": float("nan")}}, "score 'cat' is nan"),
        ({"start_s": 3, "end_s": 3}, "from 3 to 3 s is none"),
        ({"labels": ("cat",), "not_labels": ("cat",)}, "to be kept and to be left out"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        EventFilter(**settings)  # type: ignore[arg-type]
