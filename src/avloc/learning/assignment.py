"""The cheapest way to give each of a few rows a column of its own (Kuhn 1955), such as events their queries.

One row after another takes the shortest augmenting path through the rows placed before (Jonker and Volgenant 1987).
numpy only. Legend: N rows, M columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Index = NDArray[np.intp]


def assign(cost: Float64) -> tuple[Index, Index]:
    """Rows, in rising order, and the column of each, with the least sum of cost (N, M); min(N, M) pairs.

    Of columns that are as good the lower one is tried first. Time grows with min(N, M)^2 max(N, M).

    Raises:
        ValueError: a cost is not finite.
    """
    if not np.isfinite(cost).all():
        raise ValueError("a cost is not finite; numbers are needed")
    if cost.shape[0] > cost.shape[1]:
        column, row = assign(cost.T)
        order = np.argsort(row)
        return row[order], column[order]
    N, M = cost.shape
    of_row, of_column = np.zeros(N), np.zeros(M)  # potentials: of_row + of_column <= cost, equal where assigned
    taker = np.full(M, -1)  # of each column, the row that has it
    for number in range(N):
        _place(cost, number, of_row, of_column, taker)
    taken = np.flatnonzero(taker >= 0)
    order = np.argsort(taker[taken])
    return taker[taken][order], taken[order]


def _place(cost: Float64, row: int, of_row: Float64, of_column: Float64, taker: NDArray[np.int_]) -> None:
    """Give `row` a column, moving earlier rows to others where that costs least."""
    M = len(of_column)
    away = np.full(M, np.inf)  # length of the shortest path to each column
    before = np.full(M, -1)  # the column before it on this path; -1: the row itself
    reached = np.zeros(M, bool)
    now, last, far = row, -1, 0.0
    while True:
        length = far + cost[now] - of_row[now] - of_column
        nearer = ~reached & (length < away)
        away[nearer], before[nearer] = length[nearer], last
        last = int(np.where(reached, np.inf, away).argmin())
        far = away[last]
        reached[last] = True
        if taker[last] < 0:
            break
        now = taker[last]
    passed = np.flatnonzero(reached & (taker >= 0))
    of_row[row] += far
    of_row[taker[passed]] += far - away[passed]
    of_column[passed] -= far - away[passed]
    while last >= 0:
        previous = before[last]
        taker[last] = row if previous < 0 else taker[previous]
        last = previous
