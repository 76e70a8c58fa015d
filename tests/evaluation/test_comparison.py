"""The paired comparison against plain loops over draws in which videos really stand as often as they were drawn."""

from __future__ import annotations

import numpy as np
import pytest

from avloc.evaluation.comparison import compare, paired
from avloc.evaluation.matching import match
from avloc.evaluation.mean_ap import mean_ap
from avloc.events import Events

Videos = dict[str, Events]
LIMITS = (0.3, 0.5, 0.8)


def truth_of(seed: int, videos: int, labels: str) -> Videos:
    rng = np.random.default_rng(seed)
    truth = {}
    for i in range(videos):
        count = int(rng.integers(0, 4))
        start = rng.uniform(0, 20, count)
        truth[f"v{i}"] = Events(start, start + rng.uniform(2, 6, count), rng.choice(list(labels), count).tolist())
    return truth


def near(truth: Videos, spread_s: float, seed: int) -> Videos:
    rng = np.random.default_rng(seed)
    found = {}
    for video, events in truth.items():
        start = np.repeat(events.start_s, 2) + rng.normal(0, spread_s, 2 * len(events))
        length = np.repeat(events.end_s - events.start_s, 2)
        found[video] = Events(start, start + length, np.repeat(events.labels, 2).tolist(), rng.random(len(start)))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_equals_plain_loops(seed: int) -> None:
    truth = truth_of(seed, 9, "abc")
    first, second = near(truth, 2.0, seed), near(truth, 0.7, seed + 50)
    second["unknown"] = Events([0], [4], ["a"], [0.6])
    draws = 40
    got = compare(match(first, truth, LIMITS), match(second, truth, LIMITS), draws, seed)
    one, other = mean_ap(first, truth, LIMITS), mean_ap(second, truth, LIMITS)
    names, labels = list(truth), one.labels
    columns: dict[str, list[float]] = {name: [] for name in ("average", *map(str, LIMITS), *labels)}
    for row in np.random.default_rng(seed).integers(0, len(names), (draws, len(names))):
        copies = {f"{names[v]} {i}": names[v] for i, v in enumerate(row)}
        goal = {copy: truth[v] for copy, v in copies.items()}
        results = []
        for found in (first, second):
            strangers = {v: events for v, events in found.items() if v not in truth}
            results.append(mean_ap({c: found[v] for c, v in copies.items()} | strangers, goal, LIMITS))
        a, b = results
        columns["average"].append(b.average - a.average)
        for t, limit in enumerate(LIMITS):
            columns[str(limit)].append(b.by_threshold[t] - a.by_threshold[t])
        for label in labels:
            there = label in a.labels
            change = b.by_label[b.labels.index(label)] - a.by_label[a.labels.index(label)] if there else float("nan")
            columns[label].append(change)

    def check(name: str, measured: float, low: float, high: float, p: float) -> None:
        drawn = [value for value in columns[name] if value == value]
        middle = sum(drawn) / len(drawn)
        about = sorted(value - middle for value in drawn)
        assert low == pytest.approx(measured + np.quantile(about, 0.025), abs=1e-9)
        assert high == pytest.approx(measured + np.quantile(about, 0.975), abs=1e-9)
        farther = sum(abs(value) >= abs(measured) - 1e-12 for value in about)
        assert p == pytest.approx((farther + 1) / (len(drawn) + 1), abs=1e-9)

    check("average", other.average - one.average, got.average.low[0], got.average.high[0], got.average.p[0])
    for t, limit in enumerate(LIMITS):
        of = got.by_threshold
        assert of.first[t] == one.by_threshold[t] and of.second[t] == other.by_threshold[t]
        check(str(limit), other.by_threshold[t] - one.by_threshold[t], of.low[t], of.high[t], of.p[t])
    for k, label in enumerate(labels):
        of = got.by_label
        assert got.labels[k] == label and of.difference[k] == other.by_label[k] - one.by_label[k]
        check(label, other.by_label[k] - one.by_label[k], of.low[k], of.high[k], of.p[k])


def test_a_detector_does_not_differ_from_itself() -> None:
    truth = truth_of(1, 30, "ab")
    matches = match(near(truth, 1, 0), truth)
    got = compare(matches, matches, 50)
    for part in (got.average, got.by_threshold, got.by_label):
        assert (part.difference == 0).all() and (part.p == 1).all()
        assert (part.low == 0).all() and (part.high == 0).all()


def test_the_better_detector_is_told_and_which_is_first_turns_the_sign() -> None:
    truth = truth_of(2, 60, "ab")
    bad, good = match(near(truth, 3, 0), truth), match(near(truth, 0.3, 1), truth)
    one, other = compare(bad, good, 200), compare(good, bad, 200)
    assert one.average.low[0] > 0.1 and one.average.p[0] == pytest.approx(1 / 201)
    assert other.average.high[0] == pytest.approx(-one.average.low[0])
    assert other.average.p[0] == one.average.p[0]


def test_chance_is_called_chance() -> None:
    """Of pairs of detectors that are alike, one in twenty comes out below 0.05, give or take."""
    truth = truth_of(3, 80, "a")
    p = [
        compare(
            match(near(truth, 1, 2 * k), truth, [0.5]), match(near(truth, 1, 2 * k + 1), truth, [0.5]), 200
        ).average.p[0]
        for k in range(60)
    ]
    assert sum(value < 0.05 for value in p) <= 9 and sum(value < 0.5 for value in p) > 15


def test_draws_without_truth_are_left_out_and_none_at_all_is_no_number() -> None:
    nan = float("nan")
    drawn = np.array([[nan, 0.2], [nan, nan], [nan, 0.4]])
    got = paired(np.zeros(2), np.array([0.1, 0.3]), np.zeros((3, 2)), drawn)
    assert np.isnan([got.low[0], got.high[0], got.p[0]]).all()
    assert got.p[1] == pytest.approx(1 / 3)  # neither of two draws lies 0.3 from their mean
    assert got.low[1] == pytest.approx(0.3 - 0.1 * 0.95) and got.high[1] == pytest.approx(0.3 + 0.1 * 0.95)


def test_other_truth_is_refused() -> None:
    truth = truth_of(4, 5, "ab")
    matches = match({}, truth)
    with pytest.raises(ValueError, match="the thresholds of the two are not the same"):
        compare(matches, match({}, truth, [0.5]))
    renamed = {f"{video}x": events for video, events in truth.items()}
    with pytest.raises(ValueError, match="the videos of the two are not the same"):
        compare(matches, match({}, renamed))
