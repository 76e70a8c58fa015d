"""The score of the best F1 against a plain loop over every score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.evaluation.operating_point import best_f1
from avloc.events import Event, Events

Videos = dict[str, Events]


def plain(detections: Videos, truth: Videos, tiou: float) -> tuple[float, float]:
    """Best F1 and its score: for each score, detections of at least it take free truths greedily."""
    best = (0.0, -1.0)
    for limit in {s for events in detections.values() for s in events.score.tolist()}:
        right = shown = 0
        for video, events in detections.items():
            free = list(truth.get(video, Events()))
            for one in sorted((e for e in events if e.score >= limit), key=lambda e: -e.score):
                shown += 1
                overlaps = [share(one, other) if other.label == one.label else 0.0 for other in free]
                if overlaps and max(overlaps) >= tiou:
                    free.pop(overlaps.index(max(overlaps)))
                    right += 1
        f1 = 2 * right / (shown + sum(len(events) for events in truth.values()))
        if right:
            best = max(best, (f1, limit))
    return best


def share(a: Event, b: Event) -> float:
    shared = max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))
    union = (a.end_s - a.start_s) + (b.end_s - b.start_s) - shared
    return shared / union if union else 0.0


def events(labels: str) -> st.SearchStrategy[Events]:
    row = st.builds(
        lambda start, length, label, score: Event(start, start + length, label, score),
        st.integers(0, 6).map(float),
        st.integers(1, 4).map(float),
        st.sampled_from(labels),
        st.integers(1, 8).map(lambda n: n / 8),
    )
    return st.lists(row, max_size=6).map(Events.of)


@given(
    st.dictionaries(st.sampled_from("uvwx"), events("abc")),
    st.dictionaries(st.sampled_from("uvw"), events("ab")),
    st.sampled_from([0.3, 0.5, 0.7]),
)
def test_the_best_score_is_the_best_of_a_loop(detections: Videos, truth: Videos, tiou: float) -> None:
    f1, score = plain(detections, truth, tiou)
    got = best_f1(detections, truth, tiou)
    if got is None:
        assert score == -1.0
        return
    assert got.f1 == pytest.approx(f1) and got.score == score


def test_nothing_right_gives_no_score() -> None:
    one = {"v": Events([0.0], [1.0], ["a"], [0.5])}
    assert best_f1({}, {}) is None
    assert best_f1({}, one) is None
    assert best_f1(one, {}) is None
    assert best_f1(one, {"v": Events([0.0], [1.0], ["b"])}) is None


def test_precision_and_recall_at_the_best_score() -> None:
    truth = {"v": Events([0.0, 5.0], [1.0, 6.0], ["a", "a"])}
    found = {"v": Events([0.0, 9.0, 5.0, 7.0], [1.0, 10.0, 6.0, 8.0], ["a"] * 4, [0.9, 0.8, 0.7, 0.6])}
    got = best_f1(found, truth)
    assert got is not None
    assert (got.score, got.recall) == (0.7, 1.0) and got.precision == pytest.approx(2 / 3)
    assert got.f1 == pytest.approx(0.8)
