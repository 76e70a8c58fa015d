"""`avloc review`: what a person types and reads."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from avloc.cli.main import main
from avloc.cli.pages import name_of_page, page_of
from avloc.events import Event, Events
from avloc.formats.activitynet import read_external, read_results, write_results
from avloc.formats.verdict_files import read_reviewed, write_reviewed
from avloc.formats.verdicts import Kind, Reviewed, Verdict, mark_of

A = Events(list(range(0, 20, 2)), list(range(1, 21, 2)), ["dog"] * 8 + ["cat"] * 2, [0.9 - k / 20 for k in range(10)])
B = Events([1], [2], ["dog"], [0.3])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    (folder / "north").mkdir(parents=True)
    for name, events in (("a", A), ("north/b", B)):
        about = {
            "video": "../videos/x.mp4",
            "key": "k",
            "computed": "c",
            "model": "m",
            "min_score": 0.2,
            "duration": 30.0,
        }
        write_results(folder / f"{name}.events.json", {Path(name).name: events}, about | {"duration": 30.0})
    return folder


def told(path: Path, *kinds: Kind, by: str = "") -> Path:
    verdicts = [Verdict(kind, event, event, by) for kind, event in zip(kinds, A, strict=False)]
    rest = [Verdict("", event, event) for event in A[len(kinds) :]]
    added = Verdict("added", Event(25, 26, "cow"), None, by)
    write_reviewed(path, {"a": Reviewed((*verdicts, *rest, added), 30.0, result=mark_of("a", A))})
    return path


def test_it_tells_what_the_verdicts_say(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = told(tmp_path / "v.csv", *(["yes"] * 6), "no", "no")
    assert main(["review", str(results), str(verdicts), "--json", "--next", "3"]) == 0
    out = json.loads(capsys.readouterr().out)
    every, dog, cat, cow = out["classes"]
    assert (every["events"], every["looked_at"], every["right"], every["added"]) == (11, 8, 6, 1)
    assert dog["label"] == "dog" and dog["min_score"] == pytest.approx(0.65) and dog["precision_left"] == 1
    assert (cat["looked_at"], cat["precision"]) == (0, None) and (cow["events"], cow["added"]) == (0, 1)
    assert {row["label"] for row in out["next"]} <= {"dog", "cat"} and len(out["next"]) == 3


def test_it_writes_what_it_is_asked_to(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = told(tmp_path / "v.csv", "yes", "no", by="Ann")
    words = ["review", str(results), str(verdicts), "--next", "2", "--next-file", str(tmp_path / "next.csv")]
    assert main([*words, "--out", str(tmp_path / "north" / "mine"), "--csv", str(tmp_path / "classes.csv")]) == 0
    assert "2 of 11 events looked at; 1 added by people" in capsys.readouterr().out
    asked = [v for reviewed in read_reviewed(tmp_path / "next.csv").values() for v in reviewed.verdicts]
    assert len(asked) == 2 and all(v.asked for v in asked)
    written = tmp_path / "north" / "mine" / "a.events.json"
    assert read_results(written)["a"].labels == ("dog",) * 7 + ("cat",) * 2 + ("cow",)
    about = read_external(written)
    assert about["video"] == "../../videos/x.mp4" and "key" not in about
    assert about["reviewed"]["verdicts"] == 3 and about["reviewed"]["by"] == ["Ann"]
    assert read_results(tmp_path / "north" / "mine" / "north" / "b.events.json")["b"] == B
    with (tmp_path / "classes.csv").open() as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["all classes", "dog", "cat", "cow"]


def test_pages_of_chosen_events_are_reviewed_by_the_same_flags(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merged, out, verdicts = Event(0, 15, "dog", 0.9), tmp_path / "mine", tmp_path / "v.csv"
    rows = (Verdict("yes", merged, merged), Verdict("no", A[0], A[0]), Verdict("added", Event(25, 26, "cow"), None))
    write_reviewed(verdicts, {"a": Reviewed(rows, 30.0)})
    said = ["review", str(results), str(verdicts), "--json"]
    assert main(said) == 0
    captured = capsys.readouterr()
    assert "1 verdict left out: these results have no such event" in captured.err and "--merge-gap" in captured.err
    assert main([*said, "--merge-gap", "1", "--label", "dog", "--min-score", "0.3", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    every = json.loads(captured.out)["classes"][0]
    assert (every["events"], every["looked_at"], every["right"], every["added"]) == (2, 1, 1, 0)
    assert captured.err == "avloc: 2 verdicts left out: on events that are not chosen here\n"
    assert [(e.start_s, e.end_s) for e in read_results(out / "a.events.json")["a"]] == [(0, 15)]
    about = read_external(out / "a.events.json")
    assert about["chosen"] == {"label": ["dog"], "merge_gap": 1.0} and about["min_score"] == 0.3
    assert main([*said, "--label", "dogg"]) == 1
    assert "did you mean 'dog'?" in capsys.readouterr().err


def test_corrected_results_keep_what_is_known_of_events_that_stand(results: Path, tmp_path: Path) -> None:
    told_of = [{"evidence": {"visual": k / 10, "audio": 0.5}} for k in range(len(A))]
    write_results(results / "a.events.json", {"a": A}, {"video": "x.mp4", "min_score": 0.2}, {"a": told_of})
    moved = Verdict("corrected", Event(0, 1.5, "dog"), A[0])
    write_reviewed(tmp_path / "v.csv", {"a": Reviewed((moved, Verdict("yes", A[1], A[1])), 30.0)})
    assert main(["review", str(results), str(tmp_path / "v.csv"), "--out", str(tmp_path / "mine")]) == 0
    rows = json.loads((tmp_path / "mine" / "a.events.json").read_text())["results"]["a"]
    assert "evidence" not in rows[0] and rows[1]["evidence"] == {"visual": 0.1, "audio": 0.5}


def test_two_people_are_merged(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ann, ben = (
        told(tmp_path / "ann.csv", "yes", "no", "yes", "no"),
        told(tmp_path / "ben.csv", "yes", "no", "no", "no"),
    )
    merged = tmp_path / "both.json"
    assert main(["review", str(results), str(ann), str(ben), "--merged", str(merged)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "ann and ben: agree on 3 of 4 that both looked at; Cohen's kappa 0.50" in out
    assert "1 event on which people do not agree: a 0:04.00 - 0:05.00 dog (ann: yes, ben: no)" in out
    kinds = [v.kind for v in read_reviewed(merged)["a"].verdicts]
    assert kinds == ["yes", "no", "", "no", *[""] * 6, "added"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{results}"], "no file of verdicts is given"),
        (["{results}", "{results}/a.events.json"], "holds no verdicts (activitynet)"),
        (["{results}", "gone.csv"], "gone.csv cannot be read"),
        (["{results}", "{v}", "--precision", "90"], "--precision is 90; a share between 0 and 1"),
        (["{results}", "{v}", "--next", "-1"], "--next is -1"),
        (["{results}", "{v}", "--next-file", "x.csv"], "give that as well, such as --next 20"),
        (["{results}", "{v}", "--out", "{results}"], "where the results are; name another folder"),
        (["{results}/north", "{v}"], "have no video in common"),
    ],
)
def test_what_is_wrong_is_told(
    words: list[str], said: str, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = told(tmp_path / "v.csv", "yes")
    given = [word.format(results=results, v=verdicts) for word in words]
    assert main(["review", *given]) == 1
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_truth_that_is_known_in_part_is_no_measure(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = told(tmp_path / "v.csv", "yes", "no")
    assert main(["evaluate", str(results), "--truth", str(verdicts)]) == 1
    assert "no video was looked at whole" in capsys.readouterr().err
    known = read_reviewed(verdicts) | {"north/b": Reviewed((Verdict("yes", B[0], B[0]),), 30.0, whole=True)}
    write_reviewed(verdicts, known)
    assert main(["evaluate", str(results), "--truth", str(verdicts)]) == 0
    assert "1 video of the truth looked at in part alone, such as 'a': left out" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a", "north/a.b", "index", "Index", "index/index"])
def test_a_page_of_detection_knows_the_name_of_its_result(name: str) -> None:
    assert name_of_page(Path("site"), page_of(Path("site"), name)) == name
