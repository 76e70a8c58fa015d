"""A sweep: rows of a file, each a recipe with settings of its own, on the machinery of the paper's grid.

file > read_sweep (rows by name) > open_sweep (runs by key) > tables: test and validation, paired tests, the best row

    title: Attention
    recipe: loco-small
    set: {train.epochs: 4}
    rows:
      loco: {}
      global: {network.attention.kind: global}
      actionformer: {recipe: actionformer-small}
    vary: {train.learning_rate: [1e-3, 2e-3]}
"""

from __future__ import annotations

import difflib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avloc.config import JointRunConfig, RunConfig
from avloc.datasets.annotations import read_annotations
from avloc.errors import ConfigError
from avloc.experiments.grid import PaperTable, Row
from avloc.experiments.key import identify
from avloc.experiments.runs import Run, plan
from avloc.experiments.session import GridSession
from avloc.experiments.settings import with_settings, with_values
from avloc.features.layout import open_layout
from avloc.recipes.table import RECIPES
from avloc.training.data import fitted_to, open_split

NAME = "sweep"
_PARTS = ("title", "recipe", "set", "reference", "rows", "vary")
_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Sweep:
    """Rows by name in the order of the file, each with all its settings; the others are held against `reference`."""

    title: str
    reference: str
    rows: Mapping[str, RunConfig]

    @property
    def table(self) -> PaperTable:
        """As it is shown: a line for each row."""
        lines = tuple(((name,), name) for name in self.rows)
        return PaperTable(NAME, self.title, ("row",), lines, self.reference, f"{self.reference}'s")


def read_sweep(told: object, where: str, settings: Sequence[str] = ()) -> Sweep:
    """The sweep that a file `where` tells; `settings`, KEY=VALUE, are laid over every row.

    Raises:
        ConfigError: a part, recipe or setting is unknown (the nearest is named), or there is no row.
    """
    if not isinstance(told, Mapping):
        raise ConfigError(f"{where}: is no sweep; groups `recipe` and `rows` are needed (docs/sweeps.md)")
    for key in told:
        if key not in _PARTS:
            near = difflib.get_close_matches(str(key), _PARTS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_PARTS)}"
            raise ConfigError(f"{where} has no part {key!r}; {hint}")
    common = _group(told.get("set"), f"{where}.set")
    rows = {}
    for name, values in _rows(told, where):
        recipe = _recipe(values.pop("recipe", told.get("recipe")), f"{where}, row {name}")
        run = with_values(with_values(recipe, common, f"{where}.set"), values, f"{where}, row {name}: recipe")
        rows[name] = with_settings(run, settings)
    reference = str(told.get("reference", next(iter(rows))))
    if reference not in rows:
        raise ConfigError(f"{where}: the reference {reference!r} is no row; rows are {', '.join(rows)}")
    return Sweep(str(told.get("title", "Sweep")), reference, rows)


def open_sweep(
    sweep: Sweep,
    features: Path | None,
    annotations: Path,
    seeds: int,
    out: Path,
    *,
    test_split: str | None = None,
    records: Path | None = None,
) -> GridSession:
    """Settle what is to run, and look at the data before anything does.

    features: folder for rows that name none of their own (data.features). test_split: without it the rows' own.

    Raises:
        ConfigError: there is no seed, a row has no features, or annotations or a test split of its own.
        FormatError, FeatureError: the data cannot be read, or have not the splits that are needed.
    """
    if seeds < 1:
        raise ConfigError(f"{seeds} seeds were asked for; 1 at least is needed")
    annotations = annotations.resolve()
    test_split = test_split or _test_split(sweep)
    runs: list[Run] = []
    for name, run in sweep.rows.items():
        given = run.data.features or features
        if run.data.annotations:
            raise ConfigError(f"row {name}: data.annotations is named; all rows have those of --annotations")
        if given is None:
            raise ConfigError(f"row {name}: no features are named; give --data, or data.features in the row")
        folder = Path(given).resolve()
        run = replace(run, data=replace(run.data, features=str(folder), annotations=str(annotations)))
        open_layout(folder, run.data.layout)
        fitted = fitted_to(run, open_split(run, run.data.train_split))
        runs += plan(fitted, (Row(name, ()),), seeds, identify(folder, annotations, run.data.layout), out, test_split)
    runs.sort(key=lambda run: run.seed)  # as the paper's grid: every row early
    forgiving = any(run.data.forgiving for run in sweep.rows.values())
    truth = read_annotations(annotations, forgiving=forgiving).split(test_split)
    return GridSession(
        (sweep.table,),
        out,
        out / "records" if records is None else records,
        tuple(runs),
        tuple(runs),
        {video: entry.events for video, entry in truth.items()},
    )


def _test_split(sweep: Sweep) -> str:
    found = list(dict.fromkeys(run.data.test_split for run in sweep.rows.values()))
    if len(found) > 1:
        raise ConfigError(f"rows are tested on {' and '.join(found)}; name one split for all with --test-split")
    return found[0]


def _rows(told: Mapping[Any, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and settings of each row; with `vary`, of each row with each combination of values."""
    given = told.get("rows")
    rows: list[tuple[str, dict[str, Any]]] = [("", {})]
    if given is not None:
        rows = [(str(name), _group(values, f"{where}.rows.{name}")) for name, values in _named(given, where)]
    varied = _group(told.get("vary"), f"{where}.vary")
    for key, values in varied.items():
        if not isinstance(values, list) or not values:
            raise ConfigError(f"{where}.vary.{key} is {values!r}; a list of values is needed, such as [1e-3, 2e-3]")
    if (given is None and not varied) or not rows:
        raise ConfigError(
            f"{where}: has no row; `rows` names each with its settings, `vary` lists values of settings"
        )
    if len(rows) * math.prod(len(values) for values in varied.values()) > _MOST_ROWS:
        raise ConfigError(f"{where}: asks for more than {_MOST_ROWS} rows; vary less at a time")
    for (name, settings), values in itertools.product(rows, itertools.product(*varied.values())):
        words = [f"{key.rpartition('.')[2]}={_said(value)}" for key, value in zip(varied, values, strict=True)]
        yield ", ".join(word for word in (name, *words) if word), settings | dict(zip(varied, values, strict=True))


def _named(given: object, where: str) -> Iterator[tuple[Any, Any]]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where}.rows is {type(given).__name__}; rows by their names are needed")
    return iter(given.items())


def _group(given: object, where: str) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where} is {given!r}; settings by their names are needed, such as train.epochs: 4")
    return {str(key): value for key, value in given.items()}


def _recipe(name: object, where: str) -> RunConfig:
    if name not in RECIPES:
        near = difflib.get_close_matches(str(name), RECIPES, n=1)
        hint = f"did you mean {near[0]}?" if near else "avloc recipes lists them"
        raise ConfigError(f"{where}: there is no recipe {name!r}; {hint}")
    recipe = RECIPES[str(name)]()
    if isinstance(recipe, JointRunConfig):
        raise ConfigError(f"{where}: {name} learns from several data sets, a sweep from one; take another recipe")
    return recipe


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
