"""The logistic line: against plain gradient descent, on what it was drawn from, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from avloc.evaluation.calibration import Line, logistic_line, logit


def descended(score: np.ndarray, right: np.ndarray, steps: int = 20_000) -> tuple[float, float]:
    """Plain logistic regression by gradient descent."""
    x, line = np.log(score / (1 - score)), np.array([1.0, 0.0])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-(line[0] * x + line[1])))
        line -= np.array([np.mean((p - right) * x), np.mean(p - right)]) / (1 + np.mean(x**2))
    return float(line[0]), float(line[1])


def drawn(slope: float, offset: float, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.05, 0.95, count)
    return score, rng.random(count) < Line(slope, offset)(score)


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.4, -1.0), (3.0, 2.0)])
def test_it_is_what_gradient_descent_comes_to(slope: float, offset: float) -> None:
    score, right = drawn(slope, offset, 400, 0)
    line = logistic_line(score, right)
    assert line is not None
    assert (line.slope, line.offset) == pytest.approx(descended(score, right), abs=1e-4)


def test_many_detections_give_the_line_they_were_drawn_from() -> None:
    line = logistic_line(*drawn(0.7, -0.5, 60_000, 1))
    assert line is not None and (line.slope, line.offset) == pytest.approx((0.7, -0.5), abs=0.05)


def test_calibrated_scores_are_right_as_often_as_they_say() -> None:
    score, right = drawn(0.5, -1.0, 20_000, 2)
    line = logistic_line(score, right)
    assert line is not None
    calibrated = line(score)
    for low in np.arange(0.1, 0.5, 0.1):
        own = (calibrated >= low) & (calibrated < low + 0.1)
        assert right[own].mean() == pytest.approx(calibrated[own].mean(), abs=0.04)


@pytest.mark.parametrize(
    ("score", "right"),
    [
        ([], []),
        ([0.5], [1]),
        ([0.2, 0.8], [1, 1]),
        ([0.2, 0.8], [0, 0]),
        ([0.2, 0.3, 0.7, 0.8], [0, 0, 1, 1]),  # divided by a score: infinitely steep
        ([0.2, 0.3, 0.7, 0.8], [1, 1, 0, 0]),
        ([0.2, 0.3, 0.7, 0.8], [1, 0, 1, 0]),  # the surer, the more often wrong
        ([0.5, 0.5, 0.5], [0, 1, 0]),
    ],
)
def test_where_no_line_keeps_the_order_there_is_none(score: list[float], right: list[int]) -> None:
    assert logistic_line(score, right) is None


@settings(max_examples=50, deadline=None)
@example([(0.0, False), (0.0, True), (0.05, True), (1.0, False)])
@given(st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), max_size=30))
def test_it_is_the_least_loss_there_is_or_none(rows: list[tuple[float, bool]]) -> None:
    score, right = np.array([s for s, _ in rows]), np.array([r for _, r in rows], float)
    line = logistic_line(score, right)
    if line is None:
        return
    assert line.slope > 0 and np.all(np.diff(line(np.linspace(0.01, 0.99, 9))) >= 0)
    p, x = line(score), logit(score)
    assert np.abs([np.sum(p - right), np.sum((p - right) * x)]).max() < 1e-3  # the gradient is gone
