"""One grammar for choosing events, and one meaning of it, in every verb and in Python."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from avloc.cli.choosing import Choosing
from avloc.cli.main import main
from avloc.detector import Detector
from avloc.errors import AvlocError
from avloc.events import Events
from avloc.formats.activitynet import read_external, read_results, write_results
from avloc.formats.files import read_events
from avloc.media.writer import write_video
from avloc.scale.detect import Detect

EVENTS = Events(
    [0.2, 0.7, 1.5, 0.1, 1.2],
    [0.5, 1.0, 2.5, 0.9, 1.3],
    ["dog", "dog", "dog", "cat", "cow"],
    [0.9, 0.5, 0.3, 0.6, 0.95],
)
SAMPLE = Path(__file__).parents[2] / "demo" / "sample.mp4"
SEARCH = ["detect", str(SAMPLE), "--workers", "1"]
FLAGS = [
    "--not-label",
    "cow",
    "--min-score",
    "0.4",
    "--min-score",
    "cat=0.7",
    "--merge-gap",
    "0.25",
    "--end",
    "0:00.9",
]
WANTED = Choosing(not_label=("cow",), min_score=("0.4", "cat=0.7"), merge_gap=0.25, end="0:00.9").wanted()
LEFT = Events([0.2], [0.9], ["dog"], [0.9])


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = (np.full((48, 64, 3), 10 * i, np.uint8) for i in range(24))
    wave = (0.3 * np.sin(np.arange(38_400) * 0.11)).astype(np.float32)
    return write_video(tmp_path_factory.mktemp("videos") / "a.mp4", frames, 10, wave)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results of the sample, all candidates shown."""
    out = tmp_path_factory.mktemp("searched")
    assert main([*SEARCH, "--out", str(out), "--min-score", "0"]) == 0
    return out


@pytest.fixture
def results(tmp_path: Path, video: Path) -> Path:
    about = {"video": str(video), "duration": 2.4, "model": "default", "min_score": 0.1}
    (tmp_path / "results").mkdir()
    write_results(tmp_path / "results" / "a.events.json", {"a": EVENTS}, about)
    return tmp_path / "results"


def test_convert_clips_report_and_python_choose_the_same(results: Path, tmp_path: Path) -> None:
    assert WANTED(EVENTS) == LEFT
    assert EVENTS.where(not_label="cow", score={"cat": 0.7}, end_s=0.9).where(score=0.4, merge_gap_s=0.25) == LEFT
    assert main(["convert", str(results), str(tmp_path / "all.csv"), *FLAGS]) == 0
    assert read_events(tmp_path / "all.csv")["a"] == LEFT
    assert main(["clips", str(results), "--out", str(tmp_path / "clips"), *FLAGS]) == 0
    with (tmp_path / "clips" / "clips.csv").open(newline="") as table:
        (row,) = csv.DictReader(table)
    assert (row["start_s"], row["end_s"], row["label"]) == ("0.200", "0.900", "dog")
    assert main(["report", str(results), "--out", str(tmp_path / "site"), "--quick", *FLAGS]) == 0
    page = (tmp_path / "site" / "pages" / "a.html").read_text()
    assert "1 event of 1 class" in page and "not cow; cat from 0.7; to 0.9 s; merged up to 0.25 s apart" in page


@pytest.mark.parametrize("verb", ["convert", "clips", "report"])
def test_a_typo_names_the_nearest_class_everywhere(
    results: Path, tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = [str(tmp_path / "x.csv")] if verb == "convert" else ["--out", str(tmp_path / "x")]
    for flag, said in (("--label", "dgo"), ("--not-label", "dgo"), ("--min-score", "dgo=0.4")):
        assert main([verb, str(results), *out, flag, said]) == 1
        assert capsys.readouterr().err == "avloc: there is no class 'dgo'; did you mean 'dog'?\n"
    assert not (tmp_path / "x").exists() and not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"min_score": ("1.5",)}, "--min-score is 1.5; a number from 0 to 1"),
        ({"min_score": ("dog=x",)}, "--min-score is 'x'"),
        ({"min_length": -1.0}, "--min-length is -1"),
        ({"start": "5", "end": "4"}, "from 5 to 4 s is none"),
        ({"label": ("a",), "not_label": ("a",)}, "to be kept and to be left out"),
        ({"end": "soon"}, "--end is 'soon'"),
    ],
)
def test_odd_flags_are_one_line(given: dict[str, object], said: str) -> None:
    with pytest.raises(AvlocError, match=said) as told:
        Choosing(**given).wanted()  # type: ignore[arg-type]
    assert "\n" not in str(told.value)


def test_detect_records_what_is_chosen_and_searches_once(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Detect, "make", None)  # nothing may be searched
    out, result = tmp_path / "out", tmp_path / "out" / "sample.events.json"
    shutil.copytree(searched, out)
    command = [*SEARCH, "--out", str(out)]
    every, some = read_results(result)["sample"], "dog barking"
    assert len(set(every.labels)) > 5 and "chosen" not in read_external(result)
    chosen = ["--min-score", "0", "--label", some, "--min-length", "0.5", "--merge-gap", "2"]
    assert main([*command, *chosen]) == 0
    assert read_results(result)["sample"] == every.where(label=some, length_s=0.5, merge_gap_s=2)
    assert read_external(result)["chosen"] == {"label": [some], "min_length": 0.5, "merge_gap": 2.0}
    before = result.stat().st_mtime_ns
    assert main([*command, *chosen]) == 0 and result.stat().st_mtime_ns == before  # done already
    assert main([*command, "--min-score", "1", "--min-score", f"{some}=0.01"]) == 0
    assert read_results(result)["sample"] == every.where(label=some, score=0.01)
    assert main([*command, "--min-score", "0"]) == 0 and read_results(result)["sample"] == every


def test_detect_refuses_a_class_that_the_model_has_not(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("# mine\ndog barking\ndog bakring\n")
    for flags in (["--label", "dog bakring"], ["--labels-file", str(names)]):
        assert main(["detect", str(video), "--out", str(tmp_path / "out"), *flags]) == 1
        assert "no class 'dog bakring'; did you mean 'dog barking'?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_stretch_is_read_alone_at_absolute_times(searched: Path, tmp_path: Path) -> None:
    stretch = ["--start", "17", "--end", "0:22"]
    assert main([*SEARCH, "--out", str(tmp_path), *stretch]) == 0
    (event,) = read_results(tmp_path / "sample.events.json")["sample"]
    assert event.label == "playing trumpet" and abs(event.start_s - 19.0) < 0.5 and event.end_s == 22.0
    about = read_external(tmp_path / "sample.events.json")
    assert about["chosen"] == {"start": 17.0, "end": 22.0} and about["duration"] == 30.0
    assert about["notes"] == ["only 17 to 22 s of it was looked at"]
    whole = read_external(searched / "sample.events.json")
    assert about["key"] != whole["key"] and about["computed"] != whole["computed"]


def test_in_python_a_stretch_reads_no_more_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    detector, looked_at = Detector.load(threads=1), []
    see = type(detector.extractor.see)  # type: ignore[attr-defined]
    real = see.__call__
    monkeypatch.setattr(see, "__call__", lambda self, x: (looked_at.append(len(x)), real(self, x))[1])
    found = detector.detect(
        SAMPLE, start_s=26, label=["rooster crowing", "dog barking"], min_score={"dog barking": 1}
    )
    assert found.labels == ("rooster crowing",) and found.start_s[0] == 26.0
    assert sum(looked_at) == 30 + 8  # from 20.48 s on, with a look at the middle every fourth step
    with pytest.raises(AvlocError, match="did you mean 'dog barking'"):
        detector.detect(SAMPLE, label="dog barkin")


def test_a_video_that_ends_before_the_stretch_is_passed_over(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", str(video), "--out", str(tmp_path), "--start", "1:00"]) == 1
    assert "ends at 2.40 s, and what is asked for begins at 60.00 s" in capsys.readouterr().err
    assert main(["detect", str(video), "--out", str(tmp_path), "--start", "1:00", "--workers", "1"]) == 0
    assert "1 skipped" in capsys.readouterr().out


def test_all_candidates_are_told_of_as_written_not_as_found(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(searched, tmp_path / "out")
    assert main([*SEARCH, "--out", str(tmp_path / "out"), "--all", "--min-score", "0.99"]) == 0
    out = capsys.readouterr().out
    assert "No event in 30 s from 0.99 on, all candidates are written" in out
    assert "dog barking" not in out and len(read_results(tmp_path / "out" / "sample.events.json")["sample"]) == 100


def test_results_that_were_chosen_differently_do_not_pass_for_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, chosen in (("a", {"label": ["dog"]}), ("b", {})):
        about = {"model": "default", "computed": "1", "min_score": 0.5, "duration": 3.0}
        write_results(
            tmp_path / f"{name}.events.json", {name: EVENTS}, about | ({"chosen": chosen} if chosen else {})
        )
    assert main(["convert", str(tmp_path), str(tmp_path / "all.csv")]) == 1
    error = capsys.readouterr().err
    assert "different settings" in error and json.dumps({"label": ["dog"]}) in error and "--min-score" not in error
