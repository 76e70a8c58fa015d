"""The grid's processes: stopped, failing, and two at one folder."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from small_data import SETTINGS, make_data, recipe_on

from avloc.config import RunConfig
from avloc.evaluation.mean_ap import mean_ap
from avloc.experiments import worker
from avloc.experiments.execute import Progress, execute, state_of
from avloc.experiments.grid import ROWS
from avloc.experiments.key import identify
from avloc.experiments.runs import (
    LOCK,
    LOG,
    PREDICTIONS,
    Run,
    plan,
    read_experiment,
    read_metrics,
    read_summary,
    write_experiment,
)
from avloc.experiments.settings import with_settings
from avloc.formats.activitynet import read_results, read_truth
from avloc.lock import is_held, locked
from avloc.training.data import fitted_to, open_split


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def recipe(data: Path) -> RunConfig:
    found = with_settings(recipe_on(data), SETTINGS)
    return fitted_to(found, open_split(found, "train"))


def run_of(recipe: RunConfig, data: Path, out: Path) -> Run:
    identity = identify(data, data / "annotations.json", "onepeace")
    return plan(recipe, (ROWS["loco"],), 1, identity, out, "test")[0]


def test_a_run_does_what_train_and_test_do(recipe: RunConfig, data: Path, tmp_path: Path) -> None:
    run = run_of(recipe, data, tmp_path)
    write_experiment(run)
    assert read_experiment(run.folder) == run and state_of(run) == "stopped, 0 of 2 epochs"
    summary = worker.make(run)
    assert read_summary(run.folder) == summary and state_of(run).startswith("done, mAP")
    truth = {video: entry.events for video, entry in read_truth(data / "annotations.json", "test").items()}
    again = mean_ap(read_results(run.folder / PREDICTIONS), truth)
    assert summary.test_map == pytest.approx(again.by_threshold, abs=1e-3)
    assert summary.test_average == pytest.approx(sum(summary.test_map) / 9)
    lines = read_metrics(run.folder)
    assert summary.training_s == pytest.approx(sum(line["seconds"] for line in lines))
    best = max(lines, key=lambda line: (line["validation_map"], -line["number"]))
    assert (summary.best_epoch, summary.validation_map) == (best["number"], best["validation_map"])


def test_data_that_were_moved_do_not_stop_a_run(
    recipe: RunConfig, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(replace(recipe, train=replace(recipe.train, epochs=1)), data, tmp_path / "out")
    write_experiment(run)
    worker.make(run)
    (run.folder / "summary.json").unlink()
    moved = data.parent / "moved"
    moved.symlink_to(data)
    place = replace(run.config.data, features=str(moved), annotations=str(moved / "annotations.json"))
    capsys.readouterr()
    assert worker.make(replace(run, config=replace(run.config, data=place))).best_epoch == 1
    assert "begun anew" in capsys.readouterr().out and len(read_metrics(run.folder)) == 1


def test_two_processes_do_not_make_one_run(
    recipe: RunConfig, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(recipe, data, tmp_path)
    write_experiment(run)
    monkeypatch.setattr(sys, "argv", ["worker", str(run.folder)])
    with locked(run.folder / LOCK) as mine:
        assert mine and is_held(run.folder / LOCK)
        assert worker.main() == worker.BUSY
    assert not is_held(run.folder / LOCK) and read_summary(run.folder) is None


def test_stopping_ends_every_process_with_its_state_saved(recipe: RunConfig, data: Path, tmp_path: Path) -> None:
    run = run_of(replace(recipe, train=replace(recipe.train, epochs=500)), data, tmp_path)

    def stop(progress: Progress) -> None:
        if progress.running and read_metrics(run.folder):
            assert progress.left_s is not None and progress.left_s > 0 and progress.total == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute([run], on_progress=stop)
    assert not is_held(run.folder / LOCK) and read_summary(run.folder) is None
    assert (run.folder / "trainer" / "state.safetensors").is_file() and "stopped" in state_of(run)


def test_a_run_that_fails_is_told_with_its_reason(recipe: RunConfig, data: Path, tmp_path: Path) -> None:
    bad = replace(recipe, data=replace(recipe.data, features=str(tmp_path / "gone")))
    run = run_of(bad, data, tmp_path)
    news: list[str] = []
    assert execute([run], on_progress=lambda progress: news.append(progress.news)) == [run]
    assert any(line.startswith("failed: loco, seed 0") and "gone" in line for line in news)
    assert "gone" in (run.folder / LOG).read_text()
