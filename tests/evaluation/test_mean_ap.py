"""mAP against plain arithmetic written out here: one detection, one threshold, one class at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.evaluation import mean_ap
from avloc.evaluation.mean_ap import THRESHOLDS
from avloc.events import Event, Events

Videos = dict[str, Events]


def tiou(a: Event, b: Event) -> float:
    shared = max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))
    union = (a.end_s - a.start_s) + (b.end_s - b.start_s) - shared
    return shared / union if union > 0 else 0.0


def interpolated(hits: list[bool], positives: int) -> float:
    """ActivityNet's area: precision at a recall is the best precision at that recall or beyond."""
    precision, recall, right = [0.0], [0.0], 0
    for rank, hit in enumerate(hits, 1):
        right += hit
        precision.append(right / rank)
        recall.append(right / positives)
    precision.append(0.0)
    recall.append(1.0)
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    return sum(
        (recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall)) if recall[i] != recall[i - 1]
    )


def average_precision(detections: Videos, truth: Videos, label: str, threshold: float) -> float:
    found = [(video, e) for video, events in detections.items() for e in events if e.label == label]
    free = {video: [e for e in events if e.label == label] for video, events in truth.items()}
    positives = sum(len(events) for events in free.values())
    hits = []
    for video, detection in sorted(found, key=lambda item: -item[1].score):
        best = None
        for i, goal in enumerate(free.get(video, [])):
            overlap = tiou(detection, goal)
            if overlap >= threshold and (best is None or overlap > best[0]):
                best = overlap, i
        hits.append(best is not None)
        if best is not None:
            free[video].pop(best[1])
    return interpolated(hits, positives)


def reference(detections: Videos, truth: Videos, thresholds: tuple[float, ...]) -> tuple[list[str], np.ndarray]:
    labels = sorted({e.label for events in truth.values() for e in events})
    ap = [[average_precision(detections, truth, label, t) for label in labels] for t in thresholds]
    return labels, np.array(ap).reshape(len(thresholds), len(labels))


def videos(names: str, labels: str, scored: bool) -> st.SearchStrategy[Videos]:
    """Few times and scores, so that ties, duplicates and events of no length are common."""
    event = st.builds(
        lambda start, length, label, score: Event(start, start + length, label, score if scored else 1.0),
        st.integers(-2, 6).map(float) | st.floats(-2, 6),
        st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]),
        st.sampled_from(labels),
        st.sampled_from([0.1, 0.5, 0.5, 0.9]) | st.floats(0, 1),
    )
    return st.dictionaries(st.sampled_from(names), st.lists(event, max_size=7).map(Events.of), max_size=len(names))


@settings(max_examples=300, deadline=None)
@given(videos("uvwx", "abc", True), videos("uvw", "abd", False))
def test_equals_the_arithmetic_written_out(detections: Videos, truth: Videos) -> None:
    got = mean_ap(detections, truth)
    labels, ap = reference(detections, truth, THRESHOLDS)
    assert got.labels == tuple(labels) and got.thresholds == THRESHOLDS
    assert got.ap.shape == ap.shape
    assert np.allclose(got.ap, ap, rtol=0, atol=1e-12)
    expected = float(np.mean([np.mean(row) for row in ap])) if labels else 0.0
    assert got.average == pytest.approx(expected, abs=1e-12)
    assert got.by_label.tolist() == pytest.approx(ap.mean(axis=0).tolist(), abs=1e-12)
    for k, label in enumerate(labels):
        assert got.truth_count[k] == sum(e.label == label for events in truth.values() for e in events)
        assert got.detection_count[k] == sum(e.label == label for events in detections.values() for e in events)


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_arithmetic_where_a_class_has_many_truths(seed: int) -> None:
    """One to nine truths of a class in a video, dozens of detections: groups of every size at once."""
    rng = np.random.default_rng(seed)

    def some(count: int, scored: bool) -> Events:
        start, length = rng.integers(0, 60, count) / 2, rng.integers(0, 12, count) / 2
        score = rng.integers(0, 20, count) / 20 if scored else np.ones(count)
        return Events(start, start + length, rng.choice(["a", "b", "c"], count).tolist(), score)

    truth = {f"v{i}": some(int(rng.integers(0, 16)), False) for i in range(12)}
    detections = {f"v{i}": some(int(rng.integers(0, 60)), True) for i in range(2, 14)}
    labels, ap = reference(detections, truth, THRESHOLDS)
    got = mean_ap(detections, truth)
    assert got.labels == tuple(labels)
    assert np.allclose(got.ap, ap, rtol=0, atol=1e-12)
    assert 0.01 < got.average < 0.99


def test_of_equal_overlaps_the_earlier_truth_is_taken() -> None:
    """Both overlap the first detection by a third. The second fits the later truth alone, which must be free."""
    truth = {"u": Events([0, 2], [2, 4], ["dog", "dog"])}
    found = {"u": Events([1, 2], [3, 4], ["dog", "dog"], [0.9, 0.8])}
    assert mean_ap(found, truth, [0.3]).average == 1.0
    swapped = {"u": Events([2, 0], [4, 2], ["dog", "dog"])}
    assert mean_ap(found, swapped, [0.3]).average == 0.5


def test_segments_outside_of_the_video_and_of_no_length_count_as_they_are() -> None:
    truth = {"u": Events([0, 5], [4, 5], ["dog", "dog"])}
    found = {"u": Events([-4, 5], [4, 5], ["dog", "dog"], [0.5, 0.9])}
    assert mean_ap(found, truth, [0.5]).average == 0.25  # at rank 2, and the truth of no length is never found
    assert mean_ap(found, truth, [0.6]).average == 0.0


@pytest.mark.parametrize("thresholds", [[], [0.0], [0.5, 1.01], [float("nan")]])
def test_odd_thresholds_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(ValueError, match="thresholds are"):
        mean_ap({}, {}, thresholds)


@settings(max_examples=100, deadline=None)
@given(videos("uvw", "abc", False))
def test_truth_detects_itself(truth: Videos) -> None:
    """An event of no length overlaps nothing, and the same event twice is still found twice."""
    real = {video: events.take(events.end_s > events.start_s) for video, events in truth.items()}
    got = mean_ap(real, real)
    assert (got.ap == 1.0).all()
    assert got.average == (1.0 if got.labels else 0.0)


def test_a_hand_made_case() -> None:
    """Right at rank 1 and 3 of three, two of two truths found: 1/2 * 1 + 1/2 * 2/3."""
    truth = {"u": Events([0, 10], [2, 12], ["dog", "dog"])}
    found = {"u": Events([0, 5, 10], [2, 7, 12], ["dog"] * 3, [0.9, 0.8, 0.7])}
    assert mean_ap(found, truth, [0.5]).average == pytest.approx(0.5 + 0.5 * 2 / 3, abs=1e-15)


def test_a_truth_is_found_once() -> None:
    truth = {"u": Events([0], [2], ["dog"])}
    twice = {"u": Events([0, 0], [2, 2], ["dog", "dog"], [0.9, 0.8])}
    assert mean_ap(twice, truth, [0.5]).average == 1.0
    first_wrong = {"u": Events([5, 0], [7, 2], ["dog", "dog"], [0.9, 0.8])}
    assert mean_ap(first_wrong, truth, [0.5]).average == 0.5


def test_the_best_overlapping_free_truth_is_taken() -> None:
    """Both reach the threshold; taking the nearer one leaves the other for the second detection."""
    truth = {"u": Events([0, 1], [10, 10], ["dog", "dog"])}
    found = {"u": Events([1, 0], [10, 9], ["dog", "dog"], [0.9, 0.8])}
    assert mean_ap(found, truth, [0.85]).average == 1.0


def test_a_threshold_is_reached_by_equality() -> None:
    truth, found = {"u": Events([0], [4], ["dog"])}, {"u": Events([0], [2], ["dog"])}
    assert mean_ap(found, truth, [0.5]).average == 1.0
    assert mean_ap(found, truth, [0.5 + 1e-9]).average == 0.0


def test_classes_without_truth_are_left_out_and_classes_without_detections_count_zero() -> None:
    truth = {"u": Events([0, 3], [2, 5], ["dog", "cat"])}
    found = {"u": Events([0, 0], [2, 2], ["dog", "cow"], [0.5, 0.9])}
    got = mean_ap(found, truth)
    assert got.labels == ("cat", "dog")
    assert got.ap[:, 0].tolist() == [0.0] * 9 and got.ap[:, 1].tolist() == [1.0] * 9
    assert got.average == 0.5


def test_an_unknown_video_counts_as_false() -> None:
    truth = {"u": Events([0], [2], ["dog"])}
    found = {"other": Events([0], [2], ["dog"], [0.9]), "u": Events([0], [2], ["dog"], [0.8])}
    assert mean_ap(found, truth).average == 0.5


@pytest.mark.parametrize("truth", [{}, {"u": Events()}])
@pytest.mark.parametrize("found", [{}, {"u": Events([0], [2], ["dog"])}])
def test_no_truth_is_no_class(found: Videos, truth: Videos) -> None:
    got = mean_ap(found, truth)
    assert got.labels == () and got.ap.shape == (9, 0)
    assert got.average == 0.0 and got.at(0.5) == 0.0


def test_at_names_a_threshold() -> None:
    truth, found = {"u": Events([0], [4], ["dog"])}, {"u": Events([0], [2.2], ["dog"])}
    got = mean_ap(found, truth)
    assert [got.at(t) for t in (0.1, 0.5, 0.6, 0.9)] == [1.0, 1.0, 0.0, 0.0]
    with pytest.raises(ValueError, match=r"not computed at 0\.75; the thresholds are 0\.1, 0\.2"):
        got.at(0.75)
