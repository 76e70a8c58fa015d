"""Table 1: which recipes stand beside LoCo's, released weights in rows of their own, and what rows cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_data import SETTINGS, make_data, recipe_on

from avloc.config import ActionFormerConfig, ModelConfig, RunConfig
from avloc.errors import ConfigError, ModelError
from avloc.experiments import cost, session
from avloc.experiments.cost_table import method_cost_table
from avloc.experiments.execute import once
from avloc.experiments.methods import TITLES, method_rows, method_table, recipe_beside
from avloc.experiments.runs import read_experiment, read_summary, write_experiment
from avloc.experiments.session import make_tables, open_session
from avloc.experiments.worker import make
from avloc.models.build import build_network
from avloc.recipes.features import features_of
from avloc.recipes.loco import loco_small
from avloc.recipes.table import RECIPES
from avloc.training.checkpoint import save_model
from avloc.training.measure import Measured, measure_here

ALL = ("vsgn", "tadtr", "actionformer", "tridet", "ccnet", "unav", "uniav")
COMMON = ("train.epochs=1", "train.batch=4")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("methods"))


@pytest.fixture
def models(data: Path, tmp_path: Path) -> Path:
    """A folder with an imported ActionFormer on these features, and a model that belongs to no row."""
    recipe = RECIPES["actionformer-small"]
    network = ActionFormerConfig(
        classes=3, visual_width=64, audio_width=64, width=16, head_width=8, levels=3, steps=64
    )
    torch.manual_seed(0)
    labels = ("bark", "clap", "horn")
    config = ModelConfig("af", labels, features_of(recipe), network, window_steps=64)
    save_model(tmp_path / "models" / "af", build_network(network), config)
    (tmp_path / "models" / "notes").mkdir()
    return tmp_path / "models"


def opened(data: Path, out: Path, models: Path | None = None, seeds: int = 2) -> session.Session:
    truth = data / "annotations.json"
    return open_session(
        ("table1",), loco_small(), "loco-small", data, truth, seeds, out, settings=COMMON, models=models
    )


@pytest.mark.parametrize(
    ("recipe", "methods"),
    [
        ("loco-small", ALL),
        ("loco-unav100-i3d-vggish", ALL),
        ("loco-unav100-onepeace", ("actionformer", "tridet", "ccnet", "unav", "uniav")),
    ],
)
def test_every_method_that_has_a_recipe_for_the_features_has_a_row(recipe: str, methods: tuple[str, ...]) -> None:
    rows = method_rows(recipe)
    assert tuple(row.name for row in rows) == methods
    table = method_table(rows, recipe)
    assert table.rows == (*methods, "loco")
    words = dict(zip(table.rows, (words for words, _ in table.lines), strict=True))
    assert all(words[method][0] == TITLES[method] for method in table.rows)
    assert words["loco"][1] == ("ours" if recipe == "loco-small" else "the paper's")


def test_a_row_is_the_method_s_own_recipe_on_the_same_data(data: Path) -> None:
    reference = replace(recipe_on(data), network=replace(loco_small().network, classes=3, visual_width=64))
    (row,) = (row for row in method_rows("loco-small", ("train.epochs=3",)) if row.name == "unav")
    run, own = row.of(reference, 7), RECIPES["unav-small"]()
    assert run.data == reference.data and run.train == replace(own.train, epochs=3, seed=7)
    assert run.network == replace(own.network, classes=3, visual_width=64)
    assert recipe_beside("loco-small", "unav") == "unav-small" and recipe_beside("loco-small", "x") is None


def test_a_setting_that_not_all_methods_have_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"vsgn-small: .*'heads'.*--set needs settings that all methods have"):
        open_session(
            ("table1",), loco_small(), "loco-small", data, data / "annotations.json", 1, tmp_path, settings=SETTINGS
        )


def test_released_weights_are_tested_once_and_not_trained(data: Path, models: Path, tmp_path: Path) -> None:
    here = opened(data, tmp_path / "out", models)
    released = [run for run in here.runs if run.row == "actionformer-released"]
    assert len(released) == 1 and released[0].seed == 0
    assert len(once(here.runs)) == 2 * (1 + len(ALL)) + 1
    (run,) = released
    write_experiment(run)
    told = read_experiment(run.folder)
    assert told.weights == run.weights == (models / "af").resolve()
    summary = make(told)
    assert summary == read_summary(run.folder) and summary.training_s == 0 and summary.test_videos == 4
    assert not (run.folder / "model.safetensors").exists()
    tables = dict(make_tables(here, here.results(), measure=False))
    lines = {(line[0].text, line[1].text): line for line in tables["table1"].lines}
    assert lines["ActionFormer", "released weights"][2].text != "missing"
    assert lines["ActionFormer", "ours"][2].text == "missing"
    assert [line[0].text for line in tables["table1-cost"].lines] == list(TITLES.values())

    weights = models / "af" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + bytes(4))  # other weights, another run
    again = [r for r in opened(data, tmp_path / "out", models).runs if r.row == "actionformer-released"]
    assert again[0].key != run.key


def test_two_models_of_a_row_are_refused(data: Path, models: Path, tmp_path: Path) -> None:
    (models / "again").mkdir()
    for name in ("config.json", "model.safetensors"):
        (models / "again" / name).write_bytes((models / "af" / name).read_bytes())
    with pytest.raises(ModelError, match="several models of actionformer"):
        opened(data, tmp_path / "out", models)
    with pytest.raises(ModelError, match="is no folder"):
        opened(data, tmp_path / "out", tmp_path / "missing")


def test_a_step_is_measured_where_it_is_asked_for() -> None:
    network = ActionFormerConfig(classes=3, visual_width=8, audio_width=8, width=16, head_width=8, levels=2, steps=32)
    run = replace(RECIPES["actionformer-small"](), network=network)
    assert measure_here(run, 32).step_ms is None
    measured = measure_here(run, 32, step=True)
    assert measured.step_ms is not None and measured.step_ms > 0 and measured.forward_ms > 0


def test_costs_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[bool] = []

    def measure(run: RunConfig, length: int, *, step: bool) -> Measured:
        asked.append(step)
        return Measured(1.25, 30.0, "CPU", 1, 4.5 if step else None)

    monkeypatch.setattr(cost, "measure", measure)
    row = next(row for row in method_rows("loco-small") if row.name == "actionformer")
    run = row.of(loco_small(), 0)
    found = [cost.cost_of("actionformer", run, tmp_path, run=True, step=True) for _ in range(2)]
    assert asked == [True] and found[0] == found[1]
    table = method_cost_table(method_table([row], "loco-small"), {"actionformer": found[0]})
    (line,) = table.lines
    assert [cell.text for cell in line] == ["ActionFormer", "256", "0.438", line[3].text, "1.25", "30.0", "4.50"]
