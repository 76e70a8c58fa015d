"""`avloc evaluate` against one's own labels: any format, names with or without ending, tables to read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avloc.cli.main import main
from avloc.events import Events
from avloc.formats.activitynet import write_results
from avloc.formats.files import FORMATS, write_events
from avloc.formats.footage import Footage
from avloc.formats.truth import Truth

TRUTH = {"a": Events([1, 4], [3, 6], ["dog barking", "rain"]), "b": Events([2], [5], ["rain"])}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of the two videos, one event right, one half right, one missed."""
    (tmp_path / "results" / "deep").mkdir(parents=True)
    write_results(
        tmp_path / "results" / "a.events.json", {"a": Events([1, 4], [3, 5], ["dog barking", "rain"], [0.9, 0.8])}
    )
    write_results(tmp_path / "results" / "deep" / "b.events.json", {"b": Events()})
    return tmp_path / "results"


def score(capsys: pytest.CaptureFixture[str], results: Path, truth: Path, *more: str) -> float:
    assert main(["evaluate", str(results), "--truth", str(truth), "--json", *more]) == 0
    return float(json.loads(capsys.readouterr().out)["average_mAP"])


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "youtube"])  # which holds no ends
def test_labels_of_any_format(name: str, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "otio":
        pytest.importorskip("opentimelineio")
    labels = {video: Truth(9, "test", events, footage=Footage.at(25)) for video, events in TRUTH.items()}
    ending = FORMATS[name].endings[0]
    if FORMATS[name].several:
        truth = tmp_path / f"labels{ending}"
        write_events(truth, labels, name)
    else:
        truth = tmp_path / "labels"
        truth.mkdir()
        for video, entry in labels.items():
            write_events(truth / f"{video}{ending}", {video: entry}, name)
    rate = ["--fps", "25"] if FORMATS[name].frames else []
    assert score(capsys, results, truth, *rate) == pytest.approx((1 + 0.5 * 5 / 9) / 2)


@pytest.mark.parametrize("change", ["{}.mp4", "v_{}", "v_{}.MKV", "{}.wav"])
def test_names_match_with_or_without_ending(
    change: str, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "labels.csv"
    write_events(truth, {change.format(video): events for video, events in TRUTH.items()}, "csv-truth")
    assert score(capsys, results, truth) == pytest.approx((1 + 0.5 * 5 / 9) / 2)


@pytest.mark.parametrize("change", ["rec/{}.mp4", "C:\\rec\\{}.mp4", "./{}"])
def test_names_match_with_or_without_folders(
    change: str, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "labels.csv"
    write_events(truth, {change.format(video): events for video, events in TRUTH.items()}, "csv-truth")
    assert score(capsys, results, truth) == pytest.approx((1 + 0.5 * 5 / 9) / 2)


def test_videos_of_one_name_in_several_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place, events in (("north", TRUTH["a"]), ("south", TRUTH["b"])):
        (tmp_path / "results" / place).mkdir(parents=True)
        write_results(tmp_path / "results" / place / "rec1.events.json", {"rec1": events})
    truth = tmp_path / "labels.csv"
    write_events(truth, {"north/rec1.mp4": TRUTH["a"], "south/rec1.mp4": TRUTH["b"]}, "csv-truth")
    assert score(capsys, tmp_path / "results", truth) == 1


def test_a_truth_without_any_event_is_told(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_events(tmp_path / "labels.csv", {"a": Events()}, "csv-truth")
    assert main(["evaluate", str(results), "--truth", str(tmp_path / "labels.csv")]) == 0
    assert "the truth has no event: mAP says nothing" in capsys.readouterr().err


def test_names_that_are_two_videos_are_not_matched(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = tmp_path / "labels.csv"
    write_events(truth, {"a.mp4": TRUTH["a"], "a.mkv": TRUTH["a"], "b": TRUTH["b"]}, "csv-truth")
    assert main(["evaluate", str(results), "--truth", str(truth)]) == 0
    assert "2 of 3 videos (66.7 %) are not in the predictions; the first: 'a.mp4'" in capsys.readouterr().err


def test_names_without_a_match_are_listed(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = tmp_path / "labels.csv"
    write_events(truth, {name: Events([0], [1], ["rain"]) for name in "vwxyz"}, "csv-truth")
    assert main(["evaluate", str(results), "--truth", str(truth)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1
    assert "no video in common: the one names 'a', 'deep/b', the other 'v', 'w', 'x' and 2 more" in err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["my.mp4"], "my.mp4 is a media file, and predictions are wanted: what `avloc detect --all` writes"),
        (["none.json"], "none.json cannot be read (it does not exist)"),
        (["results", "--split", "test"], "labels.srt: names no split; leave --split out"),
    ],
)
def test_what_is_no_prediction_is_one_line(
    given: list[str],
    said: str,
    results: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(results.parent)
    Path("my.mp4").write_bytes(b"")
    write_events("labels.srt", {"labels": TRUTH["a"]})
    assert main(["evaluate", *given, "--truth", "labels.srt"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and said in err


@pytest.mark.parametrize("width", [100, 80, 60, 50])
def test_no_number_is_cut_on_a_narrow_terminal(
    width: int, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    write_events(tmp_path / "labels.csv", TRUTH, "csv-truth")
    line = ["evaluate", str(results), "--truth", str(tmp_path / "labels.csv"), "--per-class", "--bootstrap", "5"]
    assert main(line) == 0
    out = capsys.readouterr().out
    assert "…" not in out and ("predictions" in out.split("by class")[1]) == (width >= 60)
    assert "100.0-100.0" in out and "barking" in out


def test_one_is_not_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_results(tmp_path / "p.json", {"a": Events([1], [3], ["rain"], [0.9])})
    write_events(tmp_path / "t.csv", {"a": Events([1], [3], ["rain"])}, "csv-truth")
    assert main(["evaluate", str(tmp_path / "p.json"), "--truth", str(tmp_path / "t.csv")]) == 0
    assert capsys.readouterr().out.startswith("1 video, 1 event of 1 class, 1 prediction\n")
