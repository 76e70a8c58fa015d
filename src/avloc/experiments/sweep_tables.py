"""What a sweep comes to: rows by validation, which chooses the best, with paired tests on the test split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avloc.experiments.grid import PaperTable
from avloc.experiments.learned import finished
from avloc.experiments.runs import read_summary
from avloc.experiments.tables import Results
from avloc.report.tables import Cell, ResultTable, mark_best


def choice_table(table: PaperTable, results: Results) -> ResultTable:
    """Rows with their validation mAP, the best first, and their difference to the reference on the test split.

    p-values are those of the paired bootstrap over videos and seeds, and the same by Holm's step-down method for as
    many rows as are compared. The test split chooses nothing.
    """
    chosen = {row: value for row in table.rows if (value := validation_of(results, row)) is not None}
    order = sorted(table.rows, key=lambda row: -chosen.get(row, (-1.0, 0.0))[0])
    differences = {row: results.difference(row, table.reference) for row in order}
    p = {row: float(found.p[-1]) for row, found in differences.items() if found is not None}
    corrected = dict(zip(p, holm(list(p.values())), strict=True))
    best = mark_best([[chosen[row][0] if row in chosen else None for row in order]])[0]
    lines = []
    for row, is_best in zip(order, best, strict=True):
        if row not in chosen:
            lines.append((Cell(row), Cell("missing"), *(Cell("") for _ in range(4))))
            continue
        mean, deviation = chosen[row]
        scores, found = results.scores(row), differences[row]
        assert scores is not None
        cells = [Cell(_percent(mean, deviation), is_best), Cell(f"{100 * scores.mean[-1]:.1f}")]
        cells += [Cell("–"), Cell(""), Cell("")] if found is None else [
            Cell(f"{100 * found.measured[-1]:+.1f}"), Cell(_p(p[row])), Cell(_p(corrected[row]))
        ]  # fmt: skip
        lines.append((Cell(row), *cells))
    heads = ("row", "validation", "test Avg.", f"− {table.against}", "p", "p (Holm)")
    return ResultTable(f"{table.title}: chosen by validation", heads, tuple(lines), 1, _notes(order, chosen, results))


def validation_of(results: Results, row: str) -> tuple[float, float] | None:
    """Mean and standard deviation over seeds of a row's best validation mAP; None without a run."""
    told = [summary for run in finished(results, row) if (summary := read_summary(run.folder)) is not None]
    values = [summary.validation_map for summary in told]
    return (float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0) if values else None


def holm(p: Sequence[float]) -> list[float]:
    """p-values for as many tests at once (Holm 1979): each times the number of those that are no smaller, rising."""
    order = np.argsort(p, kind="stable")
    corrected, least = np.zeros(len(p)), 0.0
    for i, k in enumerate(order.tolist()):
        least = max(least, min(1.0, (len(p) - i) * p[k]))
        corrected[k] = least
    return [float(x) for x in corrected]


def _notes(order: Sequence[str], chosen: dict[str, tuple[float, float]], results: Results) -> tuple[str, ...]:
    if not chosen:
        return ()
    best = order[0]
    scores = results.scores(best)
    assert scores is not None
    note = f"Best by validation: {best}, {100 * scores.mean[-1]:.1f} on the test split."
    left = sum(results.missing(row) for row in order)
    told = "Validation mAP of the chosen epochs, mean ± standard deviation over seeds; p: paired bootstrap."
    return (note, told, *((f"Not done yet: {left} runs.",) if left else ()))


def _percent(mean: float, deviation: float) -> str:
    return f"{100 * mean:.1f} ± {100 * deviation:.1f}" if deviation else f"{100 * mean:.1f}"


def _p(p: float) -> str:
    return f"{p:.3f}"
