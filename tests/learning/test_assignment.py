"""The cheapest assignment, against all there are and, where it is installed, against scipy's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.learning.assignment import Float64, assign


def table(rows: int, columns: int, seed: int, whole: bool = False) -> Float64:
    rng = np.random.default_rng(seed)
    return rng.integers(-3, 4, (rows, columns)).astype(float) if whole else rng.normal(0, 5, (rows, columns))


def cheapest(cost: Float64) -> float:
    if len(cost) > cost.shape[1]:
        cost = cost.T
    ways = itertools.permutations(range(cost.shape[1]), len(cost))
    return min(sum(cost[row, column] for row, column in enumerate(way)) for way in ways)


@given(st.integers(0, 5), st.integers(0, 6), st.integers(0, 10_000), st.booleans())
def test_nothing_is_cheaper(rows: int, columns: int, seed: int, whole: bool) -> None:
    cost = table(rows, columns, seed, whole)
    row, column = assign(cost)
    assert len(row) == min(rows, columns) == len(set(row.tolist())) == len(set(column.tolist()))
    assert np.array_equal(row, np.sort(row))
    assert cost[row, column].sum() == pytest.approx(cheapest(cost))


@pytest.mark.parametrize(("queries", "events"), [(40, 1), (40, 3), (40, 25), (12, 12), (3, 40)])
def test_it_is_scipy_s(queries: int, events: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    for seed in range(50):
        cost = table(queries, events, seed)
        for own, wanted in zip(assign(cost), optimize.linear_sum_assignment(cost), strict=True):
            assert np.array_equal(own, wanted)


def test_a_large_table_is_no_dearer_than_any_swap() -> None:
    """What brute force cannot reach: no two rows can change places, and no row can take a free column, for less."""
    cost = table(30, 40, 1)
    row, column = assign(cost)
    own = cost[row, column]
    swapped = cost[row[:, None], column] + cost[row, column[:, None]]
    assert (swapped >= own[:, None] + own - 1e-9).all()
    free = np.setdiff1d(np.arange(40), column)
    assert (cost[row][:, free] >= own[:, None] - 1e-9).all()


def test_of_equal_columns_the_lower_is_taken() -> None:
    row, column = assign(np.zeros((3, 5)))
    assert row.tolist() == [0, 1, 2] and column.tolist() == [0, 1, 2]


def test_earlier_rows_move_for_later_ones() -> None:
    row, column = assign(np.array([[1.0, 2.0, 9.0], [1.0, 5.0, 9.0], [2.0, 2.0, 3.0]]))
    assert row.tolist() == [0, 1, 2] and column.tolist() == [1, 0, 2]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_cost_that_is_no_number_is_refused(odd: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        assign(np.array([[1.0, odd]]))
