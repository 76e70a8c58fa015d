"""The notebook runs, cell by cell, as one opens it; and is as short as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "python.ipynb"
LINES = 30


def cells() -> list[str]:
    content = json.loads(NOTEBOOK.read_text("utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]


def test_it_has_thirty_lines() -> None:
    assert sum(1 for cell in cells() for line in cell.splitlines() if line.strip()) <= LINES


def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {"__name__": "__main__"}
    for number, cell in enumerate(cells()):
        # As short as the way can be tried: the notebook's own numbers of epochs are for people.
        short = cell.replace('"train.epochs": 8', '"train.epochs": 2').replace(
            '"train.epochs": 2}', '"train.epochs": 1}'
        )
        short = short.replace('"train.warmup_epochs": 1', '"train.warmup_epochs": 0')
        exec(compile(short, f"cell {number}", "exec"), space)
    shown = capsys.readouterr().out
    assert "sound ; suits: --loss.first-reach" in shown and "36 videos" in shown
    score = re.search(r"mAP (0\.\d{3}), at", shown)
    assert score is not None and 0 < float(score[1]) < 1
    again = re.search(r"at tIoU 0\.5 0\.\d{3}\n(0\.\d+)\n", shown)
    assert again is not None and abs(float(again[1]) - float(score[1])) < 5e-4
    assert "points (95 %:" in shown
    assert (tmp_path / "run.svg").stat().st_size > 10_000 and (tmp_path / "less" / "model.safetensors").is_file()
