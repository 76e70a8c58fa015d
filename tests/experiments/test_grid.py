"""Rows of the paper's tables: what each changes, which are shared, in which order they are trained."""

from dataclasses import replace
from pathlib import Path

import pytest

from avloc.config import RunConfig, to_dict
from avloc.errors import ConfigError
from avloc.experiments.grid import ALL, REFERENCE, ROWS, TABLES, Row, paper_table
from avloc.experiments.key import DataIdentity
from avloc.experiments.runs import once, plan
from avloc.experiments.settings import with_settings
from avloc.recipes.loco import loco_small

DATA = DataIdentity("a", "onepeace", "f", 2)


def rows_of(*tables: str) -> list[Row]:
    """Rows that these tables show, in the order of the grid."""
    needed = {row for name in tables for row in paper_table(name).rows}
    return [row for row in ROWS.values() if row.name in needed]


def changed(row: str) -> dict[str, object]:
    """Settings of a row that differ from the recipe, by dotted name."""

    def flat(group: dict[str, object], prefix: str = "") -> dict[str, object]:
        found: dict[str, object] = {}
        for name, value in group.items():
            found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        return found

    before, after = flat(to_dict(loco_small())), flat(to_dict(ROWS[row].of(loco_small(), 0)))
    return {name: after[name] for name in after if after[name] != before[name]}


@pytest.mark.parametrize(
    ("row", "settings"),
    [
        ("loco", {}),
        ("base", {"network.attention.kind": "none", "loss.lcc_weight": 0.0}),
        ("lcc", {"network.attention.kind": "none"}),
        ("cdp", {"loss.lcc_weight": 0.0}),
        ("global", {"network.attention.kind": "global"}),
        ("base-global", {"network.attention.kind": "global", "loss.lcc_weight": 0.0}),
        ("fixed", {"network.attention.kind": "fixed"}),
        ("diagonal", {"network.lcc.objective": "diagonal"}),
        ("softened", {"network.lcc.objective": "softened"}),
        ("fixed-gaussian", {"network.lcc.objective": "fixed"}),
        ("window-4", {"network.attention.window": 4}),
        ("window-16", {"network.attention.window": 16}),
        ("window-32", {"network.attention.window": 32}),
        ("kl", {"network.lcc.divergence": "kl"}),
        ("key-stream", {"network.attention.adapt_from": "key"}),
        ("weight-0.03", {"loss.lcc_weight": 0.03}),
        ("own-negatives", {"network.lcc.negatives": "video"}),
        ("other-negatives", {"network.lcc.negatives": "others"}),
        ("unlike-negatives", {"network.lcc.negatives": "unlike"}),
        ("after-warmup", {"loss.lcc_after_warmup": True}),
        ("shared-projection", {"network.lcc.projection": "shared"}),
        ("query-residual", {"network.attention.residual": "query"}),
        ("residual-scales", {"network.residual_scales": True}),
        ("fusion-by-level", {"network.fusion_by_level": True}),
    ],
)
def test_a_row_changes_what_its_table_says(row: str, settings: dict[str, object]) -> None:
    assert changed(row) == settings


def test_every_row_of_every_table_is_known_and_every_table_shows_the_reference() -> None:
    for table in TABLES.values():
        assert set(table.rows) <= set(ROWS) and REFERENCE in table.rows
        assert all(len(words) == len(table.heads) for words, _ in table.lines)


def test_rows_that_tables_share_are_trained_once_and_seed_by_seed(tmp_path: Path) -> None:
    runs = plan(loco_small(), rows_of(*ALL), 2, DATA, tmp_path, "test")
    lines = sum(len(TABLES[name].lines) for name in ALL)
    assert lines == 21 and len(runs) == 2 * 13 and len(once(runs)) == 2 * 13
    assert [run.seed for run in runs] == [0] * 13 + [1] * 13
    assert [run.row for run in runs[:3]] == ["loco", "global", "cdp"]
    assert all(run.folder == tmp_path / "runs" / run.key and run.config.train.seed == run.seed for run in runs)


def test_rows_that_come_to_the_same_settings_share_a_run(tmp_path: Path) -> None:
    recipe = loco_small()
    attention = replace(recipe.network.attention, window=4)
    recipe = replace(recipe, network=replace(recipe.network, attention=attention))
    runs = plan(recipe, rows_of("table2d"), 1, DATA, tmp_path, "test")
    assert len(runs) == 5 and len(once(runs)) == 4


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(ConfigError, match="table9"):
        paper_table("table9")


def test_settings_are_strict_and_typed() -> None:
    run = with_settings(
        loco_small(), ["train.epochs=3", "network.attention.kind=fixed", "train.crop-share=[0.5, 1.0]"]
    )
    assert run.train.epochs == 3 and run.network.attention.kind == "fixed" and run.train.crop_share == (0.5, 1.0)
    assert with_settings(RunConfig(), []) == RunConfig()
    for bad, word in [
        ("train.epoch=3", "epochs"),
        ("train.epochs=many", "int is needed"),
        ("train.epochs", "KEY=VALUE"),
        ("train.epochs.more=1", "no group"),
        ("network.attention.kind=dense", "cdp"),
    ]:
        with pytest.raises(ConfigError, match=word):
            with_settings(loco_small(), [bad])
