"""Sweeps: what a file asks for, runs that the paper's grid shares, the row that validation chooses."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_data import SETTINGS, make_data, recipe_on

from avloc.errors import ConfigError
from avloc.experiments.compare import DRAWS, draws_path
from avloc.experiments.runs import Run, Summary, write_experiment, write_summary
from avloc.experiments.session import GridSession, open_session
from avloc.experiments.sweep import open_sweep, read_sweep
from avloc.experiments.sweep_tables import choice_table, holm
from avloc.experiments.tables import result_table
from avloc.recipes.loco import loco_small

ROWS = {
    "recipe": "loco-small",
    "rows": {
        "loco": {},
        "global": {"network.attention.kind": "global"},
        "fixed": {"network": {"attention": {"kind": "fixed"}}},
    },
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("sweep"))


def finish(session: GridSession) -> None:
    """Runs as if they had been made: numbers that depend on row and seed alone."""
    for run in session.runs:
        write_experiment(run)
        number = {"loco": 2, "global": 3, "fixed": 1}[run.row]
        values = tuple(0.1 * number + 0.01 * run.seed + 0.01 * t for t in range(9))
        rng = np.random.default_rng([number, run.seed])
        np.save(draws_path(run.folder, DRAWS), rng.normal(0.1 * number, 0.01, (DRAWS, 6)))
        summary = Summary(
            run.row, run.seed, run.key, "0", "0", "cpu", 1.0, 1.0, 0.5 - 0.1 * number, 1, 4, (), values,
            float(np.mean(values)),
        )  # fmt: skip
        write_summary(run.folder, summary)


def test_the_table_is_that_of_the_paper(data: Path, tmp_path: Path) -> None:
    truth = data / "annotations.json"
    mine = open_sweep(read_sweep(ROWS, "rows.yaml", SETTINGS), data, truth, 2, tmp_path / "a")
    paper = open_session(("table2c",), loco_small(), "loco-small", data, truth, 2, tmp_path / "b", settings=SETTINGS)
    assert {(run.row, run.seed): run.key for run in mine.runs} == {(r.row, r.seed): r.key for r in paper.runs}
    assert [run.seed for run in mine.runs] == [0, 0, 0, 1, 1, 1]
    for session in (mine, paper):
        finish(session)
    one, other = (result_table(session.tables[0], session.results()) for session in (mine, paper))
    assert (
        one.heads[1:-1] == other.heads[1:-1] and one.heads[-1] == "Avg. − loco's [95 %]" and one.notes == other.notes
    )
    words = {"loco": "CDP", "global": "global", "fixed": "fixed"}
    assert {words[line[0].text]: line[1:] for line in one.lines} == {line[0].text: line[1:] for line in other.lines}


def test_validation_chooses_and_the_test_split_does_not(data: Path, tmp_path: Path) -> None:
    told = read_sweep({**ROWS, "reference": "global"}, "rows.yaml", SETTINGS)
    session = open_sweep(told, data, data / "annotations.json", 2, tmp_path)
    finish(session)
    table = choice_table(told.table, session.results())
    assert [line[0].text for line in table.lines] == ["fixed", "loco", "global"]  # best on test is global
    assert table.lines[0][1].best and table.lines[0][1].text == "40.0"
    assert [line[3].text for line in table.lines] == ["-20.0", "-10.0", "–"]
    assert float(table.lines[0][4].text) <= 0.002 and float(table.lines[0][5].text) <= 0.004
    assert "Best by validation: fixed, 14.5 on the test split." in table.notes
    empty = choice_table(told.table, open_sweep(told, data, data / "annotations.json", 2, tmp_path / "x").results())
    assert {line[1].text for line in empty.lines} == {"missing"}


def test_every_combination_is_a_row() -> None:
    told = {**ROWS, "rows": {"loco": {}, "af": {"recipe": "actionformer-small"}}}
    told["vary"] = {"train.learning_rate": [1e-3, 2e-3], "train.batch": [4]}
    rows = read_sweep(told, "rows.yaml", ("train.epochs=3",)).rows
    assert list(rows) == [
        "loco, learning_rate=0.001, batch=4",
        "loco, learning_rate=0.002, batch=4",
        "af, learning_rate=0.001, batch=4",
        "af, learning_rate=0.002, batch=4",
    ]
    last = rows["af, learning_rate=0.002, batch=4"]
    assert last.network.method == "actionformer" and last.train.learning_rate == 2e-3
    assert {run.train.epochs for run in rows.values()} == {3}
    alone = read_sweep({"recipe": "loco-small", "vary": {"train.batch": [4, 8]}}, "rows.yaml")
    assert list(alone.rows) == ["batch=4", "batch=8"] and alone.reference == "batch=4"


def test_a_row_may_have_features_of_its_own(data: Path, tmp_path: Path) -> None:
    told = {"recipe": "loco-small", "rows": {"a": {}, "b": {"data.features": str(data)}}}
    session = open_sweep(read_sweep(told, "r"), data, data / "annotations.json", 1, tmp_path)
    assert session.runs[0].key == session.runs[1].key
    with pytest.raises(ConfigError, match="row a: no features are named"):
        open_sweep(read_sweep(told, "r"), None, data / "annotations.json", 1, tmp_path)
    told["rows"] = {"a": {"data.annotations": "b.json"}}
    with pytest.raises(ConfigError, match=r"row a: data\.annotations is named; all rows have those of --annotations"):
        open_sweep(read_sweep(told, "r"), data, data / "annotations.json", 1, tmp_path)


def test_rows_are_tested_on_the_split_that_they_name(data: Path, tmp_path: Path) -> None:
    told = {"recipe": "loco-small", "rows": {"a": {"data.test_split": "validation"}, "b": {}}}
    given = (data, data / "annotations.json", 1, tmp_path)
    with pytest.raises(ConfigError, match="tested on validation and test; name one split for all with --test-split"):
        open_sweep(read_sweep(told, "r"), *given)
    assert {run.test_split for run in open_sweep(read_sweep(told, "r"), *given, test_split="train").runs} == {"train"}
    told["set"] = {"data.test_split": "validation"}
    assert {run.test_split for run in open_sweep(read_sweep(told, "r"), *given).runs} == {"validation"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"row": {}}, "no part 'row'; did you mean 'rows'"),
        ({"rows": {}}, "has no row"),
        ({"rows": ["loco"]}, "rows by their names"),
        ({"rows": {"a": 3}}, "settings by their names"),
        ({"recipe": "loco-smal"}, "did you mean loco-small"),
        ({"recipe": "uniav-at-small"}, "several data sets"),
        ({"rows": {"a": {"train.epoch": 3}}}, r"row a: recipe.train has no setting 'epoch'; did you mean 'epochs'"),
        ({"rows": {"a": {"train.epochs": "three"}}}, "int is needed"),
        ({"reference": "x"}, "the reference 'x' is no row"),
        ({"vary": {"train.epochs": 3}}, "a list of values"),
        ({"vary": {"train.seed": list(range(400))}}, "more than 1000 rows"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(change: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        read_sweep({**ROWS, **change}, "rows.yaml")
    assert "rows.yaml" in str(raised.value)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_as_by_definition(p: list[float]) -> None:
    """The greatest of (number of tests no smaller) times p over all that are no larger."""
    order = sorted(range(len(p)), key=lambda k: p[k])
    for place, k in enumerate(order):
        wanted = max(min(1.0, (len(p) - j) * p[order[j]]) for j in range(place + 1))
        assert holm(p)[k] == pytest.approx(wanted)


def test_modalities_are_a_table_of_the_paper(data: Path, tmp_path: Path) -> None:
    truth = data / "annotations.json"
    session = open_session(("modalities",), loco_small(), "loco-small", data, truth, 1, tmp_path)
    (table,) = session.tables
    assert (("ActionFormer", "visual alone"), "actionformer-visual") in table.lines
    run = next(run for run in session.runs if run.row == "tridet-audio")
    assert run.config.data.modalities == ("audio",) and run.config.network.visual_width == 0
    assert {line[0][0] for line in table.lines} == {"LoCo", "ActionFormer", "TriDet", "TadTR", "VSGN"}
    told = {"recipe": "tridet-small", "rows": {"a": {"data.modalities": ["audio"]}}}
    (mine,) = open_sweep(read_sweep(told, "r"), data, truth, 1, tmp_path).runs
    assert mine.key == run.key
    assert isinstance(mine, Run) and asdict(replace(recipe_on(data)).data)["modalities"] == ()
