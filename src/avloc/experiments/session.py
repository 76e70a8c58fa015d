"""A grid on a data set in a results' folder: what the command line opens, executes and reads tables from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.config import RunConfig
from avloc.datasets.annotations import read_annotations
from avloc.errors import ConfigError
from avloc.events import Events
from avloc.experiments.execute import Progress, execute
from avloc.experiments.grid import TABLES, rows_of
from avloc.experiments.key import DataIdentity, identify
from avloc.experiments.runs import Run, plan
from avloc.experiments.settings import with_settings
from avloc.experiments.tables import Results, result_table
from avloc.features.layout import open_layout
from avloc.files import replace_file
from avloc.report.tables import ResultTable, to_latex, to_markdown
from avloc.training.run import fitted_to, open_split


@dataclass(frozen=True)
class Session:
    """Tables to make, the runs that they need, and the truth that these are scored against."""

    tables: tuple[str, ...]
    recipe: RunConfig
    recipe_name: str
    settings: tuple[str, ...]
    data: DataIdentity
    seeds: int
    out: Path
    runs: tuple[Run, ...]
    truth: dict[str, Events]

    def execute(self, jobs: int, devices: Sequence[str], on_progress: Callable[[Progress], None]) -> list[Run]:
        """Make what is missing; the result is the runs that failed."""
        return execute(self.runs, jobs=jobs, devices=devices, on_progress=on_progress)

    def results(self) -> Results:
        """What is done by now."""
        return Results(self.runs, self.truth)


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
    for split in (recipe.data.train_split, recipe.data.validation_split):
        truth.split(split)
    tested = {video: entry.events for video, entry in truth.split(test_split).items()}
    recipe = fitted_to(recipe, open_split(recipe, recipe.data.train_split))
    runs = tuple(plan(recipe, rows_of(tables), seeds, data, out, test_split))
    return Session(tables, recipe, recipe_name, settings, data, seeds, out, runs, tested)


def write_tables(session: Session, made: Sequence[tuple[str, ResultTable]]) -> list[Path]:
    """Each table as OUT/tables/NAME.md and NAME.tex.

    Raises:
        OutputError: they cannot be written.
    """
    folder = session.out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, table in made:
        for ending, text in ((".md", to_markdown(table)), (".tex", to_latex(table, name))):
            replace_file(folder / f"{name}{ending}", text.encode())
            paths.append(folder / f"{name}{ending}")
    return paths


def make_tables(session: Session, results: Results) -> list[tuple[str, ResultTable]]:
    """The session's tables, of what is done by now."""
    return [(name, result_table(TABLES[name], results)) for name in session.tables]
