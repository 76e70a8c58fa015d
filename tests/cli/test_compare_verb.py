"""`avloc compare`: the library's numbers on the terminal, as JSON and as a figure; what cannot be is one line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.evaluation.comparison import Comparison, compare
from avloc.evaluation.matching import match
from avloc.events import Events
from avloc.formats.activitynet import Truth, write_results, write_truth
from avloc.formats.csv import write_table

LABELS = [f"class {k}" for k in range(26)] + ["[rain]"]
Videos = dict[str, Events]


def near(truth: Videos, spread_s: float, seed: int) -> Videos:
    """On whole milliseconds, as files hold them."""
    rng = np.random.default_rng(seed)
    found = {}
    for video, events in truth.items():
        start = (events.start_s + rng.normal(0, spread_s, len(events))).round(3)
        end = (start + events.end_s - events.start_s).round(3)
        found[video] = Events(start, end, events.labels, rng.integers(1, 1000, len(events)) / 1000)
    return found


@pytest.fixture
def videos() -> tuple[Videos, Videos, Videos]:
    """Truth of twelve videos, and two detectors, the second better."""
    rng = np.random.default_rng(0)
    truth = {}
    for i in range(12):
        start = rng.integers(0, 20, 8).astype(float)
        truth[f"v{i}"] = Events(start, start + rng.integers(2, 8, 8), rng.choice(LABELS, 8).tolist())
    return truth, near(truth, 2, 1), near(truth, 0.5, 2)


@pytest.fixture
def folder(tmp_path: Path, videos: tuple[Videos, Videos, Videos]) -> Path:
    truth, first, second = videos
    write_truth(tmp_path / "truth.json", {v: Truth(40, "Test", e) for v, e in truth.items()})
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    write_results(tmp_path / "one" / "found.json", first)
    write_results(tmp_path / "two" / "found.json", second)
    write_table(tmp_path / "found.csv", second)
    return tmp_path


def expected(videos: tuple[Videos, Videos, Videos], draws: int, *limits: float) -> Comparison:
    truth, first, second = videos
    return compare(match(first, truth, *limits), match(second, truth, *limits), draws)


def line(folder: Path, *more: str, second: str = "two/found.json") -> list[str]:
    given = [
        "compare",
        str(folder / "one" / "found.json"),
        str(folder / second),
        "--truth",
        str(folder / "truth.json"),
    ]
    return [*given, "--split", "test", *more]


@pytest.mark.parametrize("second", ["two/found.json", "found.csv"])
def test_json_holds_the_librarys_numbers(
    second: str, folder: Path, videos: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line(folder, "--json", "--draws", "60", second=second)) == 0
    out, err = capsys.readouterr()
    got, of = json.loads(out), expected(videos, 60)
    assert err == "" and got["notes"] == []
    assert (got["videos"], got["events"], got["draws"], got["seed"]) == (12, 96, 60, 0)
    assert got["first"].endswith("one/found.json") and got["second"].endswith(second)

    def check(row: dict[str, Any], part: Any, k: int) -> None:
        assert row["difference"] == pytest.approx(part.difference[k]) == row["second"] - row["first"]
        assert row["interval_95"] == pytest.approx([part.low[k], part.high[k]]) and row["p"] == part.p[k]

    check(got["average_mAP"], of.average, 0)
    assert list(got["mAP"]) == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
    for t, row in enumerate(got["mAP"].values()):
        check(row, of.by_threshold, t)
    assert list(got["per_class"]) == list(of.labels)
    for k, row in enumerate(got["per_class"].values()):
        check(row, of.by_label, k)
        assert row["events"] == of.truth_count[k]


def test_the_terminal_says_which_is_better(
    folder: Path, videos: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(line(folder, "--draws", "200")) == 0
    out = capsys.readouterr().out
    of = expected(videos, 200)
    assert of.average.p[0] < 0.05 and len(of.labels) > 20
    change, low, high = (100 * float(x[0]) for x in (of.average.difference, of.average.low, of.average.high))
    assert (
        f"B is better than A by {change:.2f} points of average mAP (95 % {low:+.2f} to {high:+.2f}, p 0.005)" in out
    )
    rows = [row.split() for row in out.splitlines()]
    assert ["0.5", *(f"{100 * x[4]:.1f}" for x in (of.by_threshold.first, of.by_threshold.second))] in [
        row[:3] for row in rows
    ]
    assert f"the 20 of {len(of.labels)} that change most" in out and "..." in out
    assert main(line(folder, "--draws", "200", "--per-class")) == 0
    every = capsys.readouterr().out
    assert all(label in every for label in of.labels) and "change most" not in every


def test_the_other_way_round_a_is_better_and_against_itself_none_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = str(folder / "one" / "found.json"), str(folder / "two" / "found.json")
    rest = ["--truth", str(folder / "truth.json"), "--draws", "200"]
    assert main(["compare", two, one, *rest]) == 0
    assert re.search(r"A is better than B by .* \(B less A 95 % -", capsys.readouterr().out)
    assert main(["compare", one, one, *rest]) == 0
    assert "no sure difference: B less A +0.00 points of average mAP (95 % +0.00 to +0.00, p 1.000)" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(("name", "vector"), [("change.svg", "svg"), ("change.png", "svg"), ("change.pdf", "pdf")])
def test_the_figure(name: str, vector: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = folder / "new" / name
    assert main(line(folder, "--draws", "20", "--figure", str(path))) == 0
    out = capsys.readouterr().out
    assert (folder / "new" / "change.png").read_bytes().startswith(b"\x89PNG")
    assert str(folder / "new" / f"change.{vector}") in out
    written = (folder / "new" / f"change.{vector}").read_bytes()
    if vector == "svg":
        text = written.decode()
        assert "one/found.json" in text and "two/found.json" in text and "class 1" in text


def test_a_folder_takes_the_figure_under_a_name_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert main(line(folder, "--draws", "5", "--figure", str(folder))) == 0
    assert (folder / "compare.svg").exists() and (folder / "compare.png").exists()


@pytest.mark.parametrize(
    ("width", "there", "gone"), [("90", "events", "zzz"), ("64", "  A ", "events"), ("50", "95 %", "  A ")]
)
def test_a_narrow_terminal_loses_columns_of_classes(
    width: str,
    there: str,
    gone: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert main(line(folder, "--draws", "5")) == 0
    (head,) = [row for row in capsys.readouterr().out.splitlines() if row.split()[:1] == ["class"] and "B - A" in row]
    assert there in head and gone not in head


def test_notes_say_which_of_both(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    rows = truth["database"]["v0"]["annotations"]
    rows.append(rows[0])
    (folder / "truth.json").write_text(json.dumps(truth))
    found = json.loads((folder / "two" / "found.json").read_text())
    del found["results"]["v3"]
    (folder / "two" / "found.json").write_text(json.dumps(found))
    assert main(line(folder, "--draws", "5")) == 0
    assert [note[:35] for note in capsys.readouterr().err.splitlines()] == [
        "avloc: 1 event of the truth stands ",
        "avloc: B: 1 of 12 videos (8.3 %) is",
    ]
    assert main(line(folder, "--draws", "5", "--strict")) == 1
    assert "--strict refuses" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--draws", "0"], "--draws is 0; a number from 1 to 100000 is needed"),
        (["--seed", "-1"], "--seed is -1; a number of 0 or more"),
        (["--thresholds", "2"], "--thresholds: .*above 0"),
        (["--split", "exam"], "the splits there are: Test"),
    ],
)
def test_what_cannot_be_is_one_line(
    more: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line(folder, *more)) == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and re.search(said, err), err


def test_few_draws_leave_out_what_they_cannot_tell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line(folder, "--draws", "1", "--json")) == 0
    rows = json.loads(capsys.readouterr().out)["per_class"].values()
    assert any(row["p"] is None and row["interval_95"] is None for row in rows)
    assert main(line(folder, "--draws", "1", "--per-class")) == 0
