"""Loggers hear of a run from beginning to end; TensorBoard, W&B offline and MLflow where they are installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from avloc.errors import TrainingError
from avloc.training.loggers import LOGGERS, Logger, make_loggers
from avloc.training.loggers.base import flat, telling
from avloc.training.watch import Epoch, Step

SETTINGS = {"train": {"epochs": 2, "seed": 0}, "data": {"layout": "onepeace"}}


def steps(*numbers: int) -> list[Step]:
    return [Step(1, n, 4, 5.0 - n, {"classification": 5.0 - n}, 1e-3, 0.0) for n in numbers]


EPOCH = Epoch(1, 2.1, {"classification": 2.1}, {"sigma_steps": 1.5}, 1e-3, 3.0, 0.25, True)


def told(name: Any, folder: Path, *numbers: int, epoch: Epoch | None = None, result: float | None = None) -> None:
    """A run, or a stretch of one, that a logger of this name hears."""
    (logger,) = make_loggers([name])
    with telling([logger], SETTINGS, folder) as ended:
        for step in steps(*numbers):
            logger.on_step(step)
        if epoch is not None:
            logger.on_epoch(epoch)
        if result is not None:
            ended.append(result)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's own goes anywhere."""
    for variable in ("WANDB_MODE", "WANDB_PROJECT", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("name", LOGGERS)
def test_without_the_package_the_extra_is_named(name: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avloc.training.loggers.base.find_spec", lambda package: None)
    with pytest.raises(TrainingError, match=rf"pip install '.\[{name}\]'"):
        make_loggers([name])


def test_the_end_is_told_however_a_run_ends(tmp_path: Path) -> None:
    class Kept(Logger):
        def __init__(self, fails: bool = False) -> None:
            self.heard: list[object] = []
            self.fails = fails

        def begin(self, settings: Mapping[str, Any], folder: Path) -> None:
            if self.fails:
                raise TrainingError("no server")
            self.heard.append((settings["train"]["epochs"], folder))

        def end(self, validation_map: float | None) -> None:
            self.heard.append(validation_map)

    one, other, failing = Kept(), Kept(), Kept(fails=True)
    with telling([one, Logger()], SETTINGS, tmp_path) as ended:
        ended.append(0.5)
    assert one.heard == [(2, tmp_path), 0.5]
    with pytest.raises(KeyboardInterrupt), telling([other], SETTINGS, tmp_path):
        raise KeyboardInterrupt
    assert other.heard == [(2, tmp_path), None]
    with pytest.raises(TrainingError, match="no server"), telling([other, failing], SETTINGS, tmp_path):
        raise AssertionError("a run that no logger hears of")
    assert other.heard[2:] == [(2, tmp_path), None] and failing.heard == []


def test_settings_have_names_with_dots() -> None:
    assert flat(SETTINGS) == {"train.epochs": 2, "train.seed": 0, "data.layout": "onepeace"}


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_tensorboard_a_resumed_run_goes_over_its_own(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    told("tensorboard", tmp_path, 1, 2, 3)
    told("tensorboard", tmp_path, 3, 4, epoch=EPOCH, result=0.25)
    found = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in found.Scalars("step/total")] == [(1, 4.0), (2, 3.0), (3, 2.0), (4, 1.0)]
    assert found.Scalars("step/classification")[-1].value == 1.0
    assert found.Scalars("epoch/sigma_steps")[0].value == 1.5
    assert found.Scalars("epoch/validation_map")[0].value == 0.25


@pytest.mark.skipif(find_spec("mlflow") is None, reason="mlflow is not installed")
def test_mlflow_goes_on_under_its_id(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    told("mlflow", tmp_path, 1, 2)
    told("mlflow", tmp_path, 3, epoch=EPOCH, result=0.25)
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("avloc").experiment_id])
    assert run.data.params["train.epochs"] == "2" and run.info.status == "FINISHED"
    history = client.get_metric_history(run.info.run_id, "step/total")
    assert [(m.step, m.value) for m in history] == [(1, 4.0), (2, 3.0), (3, 2.0)]
    assert run.data.metrics["epoch/validation_map"] == 0.25


@pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed")
def test_wandb_stays_on_this_machine(tmp_path: Path) -> None:
    told("wandb", tmp_path, 1, 2)
    told("wandb", tmp_path, 3, epoch=EPOCH, result=0.25)
    (first, second) = sorted((tmp_path / "wandb").glob("offline-run-*"))
    identity = (tmp_path / "wandb-id.txt").read_text()
    assert first.name.endswith(identity) and second.name.endswith(identity)
    assert b"classification" in next(second.glob("*.wandb")).read_bytes()
