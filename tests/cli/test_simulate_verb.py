"""`avloc simulate`: editions and strengths by flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avloc.cli.main import main


def truth(folder: Path) -> Path:
    database = {
        f"{subset}{i}": {
            "duration": 6.0,
            "subset": subset,
            "annotations": [{"segment": [1, 4], "label": "dog"}, {"segment": [2, 5], "label": f"cat{i % 2}"}],
        }
        for subset, count in (("train", 4), ("validation", 2), ("test", 2))
        for i in range(count)
    }
    path = folder / "truth.json"
    path.write_text(json.dumps({"database": database}))
    return path


def simulate(folder: Path, name: str, *more: str) -> dict[str, object]:
    arguments = ["--annotations", str(truth(folder)), "--out", str(folder / name), "--width", "64", "--workers", "1"]
    assert main(["simulate", *arguments, *more]) == 0
    head = (folder / name / "annotations.json").read_text().splitlines()[0]
    return {**json.loads((folder / name / "simulation.json").read_text()), "head": head}


def test_editions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second, first = simulate(tmp_path, "second"), simulate(tmp_path, "first", "--edition", "1")
    assert (second["version"], first["version"]) == (2, 1)
    assert "scene" in second["config"] and "scene" not in first["config"]  # type: ignore[operator]
    assert '"simulated 2"' in second["head"] and '"simulated 1"' in first["head"]  # type: ignore[operator]
    control = simulate(tmp_path, "control", "--strength.modalities", "together")
    assert control["config"]["modalities"] == "together"  # type: ignore[index]
    assert '"simulated 2, strengths ' in control["head"]  # type: ignore[operator]
    capsys.readouterr()
    arguments = [
        "simulate",
        "--annotations",
        str(truth(tmp_path)),
        "--out",
        str(tmp_path / "second"),
        "--width",
        "64",
    ]
    assert main([*arguments, "--edition", "1"]) == 1
    assert "holds a simulation with other version, config; name a new folder" in capsys.readouterr().err
