"""`avloc simulate` and `avloc check-data`, one after the other as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avloc.cli.main import main

TABLE = "video,start,end,label,duration,subset\n" + "".join(
    f"v{i},{i % 3},{i % 3 + 4},{('dog', 'cat')[i % 2]},12.5,{subset}\n"
    for i, subset in enumerate(["train"] * 6 + ["validation"] * 3 + ["test"] * 3)
)


@pytest.fixture
def simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "mine.csv").write_text(TABLE)
    out = tmp_path / "sim"
    given = ["--annotations", str(tmp_path / "mine.csv"), "--out", str(out), "--videos", "4", "--width", "64"]
    assert main(["simulate", *given, "--validation", "3", "--workers", "1", "--strength.noise", "0.5"]) == 0
    shown = capsys.readouterr().out
    assert "9 videos made" in shown and "4 train, 3 validation, 2 test" in shown and str(out) in shown
    assert json.loads((out / "simulation.json").read_text())["config"]["noise"] == 0.5
    return out


def check(folder: Path, *more: str) -> int:
    return main(
        ["check-data", "unav100", "--features", str(folder), "--annotations", str(folder / "annotations.json"), *more]
    )


def test_simulated_features_are_sound(simulated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(simulated) == 0
    shown = capsys.readouterr().out
    for part in (
        "Nothing is wrong (every value is finite)",
        "train",
        "Levels of the pyramid",
        "2 classes",
        "width 64",
    ):
        assert part in shown
    assert check(simulated, "--quick", "--split", "train") == 0
    assert "headers alone were read" in capsys.readouterr().out


def test_problems_are_listed_and_the_status_is_1(simulated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = sorted(simulated.glob("*_audio.npy"))
    paths[0].unlink()
    array = np.load(paths[1])
    array[2, 3] = np.nan
    np.save(paths[1], array)
    assert check(simulated) == 1
    shown = capsys.readouterr().out
    assert "2 problems" in shown and paths[0].name in shown and f"{paths[1].name}: 1 of" in shown
    assert check(simulated, "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert data["ok"] is False and [problem["kind"] for problem in data["problems"]] == ["files", "files"]


def test_the_wrong_layout_and_the_wrong_place(simulated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (simulated / "simulation.json").unlink()
    assert check(simulated, "--layout", "i3d-vggish") == 1
    assert "it holds files of the layout onepeace" in capsys.readouterr().out
    assert (
        main(["check-data", "own", "--features", "none", "--annotations", str(simulated / "annotations.json")]) == 1
    )
    assert capsys.readouterr().err == "avloc: none: is not a folder; name the folder that holds the feature files\n"
    assert main(["check-data", "own", "--features", str(simulated), "--annotations", "none.json"]) == 1
    assert "none.json cannot be read" in capsys.readouterr().err
