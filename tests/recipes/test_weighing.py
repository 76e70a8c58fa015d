"""The line of explanations: found again from trials that follow one; what cannot be fitted is one line."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from avloc.errors import TrainingError
from avloc.events import Events
from avloc.recipes.weighing import Trials, _right, fit_line, surest


def trials(count: int, line: tuple[float, ...], seed: int = 0, weight: float = 1.0) -> Trials:
    rng = np.random.default_rng(seed)
    terms = rng.normal(size=(count, 3)) * [1.5, 3.0, 4.0]
    right = rng.random(count) < 1 / (1 + np.exp(-(line[0] + terms @ line[1:])))
    return Trials(terms, right, np.full(count, weight))


def test_the_line_is_found_again() -> None:
    wanted = (-1.0, 0.9, 0.3, 0.1)
    assert fit_line(trials(20000, wanted)) == pytest.approx(wanted, abs=0.06)


def test_light_trials_count_little() -> None:
    heavy, light = trials(2000, (-1.0, 1.0, 0.5, 0.0)), trials(2000, (-1.0, 1.0, -0.5, 0.0), 1, weight=0.001)
    assert fit_line(Trials.join([heavy, light]))[2] > 0.4


def test_few_trials_are_held_back() -> None:
    few = Trials(np.array([[1.0, 5, 5], [-1.0, -5, -5]]), np.array([True, False]), np.ones(2))
    assert np.abs(fit_line(few)).max() < 2  # they are divided; without a ridge the line would grow without end


@pytest.mark.parametrize("right", [True, False])
def test_trials_of_one_kind_are_refused(right: bool) -> None:
    with pytest.raises(TrainingError, match="nothing right, or nothing wrong"):
        fit_line(Trials(np.zeros((3, 3)), np.full(3, right), np.ones(3)))


def test_right_is_told_in_the_order_of_the_detections() -> None:
    found = Events([0, 5, 0, 9], [4, 8, 4, 10], ["b", "a", "b", "c"], [0.3, 0.9, 0.8, 0.7])
    truth = Events([0, 5], [4, 8], ["b", "a"])
    assert _right(found, truth, 0.3).tolist() == [False, True, True, False]
    assert _right(found, Events(), 0.3).tolist() == [False] * 4


def test_of_each_class_the_surest_is_taken() -> None:
    kept = surest(Events([0, 5, 0], [4, 8, 4], ["b", "b", "a"], [0.3, 0.9, 0.8]))
    assert [(e.label, e.score) for e in kept] == [("b", 0.9), ("a", 0.8)]
