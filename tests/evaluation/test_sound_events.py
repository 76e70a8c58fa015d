"""Sound-event F1 against hand counts, numbers of sed_eval and sed_scores_eval, and, where installed, the two."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from avloc.evaluation.sound_events import F1Scores, event_based, intersection_based, most_pairs, segment_based
from avloc.events import Event, Events

Videos = dict[str, Events]
LABELS = ("bell", "dog", "rain")


def one(*events: tuple[float, float, str, float]) -> Videos:
    return {"v": Events.of([Event(*event) for event in events])}


def counts(scores: F1Scores) -> list[tuple[int, int, int]]:
    columns = (scores.true_positives, scores.false_positives, scores.false_negatives)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_segments_are_on_where_an_event_touches_them() -> None:
    truth = one((0.5, 2.5, "dog", 1), (2.0, 4.0, "rain", 1))
    found = one((1.0, 4.5, "dog", 0.9), (0.0, 9.0, "rain", 0.4), (0.0, 5.0, "cat", 0.9))
    scores = segment_based(found, truth, min_score=0.5)
    # dog: truth in segments 0, 1, 2; found in 1, 2, 3, 4. The rain found is too unsure, the cat has no truth.
    assert scores.labels == ("dog", "rain") and counts(scores) == [(2, 2, 1), (0, 0, 2)]
    assert scores.f1.tolist() == pytest.approx([4 / 7, 0.0])
    assert scores.macro == pytest.approx(2 / 7) and scores.micro == pytest.approx(4 / 9)
    assert counts(segment_based(found, truth, segment_s=0.5)) == [(3, 4, 1), (0, 0, 4)]
    assert counts(segment_based(found, truth, min_score=0.4))[1] == (2, 7, 0)
    # The video begins at 0 s.
    assert counts(segment_based(one((-2.0, 1.0, "dog", 1)), truth))[0] == (1, 0, 2)


@pytest.mark.parametrize(
    ("start_s", "end_s", "right"),
    [
        (10.0, 20.0, True),
        (10.19, 20.0, True),
        (9.79, 20.0, False),
        (10.0, 21.9, True),  # a fifth of the event's ten seconds
        (10.0, 22.1, False),
        (10.0, 18.1, True),
    ],
)
def test_both_ends_lie_within_their_collars(start_s: float, end_s: float, right: bool) -> None:
    scores = event_based(one((start_s, end_s, "dog", 1)), one((10.0, 20.0, "dog", 1)))
    assert counts(scores) == [(1, 0, 0) if right else (0, 1, 1)]


def test_the_end_of_a_short_event_has_the_collar_in_seconds() -> None:
    truth = one((1.0, 1.3, "dog", 1))
    assert event_based(one((1.0, 1.45, "dog", 1)), truth).micro == 1
    assert event_based(one((1.0, 1.45, "dog", 1)), truth, offset_collar_s=0.1).micro == 0


def test_a_detection_is_not_wasted_on_a_truth_that_another_could_take() -> None:
    # The first detection fits both truths, the second one only the first truth: two matches are possible.
    truth = one((0.0, 5.0, "dog", 1), (0.3, 5.0, "dog", 1))
    found = one((0.15, 5.0, "dog", 1), (0.45, 5.0, "dog", 1))
    assert counts(event_based(found, truth)) == [(2, 0, 0)]
    assert counts(event_based(one((0.15, 5.0, "dog", 1), (0.15, 5.0, "dog", 1), (0.1, 5.0, "dog", 1)), truth)) == [
        (2, 1, 0)
    ]


def test_intersection_forgives_pieces_and_not_repetition() -> None:
    truth = one((0.0, 10.0, "dog", 1))
    pieces = one((0.0, 3.0, "dog", 1), (6.0, 9.0, "dog", 1))
    assert counts(intersection_based(pieces, truth)) == [(1, 0, 0)]
    assert counts(intersection_based(pieces, truth, truth_tolerance=0.7)) == [(0, 0, 1)]
    # Half of the detection lies on truth: enough; a bit less: false, and what it covers is not counted.
    assert counts(intersection_based(one((5.0, 15.0, "dog", 1)), truth)) == [(1, 0, 0)]
    assert counts(intersection_based(one((5.1, 15.1, "dog", 1)), truth)) == [(0, 1, 1)]
    # Three times the same four seconds are four seconds.
    assert counts(intersection_based(one(*[(0.0, 4.0, "dog", 1.0)] * 3), truth)) == [(0, 0, 1)]
    assert counts(intersection_based(one((2.0, 2.0, "dog", 1)), truth)) == [(0, 1, 1)]


@pytest.mark.parametrize("score", [segment_based, event_based, intersection_based])
def test_empty(score: Any) -> None:
    truth = one((0.0, 2.0, "dog", 1))
    nothing = score({}, {})
    assert nothing.labels == () and nothing.macro == nothing.micro == 0 and nothing.f1.shape == (0,)
    assert score(truth, {"v": Events()}).labels == ()
    missed = score({}, truth)
    assert missed.macro == missed.micro == 0 and missed.false_negatives.sum() > 0
    # A video that the truth does not know is all false.
    assert score({**truth, "w": truth["v"]}, truth).false_positives.sum() > 0
    assert score(truth, truth).macro == score(truth, truth).micro == 1


def test_what_is_no_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="segment_s is 0"):
        segment_based({}, {}, segment_s=0)
    with pytest.raises(ValueError, match="negative"):
        event_based({}, {}, onset_collar_s=-1)
    with pytest.raises(ValueError, match="truth_tolerance is 0"):
        intersection_based({}, {}, truth_tolerance=0)


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**25 - 1))
def test_most_pairs_are_the_most(rows: int, columns: int, bits: int) -> None:
    allowed = np.array([bits >> i & 1 for i in range(rows * columns)], bool).reshape(rows, columns)
    wide = allowed if rows <= columns else allowed.T
    choices = itertools.permutations(range(wide.shape[1]), wide.shape[0])
    assert most_pairs(allowed) == max(int(wide[range(len(c)), c].sum()) if c else 0 for c in choices)


def made(seed: int) -> tuple[Videos, Videos]:
    """Detections and truth of five videos; events of one class do not overlap, as the audio tools demand."""
    draw = random.Random(seed)
    found: Videos = {}
    truth: Videos = {}
    for video in "abcde":
        goal, guess = [], []
        for label in LABELS:
            time_s, free_s = 0.0, 0.0
            while (time_s := time_s + draw.uniform(0.2, 8)) < 40:
                end_s = time_s + draw.uniform(0.2, 6)
                goal.append(Event(time_s, end_s, label))
                start_s = max(free_s, time_s + draw.choice([0.0, 0.1, -0.15, draw.gauss(0, 0.6)]))
                stop_s = end_s + draw.choice([0.0, 0.15, -0.1, draw.gauss(0, 1.5)])
                if draw.random() < 0.8 and stop_s > start_s + 0.05:
                    guess.append(Event(start_s, stop_s, label, draw.random()))
                    free_s = stop_s + 0.01
                time_s = end_s
        truth[video], found[video] = Events.of(goal), Events.of(guess)
    return found, truth


# From sed_eval 0.2.1 (segments of 1 s; events with collars of 0.2 s and a fifth) and sed_scores_eval 0.0.4
# (intersection with tolerances of 0.5, then of 0.7) on the detections of `made` with a score of 0.3 or more:
# true positives, false positives and false negatives of each class.
OTHERS: dict[int, dict[str, list[tuple[int, int, int]]]] = {
    0: {
        "segment": [(38, 3, 67), (79, 6, 31), (73, 4, 47)],
        "event": [(6, 3, 19), (14, 4, 13), (11, 7, 16)],
        "intersection": [(7, 2, 18), (17, 0, 10), (17, 1, 10)],
        "strict": [(7, 2, 18), (16, 1, 11), (11, 4, 16)],
    },
    1: {
        "segment": [(56, 2, 53), (55, 5, 49), (78, 9, 34)],
        "event": [(6, 9, 20), (13, 3, 15), (10, 8, 16)],
        "intersection": [(14, 0, 12), (16, 0, 12), (18, 0, 8)],
        "strict": [(10, 0, 16), (14, 2, 14), (15, 3, 11)],
    },
    2: {
        "segment": [(48, 3, 74), (59, 6, 46), (80, 1, 42)],
        "event": [(8, 4, 22), (9, 10, 19), (15, 3, 12)],
        "intersection": [(12, 0, 18), (15, 2, 13), (18, 0, 9)],
        "strict": [(9, 2, 21), (15, 3, 13), (16, 1, 11)],
    },
}


def scores_of(found: Videos, truth: Videos) -> dict[str, F1Scores]:
    return {
        "segment": segment_based(found, truth, min_score=0.3),
        "event": event_based(found, truth, min_score=0.3),
        "intersection": intersection_based(found, truth, min_score=0.3),
        "strict": intersection_based(found, truth, min_score=0.3, detection_tolerance=0.7, truth_tolerance=0.7),
    }


@pytest.mark.parametrize("seed", OTHERS)
def test_the_numbers_of_others(seed: int) -> None:
    assert {name: counts(scores) for name, scores in scores_of(*made(seed)).items()} == OTHERS[seed]


def listed(events: Events, video: str) -> list[dict[str, Any]]:
    return [
        {"filename": video, "event_label": e.label, "onset": e.start_s, "offset": e.end_s} for e in events.above(0.3)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_sed_eval(seed: int) -> None:
    sed = pytest.importorskip("sed_eval.sound_event", reason="sed_eval is not installed")
    found, truth = made(seed)
    judges = {
        "segment": sed.SegmentBasedMetrics(event_label_list=list(LABELS), time_resolution=1.0),
        "event": sed.EventBasedMetrics(event_label_list=list(LABELS), t_collar=0.2, percentage_of_length=0.2),
    }
    for name, judge in judges.items():
        for video, goal in truth.items():
            judge.evaluate(listed(goal, video), listed(found[video], video))
        scores = scores_of(found, truth)[name]
        by_class = judge.results_class_wise_metrics()
        theirs = [by_class[label]["f_measure"]["f_measure"] for label in LABELS]
        assert scores.f1.tolist() == pytest.approx(theirs, abs=1e-12)
        assert scores.micro == pytest.approx(judge.results_overall_metrics()["f_measure"]["f_measure"], abs=1e-12)
        assert scores.macro == pytest.approx(
            judge.results_class_wise_average_metrics()["f_measure"]["f_measure"], abs=1e-12
        )


def theirs_by_intersection(found: Videos, truth: Videos, tolerance: float) -> list[tuple[int, int, int]]:
    others = pytest.importorskip(
        "sed_scores_eval.intersection_based.intermediate_statistics", reason="sed_scores_eval is not installed"
    )

    def ends(events: Events, label: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        chosen = events.above(0.3).take([name == label for name in events.above(0.3).labels])
        return chosen.start_s, chosen.end_s

    rows = []
    for label in LABELS:
        right = wrong = lost = 0
        for video, goal in truth.items():
            starts, stops = ends(found[video], label)
            wanted = ends(goal, label)
            told = others.statistics_fn(starts[None], stops[None], *wanted, {}, {}, tolerance, tolerance, None)
            right += int(told["tps"][0])
            wrong += int(told["fps"][0])
            lost += len(wanted[0]) - int(told["tps"][0])
        rows.append((right, wrong, lost))
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_sed_scores_eval(seed: int) -> None:
    found, truth = made(seed)
    for name, tolerance in (("intersection", 0.5), ("strict", 0.7)):
        assert counts(scores_of(found, truth)[name]) == theirs_by_intersection(found, truth, tolerance)


@st.composite
def videos(draw: st.DrawFn) -> Videos:
    def event() -> Event:
        start = draw(st.integers(0, 12)) / 2
        return Event(start, start + draw(st.integers(0, 8)) / 2, draw(st.sampled_from("ab")), draw(st.floats(0, 1)))

    return {v: Events.of([event() for _ in range(draw(st.integers(0, 4)))]) for v in "xy"[: draw(st.integers(0, 2))]}


@settings(max_examples=60, deadline=None)
@given(videos(), videos())
def test_counts_add_up(found: Videos, truth: Videos) -> None:
    events, pieces = event_based(found, truth, min_score=0.3), intersection_based(found, truth, min_score=0.3)
    for k, label in enumerate(events.labels):
        goals = sum(part.labels.count(label) for part in truth.values())
        guesses = sum(part.above(0.3).labels.count(label) for part in found.values())
        assert events.true_positives[k] + events.false_negatives[k] == goals
        assert pieces.true_positives[k] + pieces.false_negatives[k] == goals
        assert events.true_positives[k] + events.false_positives[k] == guesses
        assert 0 <= pieces.false_positives[k] <= guesses
    for scores in (events, pieces, segment_based(found, truth)):
        assert 0 <= scores.macro <= 1 and 0 <= scores.micro <= 1
