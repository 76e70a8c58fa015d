"""A grid on a data set in a results' folder: what the command line opens, executes and reads tables from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.config import RunConfig
from avloc.datasets.annotations import read_annotations
from avloc.errors import ConfigError
from avloc.events import Events
from avloc.experiments.cost import Cost, costs
from avloc.experiments.cost_table import cost_table, wide_table
from avloc.experiments.execute import Progress, execute
from avloc.experiments.grid import ROWS, TABLES, rows_of
from avloc.experiments.key import DataIdentity, identify
from avloc.experiments.runs import Run, plan
from avloc.experiments.settings import with_settings
from avloc.experiments.tables import Results, result_table
from avloc.features.layout import open_layout
from avloc.files import replace_file
from avloc.recipes.loco import loco_unav100_onepeace
from avloc.report.tables import ResultTable, to_latex, to_markdown
from avloc.training.data import fitted_to, open_split


@dataclass(frozen=True)
class Session:
    """Tables to make, the runs that they need, and the truth that these are scored against.

    `known` are the runs of every row there is, whether a table of the session needs them or not. `videos` counts the
    videos of the splits.
    """

    tables: tuple[str, ...]
    recipe: RunConfig
    recipe_name: str
    settings: tuple[str, ...]
    data: DataIdentity
    seeds: int
    out: Path
    runs: tuple[Run, ...]
    known: tuple[Run, ...]
    truth: dict[str, Events]
    videos: dict[str, int]

    def execute(self, jobs: int, devices: Sequence[str], on_progress: Callable[[Progress], None]) -> list[Run]:
        """Make what is missing; the result is the runs that failed."""
        return execute(self.runs, jobs=jobs, devices=devices, on_progress=on_progress)

    def results(self) -> Results:
        """What is done by now, of every row that there is."""
        return Results(self.known, self.truth)


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
) -> Session:
    """Settle what is to run, and look at the data before anything does.

    Raises:
        ConfigError: a table or setting is unknown, or there is no seed.
        FormatError, FeatureError: the data cannot be read, or have not the splits that are needed.
    """
    if seeds < 1:
        raise ConfigError(f"{seeds} seeds were asked for; 1 at least is needed")
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
    known = tuple(plan(recipe, tuple(ROWS.values()), seeds, data, out, test_split))
    needed = {row.name for row in rows_of(tables)}
    runs = tuple(run for run in known if run.row in needed)
    return Session(tables, recipe, recipe_name, settings, data, seeds, out, runs, known, tested, videos)


def make_tables(session: Session, results: Results, *, measure: bool) -> list[tuple[str, ResultTable]]:
    """The session's tables, of what is done by now, by name; Table 3 at the recipe's and at the paper's width.

    measure: whether times and memory that are not known yet are measured now, which takes a minute or more.
    """
    made = []
    for name in session.tables:
        if name == "table3":
            made.append((name, cost_table(costs(session.recipe, session.out / "cost", run=measure), results)))
            made.append(("table3-wide", wide_table(wide_costs(session, measure=measure))))
        else:
            made.append((name, result_table(TABLES[name], results)))
    return made


def wide_costs(session: Session, *, measure: bool) -> dict[str, Cost]:
    """Table 3's costs at the paper's width."""
    return costs(loco_unav100_onepeace(), session.out / "cost", run=measure)


def write_tables(session: Session, made: Sequence[tuple[str, ResultTable]]) -> None:
    """Each table as OUT/tables/NAME.md and NAME.tex.

    Raises:
        OutputError: they cannot be written.
    """
    folder = session.out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in made:
        replace_file(folder / f"{name}.md", to_markdown(table).encode())
        replace_file(folder / f"{name}.tex", to_latex(table, name).encode())
