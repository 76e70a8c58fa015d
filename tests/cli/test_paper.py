"""`avloc paper` from end to end on a small data set: killed, started again, tables, figures, page."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from avloc.cli.main import main

sys.path.append(str(Path(__file__).parents[1] / "experiments"))
from small_data import SETTINGS, make_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


def arguments(command: str, data: Path, results: Path, *more: str) -> list[str]:
    named = ["--data", str(data), "--seeds", "1", "--out", str(results), "--jobs", "2"]
    return ["paper", command, *named, *more, "--set", *SETTINGS, "train.epochs=4"]


def metrics(results: Path) -> dict[str, list[int]]:
    return {
        path.parent.name: [json.loads(line)["number"] for line in path.read_text().splitlines()]
        for path in results.glob("runs/*/metrics.jsonl")
    }


def wait_for(what: object, seconds: float = 120.0) -> None:
    assert callable(what)
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_killed_and_started_again(data: Path, results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "avloc.cli.main", *arguments("table2c", data, results)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    wait_for(lambda: any(metrics(results).values()))
    process.send_signal(signal.SIGKILL)
    process.wait()
    begun = metrics(results)
    assert main(arguments("table2c", data, results)) == 0
    shown = capsys.readouterr().out
    assert all(words in shown for words in ("[3 of 3] done", "global", "fixed", "CDP", "mAP in percent"))
    finished = metrics(results)
    assert len(finished) == 3 and set(begun) <= set(finished)
    assert all(epochs == [1, 2, 3, 4] for epochs in finished.values())
    for folder in (results / "runs").iterdir():
        summary = json.loads((folder / "summary.json").read_text())
        assert summary["test_videos"] == 4 and len(summary["test_map"]) == 9
    assert "begun" in shown and (results / "tables" / "table2c.tex").read_text().startswith(r"\begin{table}")


def test_what_is_done_is_not_made_again(data: Path, results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in results.glob("runs/*/*.json*")}
    assert main(arguments("table2c", data, results)) == 0
    assert "3 of 3 runs are done" in (shown := capsys.readouterr().out) and "begun" not in shown
    assert {path: path.stat().st_mtime_ns for path in results.glob("runs/*/*.json*")} == before


def test_rows_that_are_missing_are_shown_so(
    data: Path, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "results.md"
    assert main(arguments("all", data, results, "--show", "--docs", str(page))) == 0
    shown = capsys.readouterr().out
    assert shown.count("missing") >= 10 and "not tried" in shown
    text = page.read_text()
    assert "3 of 13 runs" not in text and "| runs | 3 of 13 done" in text
    for words in (
        "**simulated**",
        "Table 2a",
        "Table 3 at the paper's width",
        "UnAV",
        "undecided",
        "seed 0",
        "--docs",
    ):
        assert words in text
    assert str(tmp_path) not in text and str(data.parent) not in text
    pictures = {path.name for path in (tmp_path / "docs" / "results").iterdir()}
    assert pictures == {"csm.png", "timeline.png", "windows.png", "errors.png", "parameters.png"}
    assert all(f"results/{name}" in text for name in pictures)


def test_list(data: Path, results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", "list"]) == 0
    assert "window-32" in capsys.readouterr().out
    assert main(["paper", "list", *arguments("x", data, results)[2:8], "--set", *SETTINGS, "train.epochs=4"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("done, mAP") == 3 and "waiting" in shown


def test_figures_of_runs(data: Path, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = {json.loads((f / "summary.json").read_text())["row"]: str(f) for f in (results / "runs").iterdir()}
    out = ["--out", str(tmp_path)]
    assert main(["paper", "figure-csm", runs["loco"], "--videos", "3", "--before", runs["fixed"], *out]) == 0
    assert "mean of std before LCC" in capsys.readouterr().out
    assert main(["paper", "figure-csm", runs["loco"], "--videos", "1", "--common", *out]) == 0
    assert "no run without LCC" in capsys.readouterr().out
    timeline = ["figure-timeline", runs["loco"], "--beside", runs["global"], "--video", "test01"]
    assert main(["paper", *timeline, *out]) == 0
    assert main(["paper", "figure-windows", runs["loco"], "--vector", "pdf", *out]) == 0
    assert main(["paper", "figure-parameters", runs["loco"], runs["fixed"], *out]) == 0
    made = {path.name for path in tmp_path.iterdir()}
    assert {"csm.png", "csm.svg", "csm-common.png", "timeline-test01.svg", "parameters.png"} <= made
    assert any(name.startswith("windows-test") and name.endswith(".pdf") for name in made)
    capsys.readouterr()
    assert main(["paper", "figure-windows", runs["global"], *out]) == 1
    assert "adapts no windows" in capsys.readouterr().err
    assert main(["paper", *timeline[:-1], "train00", *out]) == 1
    assert "no video 'train00'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--seeds", "0"], "seeds"),
        (["--test-split", "exam"], "exam"),
        (["--annotations", "nowhere.json"], "nowhere.json"),
    ],
)
def test_what_cannot_be_is_one_line(
    more: list[str], words: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["paper", "table2c", "--data", str(data), "--out", str(tmp_path), *more]) == 1
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
