"""Detections in a table of text: what is written is read again, and what is odd is named."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.csv import read_table, write_table
from avloc.formats.files import sniff
from avloc.formats.truth import Odd
from avloc.scale.table import write_events_table

NUMBER = st.floats(-1e6, 1e6)
NAME = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), min_size=1)
EVENTS = st.lists(
    st.builds(lambda a, b, label, score: Event(min(a, b), max(a, b), label, score), NUMBER, NUMBER, NAME, NUMBER),
    min_size=1,
    max_size=4,
).map(Events.of)


def events(path: Path, odd: Odd | None = None) -> dict[str, Events]:
    return {video: truth.events for video, truth in read_table(path, odd).items()}


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
@settings(max_examples=150, deadline=None)
@given(results=st.dictionaries(NAME, EVENTS, max_size=4))
def test_what_is_written_is_read_again(name: str, results: dict[str, Events]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_table(path, results)
        again = events(path)
    assert again == results and list(again) == list(results)


def test_columns_may_stand_in_any_order_and_others_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbfLabel,score, start ,end,video,note\r\n"dog, barking",.5,1,2.5,v1,x\r\n\r\n')
    assert events(path) == {"v1": Events([1], [2.5], ["dog, barking"], [0.5])}


def test_the_table_of_detection_is_read(tmp_path: Path) -> None:
    write_events_table(tmp_path / "events.csv", {"north/a": Events([1], [2.5], ["dog"], [0.5])})
    assert events(tmp_path / "events.csv") == {"north/a": Events([1], [2.5], ["dog"], [0.5])}
    assert sniff(tmp_path / "events.csv") == "csv"


@pytest.mark.parametrize(("encoding", "first"), [("utf-8-sig", ""), ("utf-16", ""), ("utf-8", "sep=;\r\n")])
def test_the_table_of_detection_saved_by_a_spreadsheet(tmp_path: Path, encoding: str, first: str) -> None:
    rows = ["video;start_s;end_s;label;score;file", "north/a;1,000;2,500;dog, far;0,5;v/north/a.mp4", ""]
    (tmp_path / "events.csv").write_bytes((first + "\r\n".join(rows)).encode(encoding))
    assert events(tmp_path / "events.csv") == {"north/a": Events([1], [2.5], ["dog, far"], [0.5])}
    assert sniff(tmp_path / "events.csv") == "csv"


def test_no_line_is_no_event(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", {"v1": Events()})
    assert read_table(tmp_path / "t.csv") == {}


HEAD = "video,start,end,label,score\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no column start, end, label, score"),
        ("video,start,end,label\n", "names no column score; the columns .* divided by commas"),
        (HEAD + "v1,0,1,dog,0.5\nv1,one,1,dog,0.5\n", "line 3, \"start\" is 'one'; a number"),
        (HEAD + "v1,2,1,dog,0.5\n", "line 2: the event ends at 1 s, before its start at 2 s"),
        (HEAD + "v1,0,1,dog,nan\n", "line 2, \"score\" is 'nan'; a number"),
        (HEAD + "v1,0,1,,0.5\n", 'line 2 has nothing in the column "label"'),
        (HEAD + "v1,0,1,dog\n", 'line 2 has nothing in the column "score"'),
        (HEAD + 'v1,0,1,"dog,0.5\n', "line 2 is no line of a table"),
    ],
)
def test_what_is_odd_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match=said):
        read_table(path)


def test_odd_lines_can_be_told_instead(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEAD + "v1,2,1,dog,0.5\nv1,0,1,dog,0.5\nv2,0,inf,dog,0.5\n")
    odd = Odd()
    assert events(path, odd) == {"v1": Events([2, 0], [2, 1], ["dog", "dog"], [0.5, 0.5])}
    assert [line.split(": ")[0].split(", ")[1] for line in odd.backward] == ["line 2"]
    assert [line.split(": ")[0].split(", ")[1] for line in odd.left_out] == ["line 4"]


def test_a_missing_file_and_a_name_of_two_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(FormatError, match="no place in a table"):
        write_table(tmp_path / "t.csv", {"v1": Events([0], [1], ["dog\nbarking"])})
    assert not (tmp_path / "t.csv").exists()
