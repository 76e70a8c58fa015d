"""`avloc diagnose`: what it prints and writes, with distractors from either file, and every bad input in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avloc.cli.main import main
from avloc.events import Events
from avloc.formats.activitynet import Truth, write_results, write_truth

TRUTH = {
    "a": Truth(60.0, "test", Events([0, 20], [10, 25], ["dog", "rain"])),
    "b": Truth(30.0, "train", Events([0], [10], ["cat"])),
}
FOUND = {"a": Events([0, 40, 20], [10, 50, 25], ["dog", "dog", "dog"], [0.9, 0.8, 0.7])}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_truth(tmp_path / "truth.json", TRUTH)
    write_results(tmp_path / "found.json", FOUND)
    return tmp_path


def with_others(folder: Path, name: str, video: str) -> Path:
    """The truth with a dog that is only heard from 40 to 50 s."""
    body = json.loads((folder / "truth.json").read_text())
    body["database"][video]["other_events"] = [{"segment": [40, 50], "label": "dog", "modality": "A"}]
    path = folder / name
    path.write_text(json.dumps(body))
    return path


def row(text: str, name: str) -> list[str]:
    """The cells of a printed table's row after its name."""
    return next(
        line.strip().removeprefix(name).split() for line in text.splitlines() if line.strip().startswith(name)
    )


def test_tables_and_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out" / "deep"
    arguments = ["diagnose", str(folder / "found.json"), "--truth", str(folder / "truth.json"), "--split", "test"]
    assert main([*arguments, "--report", str(out), "--f1", "0.75"]) == 0
    text = capsys.readouterr().out
    assert "3 detections against 2 events of 2 classes in 1 video" in text and "mAP 50.0 %" in text
    assert row(text, "True positive") == ["100.0", "33.3"]
    assert row(text, "Wrong label") == ["0.0", "33.3", "+0.00"]
    assert row(text, "Background") == ["0.0", "33.3", "+0.00"]
    assert row(text, "All") == ["2", "50.0", "50.0"]
    # Of two dogs sure enough one is right; rain was not found: F1 of 2/3 and 0; 1 of 2 found, 1 of 2 right.
    assert row(text, "events, collars of 0.2 s") == ["33.3", "50.0"]
    assert "Where false positives lie" not in text
    page = (out / "diagnosis.html").read_text("utf-8")
    assert "<title>Diagnosis of found.json</title>" in page and "truth.json, test" in page


def test_distractors_of_the_truth_or_of_a_file_of_their_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = str(with_others(folder, "others.json", "a"))
    for extra in (["--truth", others], ["--truth", str(folder / "truth.json"), "--distractors", others]):
        assert main(["diagnose", str(folder / "found.json"), "--split", "test", *extra]) == 0
        text = capsys.readouterr().out
        assert row(text, "heard only, same class") == ["50.0", "+0.00"]
        assert row(text, "seen only, same class") == ["0.0", "+0.00"]


def test_a_folder_of_results_and_a_threshold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = folder / "results" / "day"
    results.mkdir(parents=True)
    for video in ("a", "b"):
        write_results(results / f"{video}.events.json", {video: Events([1], [10], ["dog"], [0.5])})
    arguments = ["diagnose", str(folder / "results"), "--truth", str(folder / "truth.json")]
    assert main([*arguments, "--threshold", "0.95"]) == 0
    text = capsys.readouterr().out
    assert "What the detections are at tIoU 0.95" in text
    assert row(text, "Localization error")[0] == "100.0" and row(text, "Confusion")[1] == "50.0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--threshold", "0"], "--threshold is 0; a tIoU above 0"),
        (["--threshold", "nan"], "--threshold is nan"),
        (["--split", "exam"], "no video is of split 'exam'"),
        (["--distractors", "truth.json"], 'tells "other_events" of no video'),
        (["--distractors", "none.json"], "none.json cannot be read"),
        (["--report", "found.json"], "found.json: cannot be written to"),
        (["--strict"], "refuses"),
    ],
)
def test_what_cannot_be_is_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(folder)
    assert main(["diagnose", "found.json", "--truth", "truth.json", *change]) == 1
    said = capsys.readouterr()
    assert said.out == "" and words in said.err and said.err.count("\n") == 1


def test_nothing_detected(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_results(folder / "found.json", {"a": Events()})
    out = ["--report", str(folder / "out")]
    arguments = ["diagnose", str(folder / "found.json"), "--truth", str(folder / "truth.json"), "--f1", "0.5"]
    assert main([*arguments, "--split", "test", *out]) == 0
    text = capsys.readouterr().out
    assert "mAP 0.0 %" in text and row(text, "All") == ["2", "0.0", "100.0"]
    assert (folder / "out" / "diagnosis.html").is_file()
