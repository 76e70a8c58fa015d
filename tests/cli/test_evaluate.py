"""`avloc evaluate`: the numbers of the library, in every form of input; what does not fit is told or refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.evaluation import mean_ap
from avloc.evaluation.bootstrap import bootstrap, interval
from avloc.evaluation.matching import match
from avloc.evaluation.recall import average_recall
from avloc.events import Event, Events
from avloc.formats.activitynet import Truth, write_results, write_truth
from avloc.formats.csv import write_table

LABELS = ["dog [barking]", "rain", "violin"]


@pytest.fixture
def videos() -> tuple[dict[str, Events], dict[str, Events]]:
    """Detections and truth of ten test videos, on whole milliseconds."""
    rng = np.random.default_rng(0)
    truth, found = {}, {}
    for i in range(10):
        start = rng.integers(0, 20, 3).astype(float)
        names = rng.choice(LABELS, 3).tolist()
        truth[f"v{i}"] = Events(start, start + rng.integers(1, 8, 3), names)
        near = np.maximum(start + rng.integers(-1, 2, 3), 0)
        found[f"v{i}"] = Events(near, near + rng.integers(1, 8, 3), names, rng.integers(1, 1000, 3) / 1000)
    return found, truth


@pytest.fixture
def truth_path(tmp_path: Path, videos: tuple[dict[str, Events], dict[str, Events]]) -> Path:
    path = tmp_path / "truth.json"
    other = {"train1": Truth(30, "train", Events([0], [5], ["flute"]))}
    write_truth(path, {v: Truth(30, "test", e) for v, e in videos[1].items()} | other)
    return path


def scores(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[dict[str, Any], str]:
    """Content of the JSON printed, and what was said beside it."""
    status = main(["evaluate", *map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    assert status == 0, err
    content: dict[str, Any] = json.loads(out)
    return content, err


def test_every_form_gives_the_librarys_numbers(
    tmp_path: Path, truth_path: Path, videos: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found, truth = videos
    write_results(tmp_path / "found.json", found)
    write_table(tmp_path / "found.csv", found)
    write_table(tmp_path / "found.tsv", found)
    for video, events in found.items():
        (tmp_path / "folder" / "deep").mkdir(parents=True, exist_ok=True)
        write_results(tmp_path / "folder" / "deep" / f"{video}.events.json", {video: events})
    write_results(tmp_path / "prefixed.json", {f"v_{video}": events for video, events in found.items()})
    expected = mean_ap(found, truth)
    assert 0.2 < expected.average < 0.9
    for name in ("found.json", "found.csv", "found.tsv", "folder", "prefixed.json"):
        got, said = scores(capsys, tmp_path / name, "--truth", truth_path, "--split", "test")
        assert list(got["mAP"].values()) == pytest.approx(expected.by_threshold.tolist(), abs=1e-12)
        assert list(got["mAP"]) == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
        assert got["average_mAP"] == pytest.approx(expected.average, abs=1e-12)
        assert (got["videos"], got["events"], got["classes"], got["predictions"]) == (10, 30, 3, 30)
        assert said == "" and got["notes"] == []


def test_intervals_recall_and_classes_are_those_of_the_library(
    tmp_path: Path, truth_path: Path, videos: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found, truth = videos
    write_results(tmp_path / "found.json", found)
    asked = ("--bootstrap", 30, "--seed", 7, "--recall", "--per-class", "--thresholds", 0.25, 0.5)
    got, _ = scores(capsys, tmp_path / "found.json", "--truth", truth_path, "--split", "test", *asked)
    mean = mean_ap(found, truth, (0.25, 0.5))
    draws = bootstrap(match(found, truth, (0.25, 0.5)), 30, 7)
    assert list(got["mAP"]) == ["0.25", "0.5"]
    assert got["interval_95"]["average_mAP"] == pytest.approx(interval(draws.average, mean.average).tolist())
    assert got["interval_95"]["mAP"]["0.5"] == pytest.approx(interval(draws.by_threshold, mean.by_threshold)[:, 1])
    recalls = average_recall(found, truth)
    assert got["average_recall"] == pytest.approx(
        dict(zip(("1", "5", "10", "50", "100"), recalls.average.tolist(), strict=True))
    )
    assert list(got["per_class"]) == list(mean.labels)
    for k, label in enumerate(mean.labels):
        assert got["per_class"][label]["average_AP"] == pytest.approx(mean.by_label[k])
        assert got["per_class"][label]["events"] == mean.truth_count[k]


def test_the_table_is_that_of_the_papers(
    tmp_path: Path, truth_path: Path, videos: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    found, truth = videos
    write_results(tmp_path / "found.json", found)
    line = ["evaluate", str(tmp_path / "found.json"), "--truth", str(truth_path), "--split", "test", "--per-class"]
    assert main([*line, "--recall", "--bootstrap", "20"]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines() if row.strip()]
    mean = mean_ap(found, truth)
    assert ["0.5", "0.6", "0.7", "0.8", "0.9", "Avg."] in rows
    shown = [f"{100 * mean.at(t):.1f}" for t in (0.5, 0.6, 0.7, 0.8, 0.9)]
    assert ["mAP", *shown, f"{100 * mean.average:.1f}"] in rows
    for k, label in enumerate(mean.labels):
        (row,) = [r for r in rows if r[: len(label.split())] == label.split()]
        assert row[-2:] == [str(mean.truth_count[k]), str(mean.detection_count[k])]


def test_what_does_not_fit_is_told_and_counted(
    tmp_path: Path, truth_path: Path, videos: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found, truth = videos
    rows = {
        v: [{"segment": [e.start_s, e.end_s], "label": e.label, "score": e.score} for e in found[v]] for v in found
    }
    del rows["v3"]
    rows["v4"] = []
    rows["v5"] += [
        {"segment": [5, 1], "label": "rain", "score": 0.5},
        {"segment": [1, 5], "label": "rain", "score": float("nan")},
        {"segment": [1, 5], "label": "thunder", "score": 0.5},
    ]
    rows["train1"] = [{"segment": [0, 5], "label": "rain", "score": 1.0}]
    rows["nowhere"] = [
        {"segment": [0, 5], "label": "rain", "score": 1.0},
        {"segment": [0, 5], "label": "flute", "score": 1},
    ]
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({"results": rows}))
    got, said = scores(capsys, path, "--truth", truth_path, "--split", "test")
    left = {v: e for v, e in found.items() if v not in ("v3", "v4")}
    left["v5"] = Events.of([*found["v5"], Event(5, 5, "rain", 0.5)])
    strangers = {"x": Events([0, 0], [5, 5], ["rain", "rain"], [1, 1])}
    assert got["average_mAP"] == pytest.approx(mean_ap(left | strangers, truth).average, abs=1e-12)
    assert got["entries_left_out"] == 1 and got["predictions_that_end_before_they_start"] == 1
    assert got["videos_without_predictions"] == 2
    assert got["predictions_of_unknown_videos"] == 3 and got["predictions_of_unknown_labels"] == 1
    assert said.splitlines() == [f"avloc: {note}" for note in got["notes"]]
    assert [" ".join(note.split()[:4]) for note in got["notes"]] == [
        "1 entry left out",
        "1 prediction ends before",
        "1 of 10 videos",
        "3 predictions for 2",
        "1 prediction with 1",
    ]
    for name in ("video 'v5', entry 3", "video 'v5', entry 4", "'v3'", "'train1'", "'thunder'"):
        assert name in said
    alone, _ = scores(capsys, path, "--truth", truth_path, "--split", "test", "--split-only")
    assert alone["average_mAP"] == pytest.approx(mean_ap(left, truth).average, abs=1e-12)
    assert alone["predictions_of_unknown_videos"] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows["v0"].append({"segment": [5, 1], "label": "rain", "score": 1}), "ends before it starts"),
        (
            lambda rows: rows["v0"].append({"segment": [1, 2], "label": "rain", "score": float("inf")}),
            "is inf; a finite",
        ),
        (
            lambda rows: rows["v0"].append({"segment": [1, 2], "label": "cat", "score": 1}),
            "label unknown to the truth (the first: 'cat') left out of mAP, precision and F1",
        ),
        (lambda rows: rows.update(new=[{"segment": [1, 2], "label": "rain", "score": 1}]), "outside the truth"),
        (lambda rows: rows.pop("v0"), "1 of 10 videos"),
    ],
)
def test_strict_refuses(
    tmp_path: Path, truth_path: Path, videos: Any, capsys: pytest.CaptureFixture[str], change: Any, said: str
) -> None:
    rows: dict[str, Any] = {
        v: [{"segment": [e.start_s, e.end_s], "label": e.label, "score": e.score} for e in events]
        for v, events in videos[0].items()
    }
    path = tmp_path / "found.json"
    line = ["evaluate", str(path), "--truth", str(truth_path), "--split", "test", "--strict"]
    path.write_text(json.dumps({"results": rows}))
    assert main(line) == 0
    change(rows)
    path.write_text(json.dumps({"results": rows}))
    capsys.readouterr()
    assert main(line) == 1
    out, err = capsys.readouterr()
    assert out == "" and said in err and len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "text", "options", "said"),
    [
        ("p.json", '{"results": {"a": [}}', [], "is not JSON .*line 1 column 20"),
        ("p.json", '{"results": {"a": []}}', [], "no video in common: the one names 'a', the other 'v0'"),
        (
            "p.json",
            '{"results": {"v1": [{"segment": [1, 2], "label": null, "score": 1}]}}',
            [],
            "none of the 1 entries",
        ),
        ("p.json", '{"database": {}}', [], '"results"'),
        ("p.json", '{"results": {"v1": []}}', ["--split", "exam"], "the splits there are: test, train"),
        ("p.json", '{"results": {"v1": []}}', ["--thresholds", "0"], "--thresholds: .*above 0"),
        ("p.json", '{"results": {"v1": []}}', ["--bootstrap", "-1"], "--bootstrap is -1"),
        ("none.csv", None, [], "cannot be read"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path,
    truth_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str | None,
    options: list[str],
    said: str,
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    assert main(["evaluate", str(tmp_path / name), "--truth", str(truth_path), *options]) == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    assert re.search(said, err), err


def test_truth_may_be_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("video,start,end,label,duration,subset\nv1,0,4,dog,9,test\nv2,,,,9,test\nv3,0,4,cat,9,train\n")
    write_results(tmp_path / "p.json", {"v1": Events([0], [3], ["dog"], [0.5]), "v2": Events()})
    got, _ = scores(capsys, tmp_path / "p.json", "--truth", truth, "--split", "test")
    assert (got["videos"], got["classes"], got["mAP"]["0.7"], got["mAP"]["0.8"]) == (2, 1, 1.0, 0.0)


def test_a_video_in_two_files_is_refused(
    tmp_path: Path, truth_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        write_results(tmp_path / f"{name}.events.json", {"v1": Events()})
    assert main(["evaluate", str(tmp_path), "--truth", str(truth_path)]) == 1
    assert "video 'v1' stands in" in capsys.readouterr().err
