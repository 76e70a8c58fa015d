"""Result files of UnAV, ActionFormer and OpenTAD give the numbers of our own, in every verb that reads detections."""

from __future__ import annotations

import csv
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.evaluation import mean_ap
from avloc.events import Events

LABELS = ["violin", "dog barking", "rain"]
IDS = {"violin": 0, "dog barking": 7, "rain": 3}


@pytest.fixture
def videos() -> tuple[dict[str, Events], dict[str, Events]]:
    """Detections and truth of eight videos."""
    rng = np.random.default_rng(3)
    truth, found = {}, {}
    for i in range(8):
        start = rng.integers(0, 20, 3).astype(float)
        names = rng.choice(LABELS, 3).tolist()
        truth[f"v{i}"] = Events(start, start + rng.integers(1, 8, 3), names)
        near = np.maximum(start + rng.integers(-1, 2, 3), 0)
        found[f"v{i}"] = Events(near, near + rng.integers(1, 8, 3), names, rng.integers(1, 1000, 3) / 1000)
    return found, truth


def rows_of(events: Events, numbered: bool) -> list[dict[str, Any]]:
    return [
        {"segment": [e.start_s, e.end_s], "label": IDS[e.label] if numbered else e.label, "score": e.score}
        for e in events
    ]


def columns_of(found: dict[str, Events]) -> dict[str, Any]:
    """As those programs hold it: a list of names, and arrays of single precision."""
    rows = [(video, event) for video, events in found.items() for event in events]
    return {
        "video-id": [video for video, _ in rows],
        "t-start": np.array([e.start_s for _, e in rows], np.float32),
        "t-end": np.array([e.end_s for _, e in rows], np.float32),
        "label": np.array([IDS[e.label] for _, e in rows], np.int64),
        "score": np.array([e.score for _, e in rows], np.float32),
    }


@pytest.fixture
def folder(tmp_path: Path, videos: tuple[dict[str, Events], dict[str, Events]]) -> Path:
    found, truth = videos
    for name, with_ids in (("truth", True), ("nameless", False)):
        database = {
            video: {
                "duration": 40.0,
                "subset": "Test",
                "annotations": [
                    {"segment": [e.start_s, e.end_s], "label": e.label}
                    | ({"label_id": IDS[e.label]} if with_ids else {})
                    for e in events
                ],
            }
            for video, events in truth.items()
        }
        (tmp_path / f"{name}.json").write_text(json.dumps({"database": database}))
    for name, numbered in (("opentad", False), ("numbers", True)):
        results = {video: rows_of(events, numbered) for video, events in found.items()}
        (tmp_path / f"{name}.json").write_text(json.dumps({"results": results}))
    columns = columns_of(found)
    plain = {name: list(map(str, c)) if name == "video-id" else c.tolist() for name, c in columns.items()}
    (tmp_path / "columns.json").write_text(json.dumps(plain))
    (tmp_path / "wholes.json").write_text(json.dumps(plain | {"label": list(map(float, plain["label"]))}))
    named = {number: label for label, number in IDS.items()}
    (tmp_path / "named.json").write_text(json.dumps(plain | {"label": [named[n] for n in plain["label"]]}))
    with (tmp_path / "numbers.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["video", "start", "end", "label", "score"])
        writer.writerows([v, e.start_s, e.end_s, IDS[e.label], e.score] for v, es in found.items() for e in es)
    (tmp_path / "eval_results.pkl").write_bytes(pickle.dumps(columns))
    return tmp_path


FORMS = ("opentad.json", "numbers.json", "columns.json", "wholes.json", "named.json", "numbers.csv")


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_one_number(
    name: str, folder: Path, videos: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = mean_ap(*videos).average
    assert 0.2 < expected < 0.9
    line = [str(folder / name), "--truth", str(folder / "truth.json"), "--split", "test"]
    assert main(["evaluate", *line, "--json"]) == 0
    out, err = capsys.readouterr()
    got = json.loads(out)
    assert got["average_mAP"] == pytest.approx(expected, abs=1e-12) and got["predictions"] == 24
    assert ("read as the truth's label_id" in err) == (name == "numbers.csv")
    assert main(["diagnose", *line]) == 0
    assert f"mAP {100 * expected:.1f} %" in capsys.readouterr().out


def test_a_pickle_prints_the_program_that_turns_it_into_json(
    folder: Path, videos: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path, truth = folder / "eval_results.pkl", str(folder / "truth.json")
    assert main(["evaluate", str(path), "--truth", truth]) == 1
    out, err = capsys.readouterr()
    said, *program = err.splitlines()
    assert out == "" and "is a pickle, and reading a pickle runs code" in said and len(program) == 3
    subprocess.run([sys.executable, "-c", "\n".join(program)], check=True)
    assert main(["evaluate", str(folder / "eval_results.columns.json"), "--truth", truth, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["average_mAP"] == pytest.approx(mean_ap(*videos).average, abs=1e-12)


@pytest.mark.parametrize("name", ["numbers.json", "columns.json"])
def test_numbers_need_a_truth_that_tells_them(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(folder / name), "--truth", str(folder / "nameless.json")]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "and the truth has no label_id" in err and len(err.splitlines()) == 1


def test_a_number_that_is_no_label_id_is_odd(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads((folder / "columns.json").read_text())
    content["label"][2] = 50
    (folder / "odd.json").write_text(json.dumps(content))
    line = ["evaluate", str(folder / "odd.json"), "--truth", str(folder / "truth.json")]
    assert main([*line, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["entries_left_out"] == 1 and "is 50, which is no label_id of the truth" in err
    assert main([*line, "--strict"]) == 1


def test_names_that_are_numbers_stay_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A class called "7" is meant by a table that says 7, whatever its label_id."""
    truth = json.loads((folder / "truth.json").read_text())
    for entry in truth["database"].values():
        for row in entry["annotations"]:
            row["label"] = {"violin": "7", "dog barking": "0", "rain": "3"}[row["label"]]
    (folder / "digits.json").write_text(json.dumps(truth))
    line = ["--truth", str(folder / "digits.json"), "--json"]
    assert main(["evaluate", str(folder / "numbers.csv"), *line]) == 0
    swapped = json.loads(capsys.readouterr().out)["average_mAP"]
    assert main(["evaluate", str(folder / "numbers.json"), *line]) == 0
    assert json.loads(capsys.readouterr().out)["average_mAP"] > swapped + 0.05


@pytest.mark.parametrize("name", ["a.pt", "a.pth.tar"])
def test_files_of_torch_are_refused(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / name).write_bytes(b"x")
    assert main(["evaluate", str(folder / name), "--truth", str(folder / "truth.json")]) == 1
    assert "is a file of torch" in capsys.readouterr().err
