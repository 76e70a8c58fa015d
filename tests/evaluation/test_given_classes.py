"""Segments of given classes, against the definitions written out question by question and second by second."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.evaluation.bootstrap import drawn_videos
from avloc.evaluation.given_classes import given_classes, iou_of_unions
from avloc.events import Event, Events

Videos = dict[str, Events]
Segments = list[tuple[float, float]]


def tiou(a: tuple[float, float], b: tuple[float, float]) -> float:
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - shared
    return shared / union if union > 0 else 0.0


def union_iou(a: Segments, b: Segments) -> float:
    """On a grid of half seconds, on which all times of these tests lie."""

    def cells(spans: Segments) -> set[int]:
        return {k for start, end in spans for k in range(round(2 * start), round(2 * end))}

    either = cells(a) | cells(b)
    return len(cells(a) & cells(b)) / len(either) if either else 0.0


def harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def plain(detections: Videos, truth: Videos, limits: tuple[float, ...], least: float) -> dict[str, float]:
    questions: list[tuple[Segments, Segments]] = []
    for video, events in truth.items():
        for label in sorted({e.label for e in events}):
            true = [(e.start_s, e.end_s) for e in events if e.label == label]
            found = [(e.start_s, e.end_s) for e in detections.get(video, ()) if e.label == label and e.score >= least]
            questions.append((true, found))
    scores = {"mean_iou": np.mean([union_iou(t, f) for t, f in questions]) if questions else math.nan}
    for limit in limits:
        every_true = [max([tiou(t, f) for f in found], default=0) for true, found in questions for t in true]
        every_found = [max([tiou(t, f) for t in true], default=0) for true, found in questions for f in found]
        recall = sum(x >= limit for x in every_true) / len(every_true) if every_true else math.nan
        precision = sum(x >= limit for x in every_found) / len(every_found) if every_found else 0.0
        scores[f"F1 {limit}"] = math.nan if math.isnan(recall) else harmonic(recall, precision)
    several = [(len(t), len(f)) for t, f in questions if len(t) > 1]
    single = [len(f) for t, f in questions if len(t) == 1]
    scores["few"] = scores["many"] = math.nan
    if several:
        coverage = sum(min(n, m) / max(n, m) for n, m in several) / len(several)
        floor = sum(1 / n for n, _ in several) / len(several)
        scores["few"] = max(0.0, (coverage - floor) / (1 - floor))
    if single:
        scores["many"] = sum(m == 1 for m in single) / len(single)
    scores["count"] = harmonic(scores["few"], scores["many"]) if several and single else math.nan
    return scores


def got(detections: Videos, truth: Videos, limits: tuple[float, ...], least: float | None) -> dict[str, float]:
    of = given_classes(detections, truth, least, limits).scores()
    return {
        "mean_iou": float(of.mean_iou),
        **{f"F1 {limit}": float(f1) for limit, f1 in zip(limits, of.f1, strict=True)},
        "few": float(of.not_too_few),
        "many": float(of.not_too_many),
        "count": float(of.count_f1),
    }


def videos(names: str, labels: str, most: int) -> st.SearchStrategy[Videos]:
    event = st.builds(
        lambda start, length, label, score: Event(start / 2, (start + length) / 2, label, score),
        st.integers(0, 12),
        st.integers(0, 8),
        st.sampled_from(labels),
        st.sampled_from([0.2, 0.5, 0.9]),
    )
    return st.dictionaries(st.sampled_from(names), st.lists(event, max_size=most).map(Events.of), max_size=len(names))


@settings(max_examples=400, deadline=None)
@given(videos("uvwx", "abc", 8), videos("uvw", "abd", 5), st.sampled_from([0.0, 0.5, 1.0]))
def test_equals_the_definitions_written_out(detections: Videos, truth: Videos, least: float) -> None:
    limits = (0.3, 0.5, 0.7)
    expected = plain(detections, truth, limits, least)
    assert got(detections, truth, limits, least) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=100, deadline=None)
@given(videos("uvw", "ab", 5))
def test_truth_answers_perfectly(truth: Videos) -> None:
    """Segments of no length cover nothing, and touching ones are still two."""
    real = {video: events.take(events.end_s > events.start_s) for video, events in truth.items()}
    scores = got(real, real, (0.3, 1.0), None)
    assert all(value == 1 or math.isnan(value) for value in scores.values())


def test_a_hand_made_case() -> None:
    """Two questions of several events and two of one; one answer each is the floor of the first kind."""
    truth = {
        "u": Events([0, 10, 20], [4, 14, 24], ["dog", "dog", "cat"]),
        "v": Events([0, 10, 20, 30, 5], [4, 14, 24, 34, 6], ["dog"] * 4 + ["cat"]),
    }
    one_each = {
        "u": Events([0, 20, 3], [4, 24, 9], ["dog", "cat", "cow"]),
        "v": Events([0, 5], [4, 6], ["dog", "cat"]),
        "w": Events([0], [9], ["dog"]),
    }
    of = given_classes(one_each, truth).scores()
    assert of.coverage == of.floor == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert of.not_too_few == 0 and of.not_too_many == 1 and of.count_f1 == 0
    assert of.mean_iou == pytest.approx((1 / 2 + 1 + 1 / 4 + 1) / 4)
    assert of.precision.tolist() == [1, 1, 1] and of.recall == pytest.approx([4 / 8] * 3)
    merged = {"u": Events([0, 20], [14, 24], ["dog", "cat"]), "v": Events([0, 5], [34, 6], ["dog", "cat"])}
    assert given_classes(merged, truth).scores().mean_iou == pytest.approx((8 / 14 + 1 + 16 / 34 + 1) / 4)
    split = {"u": Events([0, 2, 10, 20, 22], [2, 4, 14, 22, 24], ["dog"] * 3 + ["cat"] * 2)}
    of = given_classes(split, {"u": truth["u"]}).scores()
    assert of.mean_iou == 1 and of.not_too_many == 0 and of.count_f1 == 0
    assert of.coverage == pytest.approx(2 / 3) and of.not_too_few == pytest.approx((2 / 3 - 1 / 2) / (1 / 2))


def test_several_may_reach_one_and_the_same() -> None:
    truth = {"u": Events([0], [10], ["dog"])}
    twice = {"u": Events([0, 1], [10, 10], ["dog", "dog"])}
    of = given_classes(twice, truth, None, [0.5]).scores()
    assert of.recall.tolist() == [1] and of.precision.tolist() == [1]


def test_draws_are_the_measures_of_the_drawn_videos() -> None:
    rng = np.random.default_rng(0)

    def some(most: int) -> Events:
        count = int(rng.integers(0, most))
        start = rng.integers(0, 12, count) / 2
        return Events(start, start + rng.integers(1, 9, count) / 2, rng.choice(["a", "b"], count).tolist())

    truth, found = {f"v{i}": some(6) for i in range(9)}, {f"v{i}": some(7) for i in range(11)}
    of = given_classes(found, truth).draws(210, 4)
    times = np.concatenate([block.T for block in drawn_videos(9, 210, 4)])
    assert of.f1.shape == (210, 3) and of.mean_iou.shape == of.count_f1.shape == (210,)
    for r in range(0, 210, 7):
        copies = [(f"{v} {i}", v) for v, count in zip(truth, times[r], strict=True) for i in range(count)]
        expected = plain({c: found[v] for c, v in copies}, {c: truth[v] for c, v in copies}, (0.3, 0.5, 0.7), 0)
        assert [of.mean_iou[r], *of.f1[r], of.count_f1[r]] == pytest.approx(
            [expected[k] for k in ("mean_iou", "F1 0.3", "F1 0.5", "F1 0.7", "count")], abs=1e-12, nan_ok=True
        )


def test_no_truth_is_no_number() -> None:
    for truth in ({}, {"u": Events()}):
        of = given_classes({"u": Events([0], [1], ["a"])}, truth)
        assert len(of.video) == 0 and math.isnan(of.scores().mean_iou) and math.isnan(of.scores().count_f1)
        assert np.isnan(of.draws(3).f1).all()


SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9)), max_size=6)


@settings(max_examples=200, deadline=None)
@given(SPANS, SPANS)
def test_iou_of_unions(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    a = [(start / 2, (start + length) / 2) for start, length in first]
    b = [(start / 2, (start + length) / 2) for start, length in second]
    spans = [np.array(spans, np.float64).reshape(-1, 2) for spans in (a, b)]
    assert iou_of_unions(*spans) == pytest.approx(union_iou(a, b), abs=1e-12) == iou_of_unions(*spans[::-1])


@pytest.mark.parametrize("thresholds", [[], [0.0], [1.5]])
def test_odd_thresholds_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(ValueError, match="thresholds are"):
        given_classes({}, {}, None, thresholds)
