"""The score of the best F1 against a plain loop over every score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.evaluation.operating_point import best_f1, judge, quiet_score
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


def test_of_almost_equal_scores_the_surest() -> None:
    start_s, end_s, labels = [10.0 * i for i in range(10)], [10.0 * i + 5 for i in range(10)], ["a"] * 10
    truth = {"v": Events(start_s, end_s, labels)}
    found = {"v": Events(start_s, end_s, labels, [0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.3, 0.3])}
    best, surer = best_f1(found, truth), best_f1(found, truth, almost=0.2)
    assert best is not None and surer is not None
    assert best.score == 0.3 and best.f1 == 1.0
    assert surer.score == 0.4 and surer.f1 == pytest.approx(14 / 17)
    middle = best_f1(found, truth, almost=0.3)
    assert middle is not None and middle.score == 0.5 and middle.f1 == pytest.approx(12 / 16)


def test_detections_are_judged_with_those_of_other_classes_and_videos() -> None:
    truth = {"v": Events([0.0], [1.0], ["a"]), "w": Events()}
    found = {"v": Events([0.0, 0.0], [1.0, 1.0], ["a", "b"], [0.5, 0.7]), "w": Events([0.0], [1.0], ["a"], [0.6])}
    judged = judge(found, truth, 0.5)
    assert judged.score.tolist() == [0.7, 0.6, 0.5] and judged.right.tolist() == [False, False, True]
    assert judged.truths == 1
    point = judged.at(0.6)
    assert (point.precision, point.recall, point.f1) == (0.0, 0.0, 0.0)
    assert judged.at(0.5).recall == 1.0 and judged.at(0.5).precision == pytest.approx(1 / 3)
    assert judge({}, {}, 0.5).at(0.5).precision == 0.0


@pytest.mark.parametrize(("minutes", "shown"), [(4.0, 0), (5.0, 1), (14.0, 2), (15.0, 3), (100.0, 4)])
def test_quiet_videos_stay_quiet(minutes: float, shown: int) -> None:
    scores = [0.9, 0.5, 0.5, 0.2]
    found = {"v": Events([0.0] * 3, [1.0] * 3, ["a"] * 3, scores[:3]), "w": Events([0.0], [1.0], ["b"], scores[3:])}
    least = quiet_score(found, 60 * minutes, 300.0)
    # Two of one score come or go together.
    assert sum(s >= least for s in scores) == {2: 1}.get(shown, shown)
    assert quiet_score({"v": Events()}, 60.0, 300.0) == 0.0 and quiet_score({}, 60.0, 300.0) == 0.0
