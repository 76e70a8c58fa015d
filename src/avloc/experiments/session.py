"""A grid on a data set in a results' folder: what the command line opens, executes and reads tables from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.config import RunConfig
from avloc.datasets.annotations import read_annotations
from avloc.errors import ConfigError
from avloc.events import Events
from avloc.experiments.cost import Cost, cost_of, costs, other_methods
from avloc.experiments.cost_table import cost_table, method_cost_table, wide_table
from avloc.experiments.execute import Progress, execute
from avloc.experiments.grid import ROWS, TABLES, PaperTable, Row, paper_table
from avloc.experiments.key import DataIdentity, identify
from avloc.experiments.methods import (
    MODALITIES,
    TABLE,
    method_rows,
    method_table,
    modality_rows,
    modality_table,
)
from avloc.experiments.records import exchange
from avloc.experiments.runs import Run, once, plan
from avloc.experiments.settings import with_settings
from avloc.experiments.tables import Results, result_table
from avloc.features.layout import open_layout
from avloc.files import replace_file
from avloc.recipes.loco import loco_unav100_onepeace
from avloc.report.tables import ResultTable, to_latex, to_markdown
from avloc.training.data import fitted_to, open_split


@dataclass(frozen=True)
class GridSession:
    """Tables to make, the runs that they need, and the truth that these are scored against.

    `known` are the runs of every row there is, whether a table of the session needs them or not.
    """

    tables: tuple[PaperTable, ...]
    out: Path
    records: Path
    runs: tuple[Run, ...]
    known: tuple[Run, ...]
    truth: dict[str, Events]

    def execute(self, jobs: int, devices: Sequence[str], on_progress: Callable[[Progress], None]) -> list[Run]:
        """Make what is missing; the result is the runs that failed."""
        return execute(self.runs, records=self.records, jobs=jobs, devices=devices, on_progress=on_progress)

    def results(self) -> Results:
        """What is done by now, of every row that there is."""
        exchange(self.records, once(self.known))
        return Results(self.known, self.truth)


@dataclass(frozen=True)
class Session(GridSession):
    """The paper's grid: its reference recipe, and how many videos the splits have."""

    recipe: RunConfig
    recipe_name: str
    settings: tuple[str, ...]
    data: DataIdentity
    seeds: int
    videos: dict[str, int]


def open_session(
    tables: tuple[str, ...],
    recipe: RunConfig,
    recipe_name: str,
    features: Path,
    annotations: Path,
    seeds: int,
    out: Path,
    *,
    settings: tuple[str, ...] = (),
    test_split: str = "test",
    models: Path | None = None,
    records: Path | None = None,
    seeds_of: Sequence[str] = (),
) -> Session:
    """Settle what is to run, and look at the data before anything does.

    `models`: a folder of model folders with released weights, for Table 1. `records`: folder of the runs' records;
    without it one in `out`. `seeds_of`: tables with another number of seeds, such as table2a=5; a row has as many as
    the table of its that has most.

    Raises:
        ConfigError: a table or setting is unknown, or there is no seed.
        ModelError: a folder of `models` is broken.
        FormatError, FeatureError: the data cannot be read, or have not the splits that are needed.
    """
    given = _seeds_of(seeds_of)
    for number in (seeds, *given.values()):
        if number < 1:
            raise ConfigError(f"{number} seeds were asked for; 1 at least is needed")
    recipe = with_settings(recipe, settings)
    features, annotations = features.resolve(), annotations.resolve()
    recipe = replace(recipe, data=replace(recipe.data, features=str(features), annotations=str(annotations)))
    data = identify(features, annotations, recipe.data.layout)
    open_layout(features, recipe.data.layout)
    truth = read_annotations(annotations)
    splits = {
        split: truth.split(split) for split in (recipe.data.train_split, recipe.data.validation_split, test_split)
    }
    tested = {video: entry.events for video, entry in splits[test_split].items()}
    videos = {split: len(entries) for split, entries in splits.items()}
    recipe = fitted_to(recipe, open_split(recipe, recipe.data.train_split))
    beside, shown = _tables(tables, recipe_name, settings, models)
    planned = plan(recipe, (*ROWS.values(), *beside), max(seeds, *given.values(), 1), data, out, test_split)
    needed: dict[str, int] = {}
    for table in shown:
        for row in table.rows:
            needed[row] = max(needed.get(row, 0), given.get(table.name, seeds))
    known = tuple(run for run in planned if run.seed < needed.get(run.row, seeds))
    runs = tuple(run for run in known if run.row in needed)
    records = out / "records" if records is None else records
    return Session(shown, out, records, runs, known, tested, recipe, recipe_name, settings, data, seeds, videos)


def _tables(
    names: tuple[str, ...], recipe_name: str, settings: tuple[str, ...], models: Path | None
) -> tuple[tuple[Row, ...], tuple[PaperTable, ...]]:
    """The tables, and their rows beside those of the paper's grid, each once."""
    methods = method_rows(recipe_name, settings, models) if TABLE in names else ()
    alone = modality_rows(recipe_name, settings) if MODALITIES in names else ()
    made = {TABLE: lambda: method_table(methods, recipe_name), MODALITIES: lambda: modality_table(alone)}
    shown = tuple(made[name]() if name in made else paper_table(name) for name in names)
    return tuple({row.name: row for row in (*methods, *alone)}.values()), shown


def _seeds_of(given: Sequence[str]) -> dict[str, int]:
    numbers = {}
    for one in given:
        name, _, number = one.partition("=")
        if not number.isdecimal() or name not in (TABLE, MODALITIES, *TABLES):
            raise ConfigError(f"{one!r} is no number of seeds of a table; TABLE=SEEDS is needed, such as table2a=5")
        numbers[name] = int(number)
    return numbers


def make_tables(session: Session, results: Results, *, measure: bool) -> list[tuple[str, ResultTable]]:
    """The session's tables, of what is done by now, by name; Table 1 with its costs in a second one, Table 3 at the
    recipe's and at the paper's width.

    measure: whether times and memory that are not known yet are measured now, which takes a minute or more.
    """
    made, kept = [], session.out / "cost"
    for table in session.tables:
        if table.name == "table3":
            made.append((table.name, cost_table(costs(session.recipe, kept, run=measure), results)))
            wide = wide_costs(session, measure=measure)
            made.append(("table3-wide", wide_table(wide, other_methods(kept, run=measure))))
            continue
        made.append((table.name, result_table(table, results)))
        if table.name == TABLE:
            made.append((f"{TABLE}-cost", method_cost_table(table, _method_costs(session, table, measure=measure))))
    return made


def _method_costs(session: Session, table: PaperTable, *, measure: bool) -> dict[str, Cost]:
    """By row; a row of released weights costs what its method's does."""
    first = {run.row: run.config for run in reversed(session.runs) if run.weights is None}
    kept = session.out / "cost"
    return {row: cost_of(row, first[row], kept, run=measure, step=True) for row in table.rows if row in first}


def wide_costs(session: Session, *, measure: bool) -> dict[str, Cost]:
    """Table 3's costs at the paper's width."""
    return costs(loco_unav100_onepeace(), session.out / "cost", run=measure)


def write_tables(session: GridSession, made: Sequence[tuple[str, ResultTable]]) -> None:
    """Each table as OUT/tables/NAME.md and NAME.tex.

    Raises:
        OutputError: they cannot be written.
    """
    folder = session.out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in made:
        replace_file(folder / f"{name}.md", to_markdown(table).encode())
        replace_file(folder / f"{name}.tex", to_latex(table, name).encode())
