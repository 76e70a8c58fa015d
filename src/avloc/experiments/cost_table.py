"""Table 3 as it is read: at the recipe's width with its mAP, and at the paper's width beside other works."""

from __future__ import annotations

from avloc.experiments.cost import Cost
from avloc.experiments.grid import TABLES, PaperTable
from avloc.experiments.tables import Results
from avloc.report.tables import Cell, ResultTable, mark_best

_HEADS = ("parameters (M)", "multiply-accumulates (G)", "forward (ms)", "memory (MB)")


def cost_table(costs: dict[str, Cost], results: Results) -> ResultTable:
    """Cost of each row at the recipe's width, and its average mAP."""
    table = TABLES["table3"]
    scores = [results.scores(row) for row in table.rows]
    best = mark_best([[None if s is None else float(s.mean[-1]) for s in scores]])[0]
    lines = []
    for i, ((words, row), score) in enumerate(zip(table.lines, scores, strict=True)):
        if score is None:
            average = "missing"
        elif score.deviation is None:
            average = f"{100 * score.mean[-1]:.1f}"
        else:
            average = f"{100 * score.mean[-1]:.1f} ± {100 * score.deviation[-1]:.1f}"
        lines.append((*(Cell(word) for word in words), *_cells(costs[row]), Cell(average, best[i])))
    notes = (_counting(costs), *_measuring(costs))
    return ResultTable(table.title, (*table.heads, *_HEADS, "Avg."), tuple(lines), 1, notes)


def method_cost_table(table: PaperTable, costs: dict[str, Cost]) -> ResultTable:
    """Cost of each method of Table 1 at the width of its recipe; a training step for one video of a batch of four."""
    lines = tuple(
        (Cell(words[0]), Cell(str(costs[row].length)), *_cells(costs[row]), Cell(_step(costs[row])))
        for words, row in table.lines
        if row in costs
    )
    notes = (*((_counting(costs),) if "loco" in costs else ()), *_measuring(costs))
    heads = ("method", "T", *_HEADS, "training step (ms a video)")
    return ResultTable("Table 1: cost of the methods", heads, lines, 1, notes)


def _step(cost: Cost) -> str:
    measured = cost.measured
    return "" if measured is None or measured.step_ms is None else _three(measured.step_ms)


def wide_table(costs: dict[str, Cost], others: dict[str, Cost]) -> ResultTable:
    """Cost of each row at the paper's width, beside other methods. No mAP: nothing is trained."""
    table = TABLES["table3"]
    lines: list[tuple[Cell, ...]] = [
        (Cell(name), Cell(str(cost.length)), *_cells(cost)) for name, cost in others.items()
    ]
    for words, row in table.lines:
        cost = costs[row]
        lines.append((Cell(words[0]), Cell(str(cost.length)), *_cells(cost)))
    notes = (
        _counting(costs),
        "UniAV is its branch for this task. All are this project's networks, of the sizes of their authors' code.",
        *_measuring(costs),
    )
    heads = ("model", "T", *_HEADS)
    return ResultTable("Table 3 at the paper's width: cost beside other methods", heads, tuple(lines), 1, notes)


def _cells(cost: Cost) -> tuple[Cell, ...]:
    measured = cost.measured
    return (
        Cell(_three(cost.parameters / 1e6)),
        Cell(_three(cost.macs / 1e9)),
        Cell("" if measured is None else _three(measured.forward_ms)),
        Cell("" if measured is None else _three(measured.memory_mb)),
    )


def _three(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def _counting(costs: dict[str, Cost]) -> str:
    loco = costs["loco"]
    return (
        f"Counts are of one video of {loco.length} steps. LCC's part in training is counted where a model has it "
        f"({_three(loco.lcc_parameters / 1e6)} M, {_three(loco.lcc_macs / 1e9)} G); detection does without it."
    )


def _measuring(costs: dict[str, Cost]) -> tuple[str, ...]:
    measured = [cost.measured for cost in costs.values() if cost.measured is not None]
    if not measured:
        return ()
    devices = sorted({f"{m.device}, {m.threads} thread{'s' * (m.threads > 1)}" for m in measured})
    return (f"Least time of 20 forward passes, memory of weights and a pass ({'; '.join(devices)}).",)
