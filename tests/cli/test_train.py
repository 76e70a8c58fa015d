"""From simulated features to a tested model, by the commands a researcher types; and what stops them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from avloc.cli.main import main
from avloc.formats.activitynet import read_results

TINY = ["--network.width", "16", "--network.heads", "2", "--train.epochs", "2", "--train.warmup-epochs", "1"]
TINY += ["--train.validate-every", "1"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four simulated videos of own annotations."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    database = {}
    for i in range(24):
        start = float(rng.uniform(0, 8))
        segment = [round(start, 2), round(start + float(rng.uniform(1.5, 6)), 2)]
        subset = "test" if i % 6 == 5 else "validation" if i % 6 == 4 else "train"
        label = ("bark", "horn", "clap")[i % 3]
        database[f"v{i:02d}"] = {
            "duration": 15.0,
            "subset": subset,
            "annotations": [{"segment": segment, "label": label}],
        }
    truth = folder / "truth.json"
    truth.write_text(json.dumps({"database": database}))
    arguments = ["simulate", "--annotations", str(truth), "--out", str(folder / "sim"), "--width", "64"]
    assert main([*arguments, "--workers", "1"]) == 0
    return folder / "sim"


def train(data: Path, out: Path, *more: str) -> int:
    named = ["--data.features", str(data), "--data.annotations", str(data / "annotations.json")]
    return main(["train", "loco-small", *named, "--out", str(out), *TINY, *more])


def test_train_resume_and_test(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert train(data, run) == 0
    epochs = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [e["number"] for e in epochs] == [1, 2]
    assert all(0 <= e["validation_map"] <= 1 and np.isfinite(e["total"]) for e in epochs)
    assert {"config.json", "model.safetensors", "run.json", "trainer"} <= {p.name for p in run.iterdir()}
    assert train(data, run) == 1 and "--resume" in capsys.readouterr().err
    assert train(data, run, "--resume") == 0
    assert train(data, run, "--resume", "--train.seed", "5") == 1
    assert "train.seed was 0, is 5" in capsys.readouterr().err
    assert main(["test", str(run), "--split", "test", "--device", "cpu", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    found = read_results(run / "test.predictions.json")
    assert set(found) == {"v05", "v11", "v17", "v23"} and any(len(e) for e in found.values())
    assert scores["split"] == "test"


@pytest.mark.parametrize(
    "setting",
    [
        "--network.attention.kind=global",
        "--network.attention.kind=fixed",
        "--network.attention.kind=none",
        "--network.attention.window=0",
        "--network.attention.window=4",
        "--network.attention.adapt-from=key",
        "--network.lcc.objective=diagonal",
        "--network.lcc.objective=softened",
        "--network.lcc.objective=fixed",
        "--network.lcc.divergence=kl",
        "--loss.lcc-weight=0",
        "--loss.iou=diou",
        "--network.fusion-ffn-ratio=None",
        "--train.ema-decay=None",
    ],
)
def test_every_ablation_is_a_flag(setting: str, data: Path, tmp_path: Path) -> None:
    flag, value = setting.split("=")
    assert train(data, tmp_path, flag, value, "--train.epochs", "1") == 0
    saved = json.loads((tmp_path / "run.json").read_text())
    for key in flag.removeprefix("--").replace("-", "_").split("."):
        saved = saved[key]
    assert str(saved) == value or saved == float(value)


def test_bad_data_is_named_before_the_first_step(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    for path in data.iterdir():
        (bad / path.name).write_bytes(path.read_bytes())
    name = bad / "v03_one_peace_audio.npy"
    values = np.load(name)
    values[3, 3] = np.nan
    np.save(name, values)
    out = tmp_path / "run"
    assert train(bad, out) == 1
    assert "v03" in capsys.readouterr().err and not (out / "metrics.jsonl").exists()
    name.unlink()
    assert train(bad, out) == 1
    assert "v03" in capsys.readouterr().err


def test_describe_counts_what_the_network_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "loco-unav100-onepeace", "--length", "256", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    lcc = next(part for part in found["details"] if part["name"] == "LCC")
    assert found["parameters"] == sum(p["parameters"] for p in found["parts"]) + lcc["parameters"]
    assert found["macs"] == sum(p["macs"] for p in found["parts"])
    # The official UniAV, this task's branch alone, has 63.5 M parameters and 11.5 G multiply-accumulates.
    assert found["parameters"] < 63.5e6 and found["macs"] < 11.5e9


@pytest.mark.parametrize(
    "bad", [("--network.width", "15"), ("--network.heads", "5"), ("--network.levels", "0"), ("--train.epochs", "0")]
)
def test_an_impossible_setting_is_one_line(
    bad: tuple[str, str], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(data, tmp_path / "run", *bad) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and bad[0].removeprefix("--").split(".")[0] in error
    assert not (tmp_path / "run").exists()


def test_flags_win_over_the_file_and_the_file_over_the_recipe(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "my.yaml"
    settings.write_text("train: {epochs: 7, learning_rate: 2e-3, batch: 5}\nloss: {iou: diou}\n")
    out = tmp_path / "run"
    # The recipe's own batch is a flag, too: it wins though it is the default.
    assert train(data, out, "--config", str(settings), "--train.epochs", "1", "--train.batch", "16") == 0
    saved = json.loads((out / "run.json").read_text())
    assert saved["train"]["epochs"] == 1 and saved["train"]["batch"] == 16
    assert saved["train"]["learning_rate"] == 2e-3 and saved["loss"]["iou"] == "diou"
    settings.write_text("train: {epoch: 7}\n")
    assert train(data, tmp_path / "other", "--config", str(settings)) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "did you mean 'epochs'" in error


def test_a_rate_far_too_high_is_one_line(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = ["--train.batch", "4", "--train.warmup-epochs", "0"]
    assert train(data, tmp_path, "--train.learning-rate", "1e25", *steps) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "epoch 1, step 2" in error and "learning-rate below 1e+25" in error


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(data, tmp_path, "--device", "cuda") == 1
    assert "torch finds no GPU" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["loco-smal", "--out", "x"], "did you mean loco-small?"),
        (["--out", "x"], "name a recipe"),
        (["--config", "x.yaml", "--out", "x"], "name a recipe"),
    ],
)
def test_a_recipe_is_named(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *words]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error


@pytest.mark.parametrize("order", ["first", "last"])
def test_a_file_counts_wherever_it_is_named(order: str, data: Path, tmp_path: Path) -> None:
    settings = tmp_path / "my.yaml"
    settings.write_text("train: {widht: 3}\n")
    recipe = ["loco-small", "--data.features", str(data), "--data.annotations", str(data / "annotations.json")]
    file = ["--out", str(tmp_path / "run"), "--config", str(settings)]
    assert main(["train", *(file + recipe if order == "first" else recipe + file)]) == 1
    assert not (tmp_path / "run").exists()


def test_lengths_below_a_step_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "loco-small", "--length", "0"]) == 1
    assert "1 step or more" in capsys.readouterr().err
