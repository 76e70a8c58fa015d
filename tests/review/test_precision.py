"""Precision, thresholds and intervals from verdicts, against figures worked out by hand or published."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.events import Event
from avloc.review.joined import Found
from avloc.review.precision import precision_of, threshold_for
from avloc.review.proportions import kappa, wilson
from avloc.review.sample import next_to_look_at


def found(*rows: tuple[float, bool | None], label: str = "dog") -> list[Found]:
    """Events by score and verdict."""
    return [Found("v", Event(i, i + 1, label, score), right) for i, (score, right) in enumerate(rows)]


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [  # Newcombe (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(right: int, count: int, low: float, high: float) -> None:
    assert wilson(right / count, count) == pytest.approx((low, high), abs=5e-5)


def test_without_a_case_the_interval_is_all() -> None:
    assert wilson(0.0, 0) == (0.0, 1.0)


@given(st.floats(0, 1), st.floats(0.1, 1e6))
def test_an_interval_holds_its_share(share: float, count: float) -> None:
    low, high = wilson(share, count)
    assert 0 <= low <= share + 1e-9 and share - 1e-9 <= high <= 1


def test_kappa_is_cohens() -> None:
    # 20 both yes, 15 both no, 5 and 10 apart of 50: 0.7 seen, 0.5 by chance
    one = [True] * 25 + [False] * 25
    other = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    assert kappa(one, other) == pytest.approx(0.4)
    assert kappa([True, False], [True, False]) == 1
    assert kappa([], []) is None and kappa([True, True], [True, True]) is None


def test_where_all_were_looked_at_the_precision_is_the_share() -> None:
    p = precision_of(found((0.9, True), (0.8, False), (0.7, True), (0.6, True)))
    assert (p.events, p.looked, p.right, p.share) == (4, 4, 3, 0.75)
    assert (p.low, p.high) == wilson(0.75, 4)


def test_looks_count_for_their_band_of_scores() -> None:
    """All 10 sure ones were looked at and are right, 2 of 40 others, one of them right: 8 in 50 and half of 40."""
    sure = [(0.9 + k / 1000, True) for k in range(10)]
    others: list[tuple[float, bool | None]] = [(0.5 + k / 1000, None) for k in range(40)]
    others[3], others[4] = (others[3][0], True), (others[4][0], False)
    p = precision_of(found(*sure, *others))
    assert p.share == pytest.approx((10 + 40 / 2) / 50)
    assert p.looked == 12 and p.right == 11
    assert p.high - p.low > 0.5  # the 40 rest on two looks


def test_nothing_is_said_without_a_look() -> None:
    p = precision_of(found((0.9, None)))
    assert (p.share, p.low, p.high) == (None, 0.0, 1.0)
    assert threshold_for(found((0.9, None)), 0.5) is None
    assert precision_of([]).events == 0


def test_the_threshold_is_the_least_score_that_is_good_enough() -> None:
    rows = found(*[(0.5 + k / 100, k >= 10) for k in range(30)])  # wrong below 0.6
    threshold = threshold_for(rows, 0.9)
    assert threshold is not None
    assert threshold.score == pytest.approx(0.58) and threshold.left.events == 22
    assert threshold.left.share == pytest.approx(20 / 22)
    exact = threshold_for(rows, 1.0)
    assert exact is not None and exact.score == pytest.approx(0.6)
    assert threshold_for(found(*[(0.5 + k / 100, False) for k in range(30)]), 0.1) is None


def test_few_looks_make_no_threshold() -> None:
    assert threshold_for(found(*[(0.5 + k / 100, True) for k in range(4)]), 0.9) is None


def test_the_next_looks_go_where_most_is_unknown() -> None:
    """A class that was looked at whole needs none, a common one more than a rare one."""
    done = found(*[(0.5 + k / 100, True) for k in range(20)], label="done")
    common = found(*[(0.5 + k / 1000, None) for k in range(100)], label="common")
    rare = found(*[(0.5 + k / 100, None) for k in range(10)], label="rare")
    chosen = next_to_look_at([*done, *common, *rare], 20)
    labels = [f.event.label for f in chosen]
    assert len(chosen) == 20 and "done" not in labels and labels.count("common") >= 14
    bands = {int((f.event.score - 0.5) * 50) for f in chosen if f.event.label == "common"}
    assert bands == {0, 1, 2, 3, 4}  # a look in each fifth of the scores
    assert chosen == next_to_look_at([*done, *common, *rare], 20)
    assert len(next_to_look_at(rare, 50)) == 10


def test_a_stratified_sample_tells_what_all_would() -> None:
    """40 looks chosen by the tool in 1,000 events come near the precision that all looks would give."""
    rng = np.random.default_rng(1)
    truth = {i: bool(rng.random() < score) for i, score in enumerate(np.linspace(0.2, 1, 1000))}
    events = [Found("v", Event(i, i + 1, "dog", score)) for i, score in enumerate(np.linspace(0.2, 1, 1000))]
    seen = {int(f.event.start_s) for f in next_to_look_at(events, 40)}
    judged = [
        Found("v", f.event, truth[int(f.event.start_s)] if int(f.event.start_s) in seen else None) for f in events
    ]
    p = precision_of(judged)
    assert p.share == pytest.approx(sum(truth.values()) / 1000, abs=0.12)
    assert p.low <= sum(truth.values()) / 1000 <= p.high
