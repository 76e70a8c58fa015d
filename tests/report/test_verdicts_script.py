"""The page's own reading and writing of verdicts, run by node: what avloc writes it reads, and the other way."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.verdict_files import read_reviewed, write_reviewed
from avloc.formats.verdicts import Reviewed, Verdict

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is absent; the script of pages is run by it")

FOUND = Events([0.5, 1.5, 4.0], [1.5, 2.5, 5.0], ["dog", 'a "b", c', "=1+1"], [0.9, 0.75, 0.5])
ADDED = Event(5.25, 6.5, " cow; bell ")
VERDICTS = Reviewed(
    (
        Verdict("yes", FOUND[0], FOUND[0], "Ann", "2026-01-02T03:04:05Z"),
        Verdict("corrected", Event(1.25, 2.0, "violin"), FOUND[1], "B, C"),
        Verdict("", FOUND[2], FOUND[2], asked=True),
        Verdict("added", ADDED, None),
    ),
    9.0,
    True,
    "0" * 16,
)


def by_node(expression: str, given: object) -> str:
    """What an expression of `Verdicts` and `given` prints."""
    script = resources.files("avloc.report").joinpath("static", "verdicts.js").read_text("utf-8")
    program = f"{script}\nconst given = {json.dumps(given)};\nprocess.stdout.write({expression});"
    assert NODE is not None
    run = subprocess.run([NODE, "-"], input=program, capture_output=True, text=True, check=False, encoding="utf-8")
    if run.returncode:
        raise FormatError(run.stderr)
    return run.stdout


def test_a_video_is_not_known_whole_where_a_true_event_is_gone() -> None:
    rows = [{"found": "a", "kind": "yes"}, {"found": "b", "kind": "no"}, {"found": None, "kind": "added"}]
    for keys, whole in ((["a", "b"], "true"), (["a"], "true"), (["b"], "false")):
        given = {"state": {"rows": rows, "whole": True}, "keys": keys}
        assert by_node("String(Verdicts.isWhole(given.state, new Set(given.keys)))", given) == whole
    assert by_node("String(Verdicts.isWhole({rows: []}, new Set()))", None) == "false"


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_page_and_package_read_what_the_other_writes(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    write_reviewed(path, {"north/a": VERDICTS})
    found = [{"start": e.start_s, "end": e.end_s, "label": e.label, "score": e.score} for e in FOUND]
    about = {"name": "north/a", "mark": "0" * 16, "duration": 9.0}
    written = by_node(
        f"Verdicts.{'toCsv' if ending == 'csv' else 'toJson'}(Verdicts.rowsOf("
        "given.about, given.found, Verdicts.parse(given.text)['north/a']))",
        {"text": path.read_text("utf-8"), "about": about, "found": found},
    )
    again = tmp_path / f"again.{ending}"
    again.write_text(written, "utf-8")
    assert read_reviewed(again) == {"north/a": VERDICTS}


def test_a_file_is_laid_over_what_is_kept() -> None:
    """The file counts where both judge; what it only asks for takes no verdict away; nothing is added twice."""

    def row(found: str | None, kind: str) -> dict[str, object]:
        rest = {"start": 1, "end": 2, "label": "dog", "by": "", "at": "", "asked": not kind}
        return {"found": found, "kind": kind, **rest}

    kept = {"rows": [row("a", "yes"), row("b", "no"), row(None, "added")]}
    told = {"rows": [row("a", "no"), row("b", ""), row(None, "added"), row("c", "")], "whole": True}
    both = json.loads(by_node("JSON.stringify(Verdicts.merged(given[0], given[1]))", [kept, told]))
    kinds = sorted((str(one["found"]), one["kind"]) for one in both["rows"])
    assert kinds == [("None", "added"), ("a", "no"), ("b", "no"), ("c", "")]
    assert both["whole"]


ODD = ("video,start\na,1\n", '{"results": {}}', "{", "video,start,end,label,verdict\na,1,2,dog,perhaps\n")


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_file_of_verdicts_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        by_node("JSON.stringify(Verdicts.parse(given))", text)
