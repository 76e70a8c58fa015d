"""`avloc labels`: the classes, what is known of each, and what is not."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from avloc import zoo
from avloc.cli.main import main
from avloc.config import ClassFigure, ClassFigures

DEFAULT = zoo.find_model("default")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in (zoo.CONFIG, zoo.ONNX):
        shutil.copy(DEFAULT / name, folder / name)
    return folder


def test_figures_are_told_and_so_is_where_there_are_none(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = ClassFigures(
        "three videos",
        {"dog barking": ClassFigure(20, 0.5, 0.4, 0.62, 7, 5), "cat meowing": ClassFigure(0, None, None, None, 2, 0)},
        ("dog barking",),
        ((0.65, 40, 0.5),),
    )
    zoo.write_figures(model, figures)
    assert main(["labels", "dog", "MEOW", "--model", str(model)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "dog barking 5 of 7 50.0 (40.0 to 62.0) yes" in out and "cat meowing 0 of 2 no" in out
    assert "3 of 101 classes; 1 of them measured, on three videos" in out and "0.65: 50.0 %" in out
    assert main(["labels", "dog barking", "--model", str(model), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["classes"] == [
        {"label": "dog barking", "trained": True, "events": 20, "average_map": 0.5, "low": 0.4, "high": 0.62,
         "shown": 7, "right": 5}
    ]  # fmt: skip
    assert told["measured_on"] == "three videos" and told["threshold"] == 0.45
    assert main(["labels", "--model", str(model), "--csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(table) == 101 and sum(row["average_map"] != "" for row in table) == 1


def test_a_model_without_figures_says_so(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["labels", "violin", "--model", str(model)]) == 0
    out = capsys.readouterr().out
    assert "playing violin" in out and "Nothing is known of how good this model is" in out


def test_the_shipped_figures_are_of_its_classes() -> None:
    config, figures = zoo.read_config(DEFAULT), zoo.read_figures(DEFAULT)
    assert figures is not None and {*figures.classes, *figures.trained} <= set(config.labels)
    assert all((f.right or 0) <= (f.shown or 0) for f in figures.classes.values())
    card = (DEFAULT / "README.md").read_text()
    measured = {label: f for label, f in figures.classes.items() if f.average_map is not None}
    assert len(measured) >= 20 and all(f"| {label} |" in card for label in measured)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["brking"], "no class holds 'brking'"),
        (["--json", "--csv"], "two forms of the same"),
        (["--model", "none"], "is no model and no folder"),
    ],
)
def test_what_cannot_be_told_is_one_line(flags: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["labels", *flags]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_broken_figures_are_one_line(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (model / zoo.FIGURES).write_text('{"measured_on": 3}')
    assert main(["labels", "--model", str(model)]) == 1
    assert "classes.json: cannot be read as figures of a model" in capsys.readouterr().err
