"""`avloc evaluate --given-classes`: the library's numbers, of answers with and without scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.evaluation.bootstrap import interval
from avloc.evaluation.given_classes import given_classes
from avloc.events import Events
from avloc.formats.activitynet import Truth, write_truth

Videos = dict[str, Events]


@pytest.fixture
def videos() -> tuple[Videos, Videos]:
    rng = np.random.default_rng(1)
    truth, found = {}, {}
    for i in range(9):
        start = rng.choice(30, 5, replace=False).astype(float)
        truth[f"v{i}"] = Events(start, start + rng.integers(2, 8, 5), rng.choice(["dog", "cat", "rain"], 5).tolist())
        near = np.maximum(start + rng.integers(-1, 2, 5), 0)[:4]
        names = [*truth[f"v{i}"].labels[:3], "rain"]
        found[f"v{i}"] = Events(near, near + rng.integers(2, 8, 4), names, rng.integers(1, 1000, 4) / 1000)
    return found, truth


def rows(events: Events, scored: bool) -> list[dict[str, Any]]:
    told = [{"segment": [e.start_s, e.end_s], "label": e.label, "score": e.score} for e in events]
    return told if scored else [{key: row[key] for key in ("segment", "label")} for row in told]


@pytest.fixture
def folder(tmp_path: Path, videos: tuple[Videos, Videos]) -> Path:
    found, truth = videos
    write_truth(tmp_path / "truth.json", {v: Truth(60, "test", e) for v, e in truth.items()})
    for name, scored in (("scored", True), ("plain", False)):
        results = {v: rows(e, scored) for v, e in found.items()}
        (tmp_path / f"{name}.json").write_text(json.dumps({"results": results}))
    lines = [f"{v},{e.start_s},{e.end_s},{e.label}" for v, events in found.items() for e in events]
    (tmp_path / "plain.csv").write_text("\n".join(["video,start,end,label", *lines]))
    return tmp_path


def run(folder: Path, name: str, *more: str) -> list[str]:
    return ["evaluate", str(folder / name), "--truth", str(folder / "truth.json"), "--given-classes", *more]


@pytest.mark.parametrize(
    ("name", "least"), [("scored.json", None), ("scored.json", 0.4), ("plain.json", None), ("plain.csv", None)]
)
def test_json_holds_the_librarys_numbers(
    name: str, least: float | None, folder: Path, videos: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [] if least is None else ["--min-score", str(least)]
    assert main(run(folder, name, "--json", "--bootstrap", "40", *more)) == 0
    out, err = capsys.readouterr()
    got = json.loads(out)["given_classes"]
    answers = given_classes(*videos, least)
    of, draws = answers.scores(), answers.draws(40)
    assert err == "" and 0.1 < of.mean_iou < 0.9
    assert got["questions"] == len(answers.video) and got["answers"] == answers.found.sum()
    assert got["mIoU"] == pytest.approx(float(of.mean_iou))
    assert list(got["F1"]) == ["0.3", "0.5", "0.7"] and list(got["F1"].values()) == pytest.approx(of.f1)
    assert got["CountF1"] == pytest.approx(float(of.count_f1)) and got["floor"] == pytest.approx(float(of.floor))
    spans = got["interval_95"]
    assert spans["mIoU"] == pytest.approx(interval(draws.mean_iou, of.mean_iou).clip(0, 1).tolist())
    assert spans["F1"]["0.5"] == pytest.approx(interval(draws.f1, of.f1)[:, 1].clip(0, 1).tolist())
    assert spans["CountF1"] == pytest.approx(interval(draws.count_f1, of.count_f1).clip(0, 1).tolist())


def test_without_the_flag_a_detection_needs_a_score(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = [word for word in run(folder, "plain.json") if word != "--given-classes"]
    assert main(line) == 1
    assert 'has no "score"' in capsys.readouterr().err


def test_the_terminal_has_a_row_in_percent(folder: Path, videos: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run(folder, "scored.json", "--min-score", "0.4", "--bootstrap", "20")) == 0
    out = capsys.readouterr().out
    answers = given_classes(*videos, 0.4)
    of = answers.scores()
    cells = [f"{100 * x:.1f}" for x in (float(of.mean_iou), *of.f1.tolist(), float(of.count_f1))]
    assert cells in [row.split() for row in out.splitlines()]
    several = int((answers.true > 1).sum())
    assert f"{len(answers.video)} questions (a video and one of its classes), {several} of several events" in out
    assert "answers with a score of 0.4 or more" in out


def test_what_has_nothing_to_look_at_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a question of several events there is no CountF1."""
    write_truth(tmp_path / "truth.json", {"v": Truth(60, "test", Events([1], [2], ["dog"]))})
    (tmp_path / "plain.json").write_text('{"results": {"v": [{"segment": [1, 2], "label": "dog"}]}}')
    assert main(run(tmp_path, "plain.json", "--json", "--bootstrap", "5")) == 0
    got = json.loads(capsys.readouterr().out)["given_classes"]
    assert got["CountF1"] is None and got["interval_95"]["CountF1"] is None and got["mIoU"] == 1
    assert main(run(tmp_path, "plain.json")) == 0
    assert ["100.0"] * 4 + ["-"] in [row.split() for row in capsys.readouterr().out.splitlines()]
