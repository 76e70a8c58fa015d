"""Files read as the field's evaluators read them: against such an evaluator in plain loops over the raw JSON."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.cli.against import hold_against, read_goal
from avloc.cli.main import main
from avloc.evaluation import mean_ap

Json = dict[str, Any]
LIMITS = [0.1, 0.5, 0.9]


def plain_truth(database: Json, split: str) -> list[tuple[str, float, float, str]]:
    """Video, start, end, class of each event: split in small letters, copies within a thousandth dropped."""
    rows: list[tuple[str, float, float, str]] = []
    for video, entry in database.items():
        if entry["subset"].lower() != split.lower():
            continue
        kept: list[tuple[str, float, float, str]] = []
        for row in entry["annotations"]:
            start, end = row["segment"]
            if any(abs(start - k[1]) <= 1e-3 and abs(end - k[2]) <= 1e-3 and row["label"] == k[3] for k in kept):
                continue
            kept.append((video, start, end, row["label"]))
        rows += kept
    return rows


def plain_ap(truth: list[tuple[str, float, float, str]], results: Json, label: str, limit: float) -> float:
    goal = [row for row in truth if row[3] == label]
    found = [(v, *r["segment"], r["score"]) for v, rows in results.items() for r in rows if r["label"] == label]
    taken: set[int] = set()
    hits = []
    for video, start, end, _ in sorted(found, key=lambda row: -row[3]):
        best, overlap_of_best = -1, 0.0
        for i, (where, a, b, _) in enumerate(goal):
            if where != video or i in taken:
                continue
            shared = max(0.0, min(end, b) - max(start, a))
            union = (b - a) + (end - start) - shared
            # Of a prediction that ends before it starts the union may be anything, but nothing is shared.
            overlap = shared / union if shared > 0 else 0.0
            if overlap >= limit and overlap > overlap_of_best:
                best, overlap_of_best = i, overlap
        hits.append(best >= 0)
        taken |= {best} - {-1}
    precision = [sum(hits[: r + 1]) / (r + 1) for r in range(len(hits))]
    return sum(max(precision[r:]) for r, hit in enumerate(hits) if hit) / len(goal)


def plain_map(database: Json, results: Json, split: str) -> float:
    truth = plain_truth(database, split)
    labels = sorted({row[3] for row in truth})
    aps = [plain_ap(truth, results, label, limit) for label in labels for limit in LIMITS]
    return float(np.mean(aps)) if aps else 0.0


TIMES = st.integers(0, 8).map(float) | st.sampled_from([1.0005, 1.001, 1.0015, 3.001])
ANNOTATION = st.builds(
    lambda start, length, label: {"segment": [start, start + length], "label": label},
    TIMES,
    st.sampled_from([0.0, 1.0, 3.0, 3.0005]),
    st.sampled_from("ab"),
)
ENTRY = st.builds(
    lambda subset, rows: {"duration": 20.0, "subset": subset, "annotations": rows},
    st.sampled_from(["Test", "test", "TEST", "Validation"]),
    st.lists(ANNOTATION, max_size=6),
)
TESTED = ENTRY.map(lambda entry: entry | {"subset": "Test"})
DETECTION = st.builds(
    lambda start, end, label: {"segment": [start, end], "label": label}, TIMES, TIMES, st.sampled_from("ab")
)
FOUND = st.lists(DETECTION, max_size=6)


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries({"u": TESTED}, optional={"v": ENTRY, "w": ENTRY}),
    st.fixed_dictionaries({"u": FOUND}, optional={"v": FOUND, "x": FOUND}),
    st.randoms(use_true_random=False),
)
def test_equals_the_fields_evaluator(database: Json, results: Json, random: Any) -> None:
    rows = [row for found in results.values() for row in found]
    for score, row in zip(random.sample(range(len(rows)), len(rows)), rows, strict=True):
        row["score"] = score / 100  # no two alike: the field's order of equal scores is chance
    with tempfile.TemporaryDirectory() as folder:
        truth, found = Path(folder) / "truth.json", Path(folder) / "found.json"
        truth.write_text(json.dumps({"database": database}))
        found.write_text(json.dumps({"results": results}))
        held = hold_against(found, read_goal(truth, "test"))
    assert mean_ap(held.detections, held.truth, LIMITS).average == pytest.approx(
        plain_map(database, results, "test"), abs=1e-12
    )
    backward = sum(row["segment"][1] < row["segment"][0] for row in rows)
    assert len(held.odd.backward) == backward and not held.odd.left_out
    given_events = sum(len(e["annotations"]) for e in database.values() if e["subset"].lower() == "test")
    assert held.duplicates_dropped == given_events - len(plain_truth(database, "test"))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A split named with a capital; an event that stands there twice; a backward prediction, surest of all."""
    rows = [{"segment": [1, 3], "label": "dog"}, {"segment": [1.0005, 3], "label": "dog"}]
    database = {"u": {"duration": 9, "subset": "Test", "annotations": rows}}
    found = [
        {"segment": [5, 4], "label": "dog", "score": 0.9},
        {"segment": [1, 3], "label": "dog", "score": 0.8},
    ]
    (tmp_path / "truth.json").write_text(json.dumps({"database": database}))
    (tmp_path / "found.json").write_text(json.dumps({"results": {"u": found}}))
    (tmp_path / "found.csv").write_text("video,start,end,label,score\nu,5,4,dog,0.9\nu,1,3,dog,0.8\n")
    return tmp_path / "truth.json", tmp_path


@pytest.mark.parametrize("name", ["found.json", "found.csv"])
def test_all_three_are_said(name: str, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    truth, folder = files
    assert main(["evaluate", str(folder / name), "--truth", str(truth), "--split", "test", "--json"]) == 0
    out, err = capsys.readouterr()
    got = json.loads(out)
    assert got["average_mAP"] == pytest.approx(0.5)  # one event, found at rank 2
    assert got["events"] == 1 and got["duplicate_events_dropped"] == 1
    assert got["predictions_that_end_before_they_start"] == 1 and got["entries_left_out"] == 0
    assert "1 prediction ends before it starts and counts as false" in err
    assert (
        "1 event of the truth stands there twice and counts once (start and end within 0.001 s); the first: in 'u'"
        in err
    )


def test_the_other_verbs_read_the_same(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    truth, folder = files
    assert main(["diagnose", str(folder / "found.json"), "--truth", str(truth), "--split", "TEST"]) == 0
    out, err = capsys.readouterr()
    assert "mAP 50.0 %" in out and "counts as false" in err and "counts once" in err


def test_strict_refuses_a_backward_prediction_and_no_twins(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    truth, folder = files
    line = ["--truth", str(truth), "--split", "test", "--strict"]
    assert main(["evaluate", str(folder / "found.json"), *line]) == 1
    assert "ends before it starts" in capsys.readouterr().err
    (folder / "good.csv").write_text("video,start,end,label,score\nu,1,3,dog,0.8\n")
    assert main(["evaluate", str(folder / "good.csv"), *line]) == 0
    assert "counts once" in capsys.readouterr().err
