"""From finished runs to the numbers of a table: mean and deviation over seeds, and the difference to LoCo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.events import Events
from avloc.experiments.compare import COLUMNS, DRAWS, Difference, columns, difference, draws_of
from avloc.experiments.grid import REFERENCE, PaperTable
from avloc.experiments.runs import Run, Summary, summaries_of
from avloc.experiments.similarity import Spread, spread_of
from avloc.report.tables import Cell, ResultTable, mark_best

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """A row's mAP by seed, as shares of one: (S, 6) with the columns of the paper."""

    row: str
    seeds: tuple[int, ...]
    values: Float64

    @property
    def mean(self) -> Float64:
        return np.asarray(self.values.mean(axis=0))

    @property
    def deviation(self) -> Float64 | None:
        """Standard deviation over seeds (n - 1), (6,); None for one seed."""
        return np.asarray(self.values.std(axis=0, ddof=1)) if len(self.seeds) > 1 else None


class Results:
    """The runs of a grid that are done, and how they compare."""

    def __init__(self, runs: Sequence[Run], truth: Mapping[str, Events], draws: int = DRAWS) -> None:
        self.runs, self.truth, self.draws = runs, truth, draws
        self.summaries: dict[tuple[str, int], Summary] = summaries_of(runs)
        self.seeds = tuple(sorted({run.seed for run in runs}))
        self._folders = {(run.row, run.seed): run.folder for run in runs}

    def planned(self, row: str) -> tuple[int, ...]:
        """Seeds that a row is to have."""
        return tuple(sorted({run.seed for run in self.runs if run.row == row}))

    def missing(self, row: str) -> int:
        """How many of a row's runs are not done."""
        return sum((row, seed) not in self.summaries for seed in self.planned(row))

    def scores(self, row: str) -> Scores | None:
        """mAP of the seeds of a row that are done; None without any."""
        seeds = tuple(seed for seed in self.seeds if (row, seed) in self.summaries)
        if not seeds:
            return None
        by_threshold = np.array([self.summaries[row, seed].test_map for seed in seeds])
        return Scores(row, seeds, columns(by_threshold))

    def difference(self, row: str, other: str = REFERENCE) -> Difference | None:
        """A row less another, on the seeds that both have; None without any."""
        mine, theirs = self.scores(row), self.scores(other)
        if mine is None or theirs is None or row == other:
            return None
        seeds = [seed for seed in mine.seeds if seed in theirs.seeds]
        if not seeds:
            return None
        return difference(
            [mine.values[mine.seeds.index(seed)] for seed in seeds],
            [draws_of(self._folders[row, seed], self.truth, self.draws) for seed in seeds],
            [theirs.values[theirs.seeds.index(seed)] for seed in seeds],
            [draws_of(self._folders[other, seed], self.truth, self.draws) for seed in seeds],
        )

    def spreads(self, row: str) -> dict[int, Spread]:
        """Standard deviations of the cross-similarity matrices of a row's finished runs, by seed."""
        return {
            run.seed: spread_of(run.folder, run.test_split, run.config)
            for run in self.runs
            if run.row == row and (row, run.seed) in self.summaries
        }


def result_table(table: PaperTable, results: Results) -> ResultTable:
    """The table as it is read, mAP in percent. Rows without any run are shown as missing."""
    scores = [results.scores(row) for row in table.rows]
    best = mark_best([[None if s is None else float(s.mean[c]) for s in scores] for c in range(len(COLUMNS))])
    lines = []
    for i, ((words, row), score) in enumerate(zip(table.lines, scores, strict=True)):
        cells = [Cell(word) for word in words]
        if score is None:
            cells += [Cell("missing"), *(Cell("") for _ in COLUMNS)]
        else:
            cells += [Cell(_score(score, c), best[c][i]) for c in range(len(COLUMNS))]
            cells.append(Cell(_difference(row, results, table.reference)))
        lines.append(tuple(cells))
    return ResultTable(
        table.title,
        (*table.heads, *COLUMNS, f"Avg. − {table.against} [95 %]"),
        tuple(lines),
        words=len(table.heads),
        notes=_notes(table, results),
    )


def _score(score: Scores, column: int) -> str:
    text = f"{100 * score.mean[column]:.1f}"
    return text if score.deviation is None else f"{text} ± {100 * score.deviation[column]:.1f}"


def _difference(row: str, results: Results, reference: str) -> str:
    if row == reference:
        return "–"
    found = results.difference(row, reference)
    if found is None:
        return ""
    low, high = 100 * found.seeded[:, -1]
    return f"{100 * found.measured[-1]:+.1f} [{low:+.1f}, {high:+.1f}]"


def _notes(table: PaperTable, results: Results) -> tuple[str, ...]:
    counts = sorted({len(results.planned(row)) for row in table.rows} - {0})
    seeds = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}" if counts else "0"
    notes = [f"mAP in percent, mean ± standard deviation over {seeds} seeds."]
    if counts == [1]:
        notes = [f"mAP in percent, seed {results.seeds[0]}."]
    for row in table.rows:
        missing = results.missing(row)
        if missing:
            notes.append(f"Not done yet: {missing} of {len(results.planned(row))} runs of {row}.")
    return tuple(notes)
