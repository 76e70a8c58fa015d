"""`avloc plot`: what is drawn of runs and detections, in which sizes, and what is said where nothing can be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.cli.plotted import gathered, scored
from avloc.evaluation.mean_ap import mean_ap
from avloc.formats.activitynet import read_results
from avloc.report.method_figures import Curves, curves_figure

pytest.importorskip("matplotlib")
LABELS = ("dog", "cat", "bell")


def detections(seed: int, noise_s: float) -> dict[str, list[dict[str, object]]]:
    rng = np.random.default_rng(seed)
    return {
        f"v{i}": [
            {"segment": sorted((2.0 + rng.normal(0, noise_s), 6.0 + rng.normal(0, noise_s))),
             "label": LABELS[(i + k) % 3], "score": float(rng.uniform(0.5 * (k == 0), 1))}
            for k in range(2)
        ]
        for i in range(9)
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two seeds of a row of a grid, and another program's detections."""
    monkeypatch.chdir(tmp_path)
    truth = {
        f"v{i}": {"duration": 12.0, "subset": "test", "annotations": [{"segment": [2, 6], "label": LABELS[i % 3]}]}
        for i in range(9)
    }
    Path("truth.json").write_text(json.dumps({"database": truth}))
    for seed in range(2):
        run = Path(f"runs/{seed}")
        run.mkdir(parents=True)
        settings = {"data": {"annotations": str(tmp_path / "truth.json")}, "train": {"seed": seed}}
        (run / "run.json").write_text(json.dumps(settings))
        (run / "experiment.json").write_text(json.dumps({"row": "ours", "seed": seed}))
        lines = [
            {
                "number": n,
                "total": 3.0 / n,
                "losses": {"classification": 2.0 / n},
                "validation_map": n % 2 * 0.1 or None,
            }
            for n in range(1, 5)
        ]
        (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (run / "test.predictions.json").write_text(json.dumps({"results": detections(seed, 0.3)}))
    Path("theirs.json").write_text(json.dumps({"results": detections(7, 1.5)}))
    return tmp_path


def sizes_in(folder: Path) -> dict[str, float]:
    """Width of each SVG in inches, by the name of its file."""
    found = {}
    for path in folder.glob("*.svg"):
        width = re.search(r'<svg [^>]*?width="([\d.]+)pt"', path.read_text(), re.S)
        assert width is not None
        found[path.stem] = float(width[1]) / 72
    return found


def test_every_figure_in_both_sizes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["plot", "runs/0", "runs/1", "theirs.json", "--vector", "svg", "--out", "fig"]
    assert main([*given, "--columns", "1"]) == 0
    assert main([*given, "--columns", "2", "--figures", "classes"]) == 0
    kinds = ("curves", "tiou", "classes", "sensitivity", "reliability", "timeline")
    found = sizes_in(folder / "fig")
    assert set(found) == {f"{kind}-1col" for kind in kinds} | {"classes-2col"}
    assert {round(width, 2) for name, width in found.items() if "-1col" in name} == {3.5}
    assert {round(width, 2) for name, width in found.items() if "-2col" in name} == {7.16}
    text = (folder / "fig" / "classes-1col.svg").read_text()
    assert all(f">{word}<" in text for word in (*LABELS, "ours", "theirs"))
    assert len(list((folder / "fig").glob("*.png"))) == 7
    assert "figure: fig/curves-1col.svg" in capsys.readouterr().out


def test_a_curve_of_one_epoch_is_a_point() -> None:
    one = {"loss": (np.array([1.0]), np.array([3.0]))}
    many = {"loss": (np.array([1.0, 2.0]), np.array([3.0, 2.0]))}
    figure = curves_figure([Curves("short", [one]), Curves("long", [many])], 1)
    assert [line.get_marker() for line in figure.axes[0].lines] == ["o", ""]


def test_runs_of_a_row_are_seeds_of_one_method(folder: Path) -> None:
    left: list[str] = []
    Path("runs/empty").mkdir()
    given = [Path(name) for name in ("runs/0", "runs/empty", "runs/1", "theirs.json")]
    methods = gathered(given, "test", (), left.append)
    assert left == ["runs/empty: is neither a run of avloc train nor a file of detections"]
    assert [(m.name, len(m.curves), len(m.detections)) for m in methods] == [("ours", 2, 2), ("theirs", 0, 1)]
    told = json.loads(Path("runs/1/run.json").read_text())
    Path("runs/1/run.json").write_text(json.dumps({**told, "train": {"seed": 1, "epochs": 9}}))
    apart = gathered(given, "test", (), left.append)
    assert [(m.title, len(m.curves)) for m in apart] == [("ours", 1), ("ours (2)", 1), ("theirs", 0)]
    epochs, values = methods[0].curves[0]["validation mAP (%)"]
    assert epochs.tolist() == [1, 3] and values.tolist() == [10, 10]
    made = scored(methods, None, "test")
    assert made is not None
    truth = made.found["ours"][0].truth
    wanted = [mean_ap(read_results(f"runs/{seed}/test.predictions.json"), truth).by_label for seed in range(2)]
    np.testing.assert_allclose(made.by_label()["ours"], np.mean(wanted, axis=0))
    assert made.by_threshold()["ours"].shape == (2, 9)
    assert made.reliability(0.5)["theirs"].count.sum() == 18


def test_a_run_on_another_data_set_is_in_the_curves_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path("runs/other")
    other.mkdir()
    (other / "run.json").write_text(json.dumps({"data": {"annotations": str(folder / "more.json")}}))
    for name in ("metrics.jsonl", "test.predictions.json"):
        (other / name).write_bytes(Path("runs/0", name).read_bytes())
    given = ["plot", "runs/0", "runs/other", "--columns", "1", "--figures", "curves", "tiou", "--vector", "svg"]
    assert main([*given, "--out", "fig"]) == 0
    assert "other: is of other annotations than" in capsys.readouterr().err
    text = {kind: Path(f"fig/{kind}-1col.svg").read_text() for kind in ("curves", "tiou")}
    assert ">other<" in text["curves"] and ">ours: " in text["tiou"] and ">other" not in text["tiou"]


def test_the_split_is_what_the_data_set_calls_its_test_split(folder: Path) -> None:
    truth = Path("truth.json")
    truth.write_text(truth.read_text().replace('"test"', '"held out"'))
    for seed in range(2):
        run = Path(f"runs/{seed}")
        told = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps({**told, "data": {**told["data"], "test_split": "held out"}}))
        (run / "test.predictions.json").rename(run / "held out.predictions.json")
    methods = gathered([Path("runs/0"), Path("runs/1")], None, (), print)
    made = scored(methods, None)
    assert made is not None and len(made.found["ours"]) == 2 and len(made.found["ours"][0].truth) == 9


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["nothing"], "is neither a run of avloc train nor a file of detections"),
        (["theirs.json"], "name it with --truth"),
        (["theirs.json", "--truth", "truth.json", "--figures", "classes"], "two methods with detections are needed"),
        (["theirs.json", "--figures", "curves"], "no run has metrics"),
        (["runs/0", "--names", "a", "b"], "2 names for 1 methods (ours)"),
        (["runs/0", "--figures", "timeline", "--video", "x"], "no video 'x'"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    folder: Path, given: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", *given, "--out", "fig"]) == 1
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1
