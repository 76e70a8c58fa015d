"""From three simulated data sets to a model of three tasks, by the commands one types; and what stops them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.training.checkpoint import load_model
from avloc.zoo import read_config

SETS = {
    "tal": ("onepeace-activitynet", ("jump", "run", "swim"), 40.0),
    "avel": ("onepeace", ("bark", "horn"), 15.0),
    "sed": ("onepeace", ("blender", "cat"), 10.0),
}
TINY = ["--network.width", "16", "--network.head-width", "16", "--network.text-width", "16", "--network.heads", "2"]
TINY += ["--network.levels", "2", "--network.stem-blocks", "1"]
SHORT = ["--train.epochs", "2", "--train.warmup-epochs", "1", "--train.batch", "4"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    rng = np.random.default_rng(0)
    for name, (layout, labels, duration) in SETS.items():
        database: dict[str, Any] = {}
        for i in range(12 if name == "sed" else 16):
            start = float(rng.uniform(0, duration / 2))
            segment = [round(start, 2), round(start + float(rng.uniform(2, duration / 2 - 1)), 2)]
            subset = "test" if i % 4 == 3 else "validation" if i % 4 == 2 else "train"
            events = [{"segment": segment, "label": labels[i % len(labels)]}]
            database[f"{name}{i:02d}"] = {"duration": duration, "subset": subset, "annotations": events}
        # Every class in every split.
        for subset in ("train", "validation", "test"):
            events = [{"segment": [1.0 + k, 4.0 + k], "label": label} for k, label in enumerate(labels)]
            database[f"{name}-{subset}"] = {"duration": duration, "subset": subset, "annotations": events}
        truth = folder / f"{name}.json"
        truth.write_text(json.dumps({"database": database}))
        given = ["--annotations", str(truth), "--out", str(folder / name), "--layout", layout, "--width", "64"]
        assert main(["simulate", *given, "--workers", "1"]) == 0
    return folder


def named(data: Path, *names: str) -> list[str]:
    given = []
    for name in names or SETS:
        features = data / name
        given += [f"--sets.{name}.features", str(features)]
        given += [f"--sets.{name}.annotations", str(features / "annotations.json")]
    return given


def train(data: Path, out: Path, *more: str) -> int:
    return main(["train", "uniav-at-small", *named(data), "--out", str(out), *TINY, *SHORT, *more])


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "at"
    assert train(data, out) == 0
    return out


def test_three_tasks_in_turn(run: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    epochs = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [e["number"] for e in epochs] == [1, 2] and set(epochs[0]["by_task"]) == {"TAL", "AVEL", "SED"}
    assert epochs[1]["validation_map"] == pytest.approx(np.mean(list(epochs[1]["by_task"].values())))
    assert "SED regression" in epochs[0]["losses"] and epochs[0]["resting"] == []
    config = read_config(run)
    assert config.labels == SETS["avel"][1] and config.network.tasks == ("AVEL", "TAL", "SED")
    tal = config.of_task("tal")
    assert tal.labels == SETS["tal"][1] and tal.features.resize_steps == 256 and tal.features.stride_s == 0.5
    assert tal.decoding.nms_sigma == 0.75 and config.of_task("sed").window_steps == 64
    assert tal.of_task("avel") == config.of_task("")
    network = load_model(run, "tal")[0].state_dict()
    assert all(np.array_equal(network[n], t) for n, t in load_model(run)[0].state_dict().items())
    assert train(data, run, "--resume") == 0
    assert train(data, run, "--resume", "--rest.patience", "3") == 1
    assert "rest.patience was 1, is 3" in capsys.readouterr().err


@pytest.mark.parametrize("task", SETS)
def test_test_of_a_task(run: Path, task: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["test", str(run), "--task", task, "--device", "cpu", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["split"] == "test" and ("0.95" in json.dumps(scores)) == (task == "tal")
    found = json.loads((run / f"{task}.test.predictions.json").read_text())["results"]
    assert f"{task}-test" in found and all(name.startswith(task) for name in found)
    assert {event["label"] for events in found.values() for event in events} <= set(SETS[task][1])


def test_which_task_must_be_said(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for given, said in (
        ([], "the run has several tasks; name one with --task: tal, avel, sed"),
        (["--task", "asr"], "this run has no task 'asr'; its tasks: tal, avel, sed"),
    ):
        assert main(["test", str(run), *given]) == 1
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1


def test_a_folder_of_one_task(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sed"
    assert main(["export", str(run), "--task", "sed", "--out", str(out)]) == 0
    config = read_config(out)
    assert config.labels == SETS["sed"][1] and config.others == () and config.network.tasks == ("SED",)
    assert (out / "model.onnx").is_file() and not (run / "model.onnx").exists()
    network = load_model(out)[0]
    assert not any(".TAL." in name or ".AVEL." in name for name in network.state_dict())
    capsys.readouterr()
    for given, said in (
        (["--task", "sed"], "--task and --out belong together"),
        (["--task", "sed", "--out", str(run)], "is the model itself"),
        (["--task", "asr", "--out", str(out)], "has no task 'ASR'; its tasks: AVEL, TAL, SED"),
    ):
        assert main(["export", str(run), *given]) == 1
        assert said in capsys.readouterr().err


def test_fine_tuning_from_weights_of_all_tasks(
    run: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--data.features", str(data / "avel"), "--data.annotations", str(data / "avel" / "annotations.json")]
    common = [*TINY, *SHORT, "--train.learning-rate", "1e-9", "--out", str(tmp_path / "stf")]
    assert main(["train", "uniav-stf-small", *given, *common, "--init", str(run)]) == 0
    assert "0 stay fresh" in capsys.readouterr().out
    at, stf = load_model(run)[0].state_dict(), load_model(tmp_path / "stf")[0].state_dict()
    assert stf.keys() < at.keys() and all(np.allclose(at[name], t, atol=2e-3) for name, t in stf.items())


def test_classes_of_every_task_go_by_their_names(
    run: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turned = tmp_path / "tal"
    shutil.copytree(data / "tal", turned)
    truth = json.loads((turned / "annotations.json").read_text())
    truth["labels"] = ["swim", "jump", "run"]
    for video in truth["database"].values():
        for event in video["annotations"]:
            del event["label_id"]
    (turned / "annotations.json").write_text(json.dumps(truth))
    given = named(tmp_path, "tal") + named(data, "sed")
    common = [*TINY, *SHORT, "--train.learning-rate", "1e-9", "--out", str(tmp_path / "more")]
    assert main(["train", "uniav-at-small", *given, *common, "--tasks", "tal", "sed", "--init", str(run)]) == 0
    before, after = load_model(run, "tal")[0].state_dict(), load_model(tmp_path / "more")[0].state_dict()
    assert read_config(tmp_path / "more").labels == ("swim", "jump", "run")
    name = "classify.texts.TAL"
    assert np.allclose(after[name], before[name][[2, 0, 1]], atol=2e-3) and not any("AVEL" in n for n in after)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--sets.sed.features", ""], "sets.sed.features is not set; name it with --sets.sed.features, or leave the "
         "task out with --tasks tal avel"),
        (["--tasks"], "tasks is ()"),
        (["--tasks", "tal", "tal"], "each once"),
        (["--data.features", "x"], "data.features is for a run on one data set; this one has several: name "
         "--sets.tal.features"),
        (["--sets.sed.steps", "61"], "sets.sed.steps is 61; a multiple of 2"),
        (["--sets.sed.layout", "onepeace-activitynet"], "simulated in the layout 'onepeace'"),
        (["--rest.every", "0"], "rest.every is 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(
    given: list[str], said: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(data, tmp_path / "run", *given) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize("name", SETS)
def test_one_task_alone(name: str, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    short = [*TINY, *SHORT, "--train.epochs", "1", "--out", str(out)]
    assert main(["train", "uniav-at-small", *named(data, name), "--tasks", name, *short]) == 0
    assert main(["test", str(out), "--task", name, "--split", "validation", "--json"]) == 0
    assert read_config(out).network.tasks == (name.upper(),) and read_config(out).labels == SETS[name][1]


def test_features_of_other_widths_are_refused(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--annotations", str(data / "sed.json"), "--out", str(tmp_path / "wide"), "--width", "70"]
    assert main(["simulate", *given, "--workers", "1"]) == 0
    assert train(data, tmp_path / "run", "--sets.sed.features", str(tmp_path / "wide")) == 1
    assert "sets.sed.features are 70 and 70 wide, those of sets.tal 64 and 64" in capsys.readouterr().err


def test_sets_in_a_file(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["tasks: [avel, sed]", "rest: {rests: false}", "sets:"]
    for name in ("avel", "sed"):
        lines += [f"  {name}: {{features: {data / name}, annotations: {data / name / 'annotations.json'}}}"]
    settings = tmp_path / "at.yaml"
    settings.write_text("\n".join(lines))
    out = tmp_path / "run"
    short = [*TINY, *SHORT, "--train.epochs", "1", "--out", str(out)]
    assert main(["train", "uniav-at-small", "--config", str(settings), *short]) == 0
    assert read_config(out).network.tasks == ("AVEL", "SED")
    assert main(["train", "uniav-at-small", "--config", str(out / "run.json"), "--out", str(tmp_path / "again")]) == 0
    settings.write_text("sets: {unav: {features: x}}")
    assert main(["train", "uniav-at-small", "--config", str(settings), *short]) == 1
    assert "there is no data set sets.unav; they are called avel, tal, sed" in capsys.readouterr().err
