"""Truth from a table: one row an event."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from avloc.errors import FormatError
from avloc.events import Events
from avloc.formats.activitynet import Truth
from avloc.formats.csv_truth import read_csv_truth
from avloc.formats.files import sniff


def write(folder: Path, text: str) -> Path:
    path = folder / "t.csv"
    path.write_text(text, "utf-8")
    return path


def test_rows_become_videos(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "video,start,end,label,duration,subset\n"
        'v1,2.5,7,"dog, barking",30,train\n'
        "v2,,,,12.4,test\n"
        "v1,0,1.5,car,30,train\n",
    )
    assert read_csv_truth(path) == {
        "v1": Truth(30, "train", Events([2.5, 0], [7, 1.5], ["dog, barking", "car"])),
        "v2": Truth(12.4, "test", Events()),
    }


def test_duration_and_subset_may_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufefflabel,video,end,start\nHund,ä b,2,1\n")
    assert read_csv_truth(path) == {"ä b": Truth(math.inf, "train", Events([1], [2], ["Hund"]))}


@pytest.mark.parametrize(
    "text",
    [
        "Video;Start;End;Label \r\nv;1,5;2.25;dog, barking\r\n",
        'video,start,end,label\r\n"v",1.5,2.25,"dog, barking"\r\n',
    ],
)
def test_a_spreadsheet_of_any_language(text: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    assert sniff(path) == "csv-truth"
    assert read_csv_truth(path) == {"v": Truth(math.inf, "train", Events([1.5], [2.25], ["dog, barking"]))}


def test_a_table_without_rows(tmp_path: Path) -> None:
    assert read_csv_truth(write(tmp_path, "video,start,end,label\n")) == {}


HEAD = "video,start,end,label,duration,subset\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"the columns video,start,end,label are needed, duration and subset may follow"),
        ("video,start,end\n", "the columns"),
        ("video,start,end,lable\n", "the columns"),
        ("video,start,end,label,label\n", "the column 'label' twice"),
        (
            HEAD + "v,1,2,dog,30,train\nv,x,2,dog,30,train\n",
            "line 3, \"start\" is 'x'; a number of seconds, or minutes",
        ),
        (HEAD + "v,1,nan,dog,30,train\n", "line 2, \"end\" is 'nan'"),
        (HEAD + "v,1,inf,dog,30,train\n", "\"end\" is 'inf'"),
        (HEAD + "v,1,,dog,30,train\n", 'line 2 has nothing in the column "end"'),
        (HEAD + "v,1,2,,30,train\n", "the event has no label"),
        (HEAD + "v,3,2,dog,30,train\n", "ends at 2 s, before its start at 3 s"),
        (HEAD + ",1,2,dog,30,train\n", "line 2: names no video"),
        (HEAD + "v,1,2,dog,-3,train\n", "duration is -3"),
        (HEAD + "v,1,2,dog,30,train\nv,1,2,dog,31,train\n", "line 3: video 'v' has another duration or subset"),
        (HEAD + "v,1,2,dog,30,train\nv,1,2,dog,30,test\n", "another duration or subset"),
        ("video,start,end,label,subst\nv,1,2,dog,test\n", "a column 'subst'; did you mean 'subset'"),
        ("vidoe,start,end,label\nv,1,2,dog\n", "a column 'vidoe'; did you mean 'video'"),
        (HEAD + "v,1,2,dog,30,train,x\n", "line 2: has 7 fields, and the first line 6"),
        (HEAD + 'v,1,2,"dog,30,train\n', "line 2 is no line of a table"),
    ],
)
def test_what_is_odd_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said) as error:
        read_csv_truth(write(tmp_path, text))
    assert "t.csv" in str(error.value) and "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_csv_truth(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"video,start\xff")
    with pytest.raises(FormatError, match="UTF-8"):
        read_csv_truth(tmp_path / "b.csv")
