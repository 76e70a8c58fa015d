"""Diagnosis of cases in which every count is known, of nothing, and of anything at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.evaluation.diagnosis import Confused, Diagnosis, diagnose
from avloc.evaluation.kinds import ERRORS, Kind, Missed
from avloc.evaluation.mean_ap import mean_ap
from avloc.events import Event, Events

Videos = dict[str, Events]


def of(*events: tuple[float, float, str, float]) -> Events:
    return Events.of([Event(*event) for event in events])


def group(d: Diagnosis, name: str) -> list[tuple[str, int, int]]:
    """Span, truths and missed truths of each group of a characteristic that has any."""
    found = next(c for c in d.characteristics if c.name == name)
    return [(g.span, g.truths, g.missed) for g in found.groups if g.truths]


def test_one_detection_of_each_kind() -> None:
    truth = {"v": of((0, 10, "dog", 1), (20, 30, "rain", 1), (50, 60, "dog", 1))}
    found = {
        "v": of(
            (0, 10, "dog", 0.9),  # true
            (1, 10, "dog", 0.8),  # double
            (20, 29, "dog", 0.7),  # on rain
            (56, 66, "dog", 0.6),  # 4 of 16 s are shared
            (27, 35, "dog", 0.5),  # 3 of 15 s, with rain
            (80, 90, "dog", 0.4),  # nothing is there
            (80, 90, "cat", 0.4),  # a class without truth
        ),
        "unknown": of((0, 10, "dog", 0.3)),
    }
    d = diagnose(found, truth, {"v": 100.0})
    assert d.kinds.tolist() == [1, 1, 1, 1, 1, 2] and d.considered == 7
    assert (d.videos, d.truths, d.detections, d.left_out) == (2, 3, 8, 1)
    # Two dogs: the surest two detections, the next two, ...
    assert d.profile[:4].tolist() == [[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 1]]
    assert not d.profile[4:].any()
    # The second dog has a detection nearby; the rain has a dog in its place.
    assert d.missed == Missed(misplaced=1, mislabelled=1, unnoticed=0) and d.missed.total == 2
    assert d.confused == (Confused("dog", "rain", 2),)
    assert [(row.label, row.truths, row.missed, row.kinds.tolist()) for row in d.classes] == [
        ("dog", 2, 1, [1, 1, 1, 1, 1, 2]),
        ("rain", 1, 1, [0, 0, 0, 0, 0, 0]),
    ]
    assert d.modality is None


def test_what_errors_cost() -> None:
    truth = {"v": of((0, 10, "dog", 1), (20, 30, "dog", 1))}
    found = {"v": of((0, 10, "dog", 0.9), (40, 50, "dog", 0.8), (20, 26, "dog", 0.7), (0, 9, "dog", 0.6))}
    d = diagnose(found, truth, thresholds=(0.5, 0.7))
    # At 0.5 the ranks are right, background, right, double; at 0.7 right, background, misplaced, double.
    ap = [0.5 + 0.5 * 2 / 3, 0.5]
    assert d.mean_ap == pytest.approx(np.mean(ap))
    expected = np.zeros((2, len(ERRORS)))
    expected[0, ERRORS.index(Kind.BACKGROUND)] = 1 - ap[0]
    assert d.gain == pytest.approx(expected)
    assert d.mean_gain.shape == (5,)


def test_only_the_surest_are_considered() -> None:
    truth = {"v": of((0, 10, "dog", 1))}
    found = {"v": of(*((100.0 + i, 101.0 + i, "dog", 1 - i / 20) for i in range(12)), (0, 10, "dog", 0.01))}
    d = diagnose(found, truth)
    assert d.kinds.tolist() == [0, 0, 0, 0, 0, 10] and d.profile.sum(axis=1).tolist() == [1] * 10
    # The event is found all the same, by the thirteenth.
    assert d.missed.total == 0 and d.mean_ap == pytest.approx(1 / 13)
    # Without the ten, it is the third.
    assert d.mean_gain[ERRORS.index(Kind.BACKGROUND)] == pytest.approx(1 / 3 - 1 / 13)


def test_right_time_with_wrong_label_precedes_wrong_time_with_right_label() -> None:
    truth = {"v": of((0, 10, "dog", 1), (0, 6, "rain", 1))}
    d = diagnose({"v": of((0, 4.5, "dog", 1))}, truth)
    assert d.kinds[Kind.WRONG_LABEL] == 1
    d = diagnose({"v": of((0, 4.5, "dog", 1))}, truth, threshold=0.8)
    assert d.kinds[Kind.LOCALIZATION] == 1


def test_groups_of_truth() -> None:
    truth = {
        "v": of((0, 2, "dog", 1), (10, 15, "dog", 1), (12, 32, "rain", 1)),
        "w": of((0, 50, "rain", 1)),
    }
    found = {"v": of((0, 2, "dog", 1), (12, 32, "rain", 1))}
    d = diagnose(found, truth, {"v": 40.0, "w": 50.0})
    assert group(d, "Length") == [("up to 2 s", 1, 0), ("2 to 5 s", 1, 1), ("10 to 30 s", 1, 0), ("over 30 s", 1, 1)]
    assert group(d, "Coverage") == [("up to 20 %", 2, 1), ("40 to 60 %", 1, 0), ("over 80 %", 1, 1)]
    assert group(d, "Instances") == [("1", 2, 1), ("2 to 4", 2, 1)]
    # Three of the second dog's five seconds, and three of twenty seconds of rain.
    assert group(d, "Overlap") == [("none", 2, 1), ("up to half", 1, 0), ("over half", 1, 1)]
    by_length = d.characteristics[0].groups
    assert [g.normalized for g in by_length] == [1.0, 0.0, None, 1.0, 0.0]
    # Each class has two truths, as many as the usual class: both have recall of a half without a false positive.
    assert d.normalized == pytest.approx(0.5)


def test_a_length_by_subtraction_is_not_longer_than_it_is() -> None:
    assert 4.4 - 2.4 > 2
    assert group(diagnose({}, {"v": of((2.4, 4.4, "dog", 1))}), "Length") == [("up to 2 s", 1, 1)]


def test_what_is_found_of_one_group_is_no_error_in_another() -> None:
    truth = {"v": of((0, 2, "dog", 1), (10, 50, "dog", 1))}
    d = diagnose({"v": of((10, 50, "dog", 0.9), (60, 70, "dog", 0.8), (0, 2, "dog", 0.7))}, truth)
    short, *_, long = d.characteristics[0].groups
    # The short one's rivals: one false positive, not two. The usual class has two truths.
    assert long.normalized == 1.0 and short.normalized == pytest.approx(2 / 3)


def test_overlap_is_with_all_others_together_once() -> None:
    truth = {"v": of((0, 10, "dog", 1), (0, 3, "rain", 1), (1, 4, "bell", 1), (3.5, 5, "man", 1))}
    shares = group(diagnose({}, truth), "Overlap")
    # The dog is overlapped for 5 of 10 s, no more than half; the others lie within the dog.
    assert shares == [("up to half", 1, 1), ("over half", 3, 3)]


def test_without_lengths_of_videos_nothing_is_said_of_coverage() -> None:
    truth = {"v": of((0, 10, "dog", 1))}
    for durations_s in (None, {}, {"v": 0.0}, {"v": float("inf")}):
        assert [c.name for c in diagnose(truth, truth, durations_s).characteristics] == [
            "Length",
            "Instances",
            "Overlap",
        ]


def test_a_false_detection_costs_less_in_a_class_with_more_truth() -> None:
    # normalized precision of the true one: recall 1 times the usual 2 truths, over that and one false positive
    truth = {"v": of((0, 10, "dog", 1), *((10 * i, 10 * i + 5, "rain", 1) for i in range(3)))}
    found = {"v": of((50, 60, "dog", 0.9), (0, 10, "dog", 0.8))}
    d = diagnose(found, truth)
    assert d.mean_ap == pytest.approx(np.mean([0.5, 0.0]))
    assert d.normalized == pytest.approx(np.mean([2 / 3, 0.0]))


def test_which_modality_misled() -> None:
    truth = {"v": of((0, 10, "dog", 1)), "w": of((0, 10, "dog", 1))}
    seen = {"v": of((20, 30, "dog", 1), (80, 90, "cat", 1))}
    heard = {"v": of((40, 50, "rain", 1), (70, 100, "bell", 1))}
    found = {
        "v": of(
            (0, 10, "dog", 0.1),
            (20, 29, "dog", 0.9),  # seen only, same class
            (40, 50, "dog", 0.8),  # heard only, another class
            (80, 88, "dog", 0.7),  # seen only and heard only, other classes
            (27, 40, "dog", 0.6),  # 3 of 13 s on what is seen only: on nothing
        ),
        "w": of((20, 30, "dog", 0.5)),  # nothing is known of this video
    }
    m = diagnose(found, truth, seen_only=seen, heard_only=heard, thresholds=(0.5,)).modality
    assert m is not None
    assert m.videos == 1 and m.false_positives.tolist() == [2, 2] + [0] * 8
    assert (m.seen_only.distractors, m.heard_only.distractors) == (2, 2)
    assert m.seen_only.same_label.tolist() == [1, 0] + [0] * 8
    assert m.seen_only.other_label.tolist() == [0, 1] + [0] * 8
    assert m.heard_only.same_label.sum() == 0 and m.heard_only.other_label.tolist() == [1, 1] + [0] * 8
    assert m.neither.tolist() == [0, 1] + [0] * 8
    # The true one is the sixth; AP is half its precision, for there are two truths.
    assert m.seen_only.same_gain == pytest.approx((1 / 5 - 1 / 6) / 2)
    assert m.heard_only.other_gain == pytest.approx((1 / 4 - 1 / 6) / 2)


@pytest.mark.parametrize(
    ("found", "truth"),
    [
        ({}, {}),
        ({"v": Events()}, {"v": Events()}),
        ({"v": of((0, 1, "dog", 1))}, {}),
        ({}, {"v": of((0, 1, "dog", 1))}),
        ({"w": of((0, 1, "dog", 1))}, {"v": of((0, 1, "dog", 1))}),
        ({"v": of((0, 1, "cat", 1))}, {"v": of((0, 1, "dog", 1))}),
        ({"v": of((1, 1, "dog", 1))}, {"v": of((1, 1, "dog", 1))}),
    ],
)
def test_empty(found: Videos, truth: Videos) -> None:
    d = diagnose(found, truth, {"v": 10.0}, seen_only={}, heard_only={"v": Events()})
    assert d.mean_ap == d.normalized == 0 and not d.gain.any()
    assert d.missed == Missed(0, 0, d.truths)
    assert d.kinds[: Kind.BACKGROUND].sum() == 0
    assert d.left_out + d.considered == d.detections
    assert d.modality is not None and d.modality.neither.sum() <= d.considered


@pytest.mark.parametrize("wrong", [{"threshold": 0.0}, {"thresholds": ()}, {"thresholds": (0.5, 1.5)}])
def test_thresholds_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="above 0, up to 1"):
        diagnose({}, {}, **wrong)  # type: ignore[arg-type]


@st.composite
def videos(draw: st.DrawFn) -> Videos:
    def event() -> Event:
        start = draw(st.integers(0, 12)) / 2
        score = draw(st.sampled_from([0.1, 0.4, 0.4, 0.9]))
        return Event(start, start + draw(st.integers(0, 8)) / 2, draw(st.sampled_from("abc")), score)

    return {v: Events.of([event() for _ in range(draw(st.integers(0, 7)))]) for v in draw(st.permutations("xyz"))}


@settings(max_examples=80, deadline=None)
@given(videos(), videos(), st.sampled_from([0.1, 0.5, 0.9]))
def test_whatever_comes(found: Videos, truth: Videos, threshold: float) -> None:
    d = diagnose(found, truth, dict.fromkeys("xyz", 10.0), seen_only=truth, heard_only={}, threshold=threshold)
    mean = mean_ap(found, truth)
    assert d.mean_ap == pytest.approx(mean.average, abs=1e-12)
    assert [row.ap for row in d.classes] == pytest.approx(
        mean.ap.mean(axis=0).tolist() if d.classes else [], abs=1e-12
    )
    assert (d.gain >= 0).all() and (d.mean_ap + d.mean_gain <= 1 + 1e-9).all()
    # Every considered detection is of one kind, in the profile as in the classes.
    surest = {row.label: 10 * row.truths for row in d.classes}
    given_ = {label: sum(part.labels.count(label) for part in found.values()) for label in surest}
    assert d.considered == sum(min(surest[label], given_[label]) for label in surest)
    assert sum((row.kinds for row in d.classes), np.zeros(6, int)).tolist() == d.kinds.tolist()
    assert d.left_out == d.detections - sum(given_.values())
    # Every truth is in one group of each characteristic.
    for c in d.characteristics:
        assert sum(g.truths for g in c.groups) == d.truths
        assert sum(g.missed for g in c.groups) == d.missed.total
        assert all(g.normalized is None or 0 <= g.normalized <= 1 for g in c.groups)
    assert d.modality is not None
    seen = d.modality.seen_only
    assert (seen.same_label + seen.other_label + d.modality.neither == d.modality.false_positives).all()
    assert d.modality.false_positives.sum() == d.considered - d.kinds[Kind.TRUE]


@settings(max_examples=40, deadline=None)
@given(videos())
def test_perfect_detections_have_no_error(truth: Videos) -> None:
    lasting = {v: events.take(events.end_s > events.start_s) for v, events in truth.items()}
    d = diagnose(lasting, lasting)
    assert d.kinds.tolist() == [d.truths, 0, 0, 0, 0, 0]
    assert d.missed.total == 0 and not d.gain.any()
    assert d.truths == 0 or (d.mean_ap == d.normalized == 1)


def tiou(a: Event, b: Event) -> float:
    shared = max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))
    union = a.duration_s + b.duration_s - shared
    return shared / union if union > 0 else 0.0


def plain_kinds(found: Videos, truth: Videos, threshold: float) -> dict[tuple[str, int], Kind]:
    """Kind of each considered detection, by video and place, one detection at a time."""
    kinds = {}
    for label in {e.label for events in truth.values() for e in events}:
        free = {v: [e for e in events if e.label == label] for v, events in truth.items()}
        count = sum(len(goals) for goals in free.values())
        rows = [(v, i, e) for v, events in found.items() for i, e in enumerate(events) if e.label == label]
        for rank, (v, i, e) in enumerate(sorted(rows, key=lambda row: -row[2].score)):
            open_ = [goal for goal in free.get(v, []) if tiou(e, goal) >= threshold]
            best_same = max((tiou(e, g) for g in truth.get(v, Events()) if g.label == label), default=0.0)
            best_other = max((tiou(e, g) for g in truth.get(v, Events()) if g.label != label), default=0.0)
            if open_:
                free[v].remove(max(open_, key=lambda goal: tiou(e, goal)))
                kind = Kind.TRUE
            elif best_same >= threshold:
                kind = Kind.DOUBLE
            elif best_other >= threshold:
                kind = Kind.WRONG_LABEL
            elif best_same >= 0.1:
                kind = Kind.LOCALIZATION
            elif best_other >= 0.1:
                kind = Kind.CONFUSION
            else:
                kind = Kind.BACKGROUND
            if rank < 10 * count:
                kinds[v, i] = kind
    return kinds


@settings(max_examples=80, deadline=None)
@given(videos(), videos(), st.sampled_from([0.3, 0.5]))
def test_kinds_and_gains_are_those_of_plain_arithmetic(found: Videos, truth: Videos, threshold: float) -> None:
    d = diagnose(found, truth, threshold=threshold, thresholds=(threshold,))
    kinds = plain_kinds(found, truth, threshold)
    assert d.kinds.tolist() == [list(kinds.values()).count(kind) for kind in Kind]
    for k, kind in enumerate(ERRORS):
        rest = {v: e.take([i for i in range(len(e)) if kinds.get((v, i)) != kind]) for v, e in found.items()}
        gain = mean_ap(rest, truth, (threshold,)).average - mean_ap(found, truth, (threshold,)).average
        assert d.gain[0, k] == pytest.approx(gain, abs=1e-12)
        assert gain >= -1e-12
