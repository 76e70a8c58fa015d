"""Annotations of a whole data set: classes in order, and every odd entry named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avloc.datasets.annotations import odd_entries, read_annotations
from avloc.errors import FormatError

UNAV = Path(__file__).parents[3] / "shared" / "data" / "unav100_annotations.json"


def entry(
    *events: tuple[float, float, str, int | None], duration: float = 30, subset: str = "train"
) -> dict[str, Any]:
    rows = [
        {"segment": [start, end], "label": label, **({} if number is None else {"label_id": number})}
        for start, end, label, number in events
    ]
    return {"duration": duration, "subset": subset, "annotations": rows}


def write(folder: Path, database: dict[str, Any], **more: Any) -> Path:
    path = folder / "a.json"
    path.write_text(json.dumps({"version": "x", "database": database, **more}))
    return path


def test_classes_stand_in_the_order_of_their_ids(tmp_path: Path) -> None:
    path = write(tmp_path, {"v": entry((1, 2, "zebra", 0), (3, 4, "ape", 7)), "w": entry((0, 30, "zebra", 0))})
    got = read_annotations(path)
    assert got.labels == ("zebra", "ape") and list(got.videos) == ["v", "w"] and got.subsets == ("train",)


def test_without_ids_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    path = write(tmp_path, {"v": entry((1, 2, "zebra", None), (3, 4, "ape", 7))})
    assert read_annotations(path).labels == ("ape", "zebra")


def test_a_list_of_labels_goes_before(tmp_path: Path) -> None:
    path = write(tmp_path, {"v": entry((1, 2, "b", 3))}, labels=["c", "b", "a"])
    assert read_annotations(path).labels == ("c", "b", "a")
    assert read_annotations(path, labels=["b"]).labels == ("b",)
    with pytest.raises(FormatError, match="names a class twice"):
        read_annotations(write(tmp_path, {}, labels=["c", "c"]))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([(1, 2, "a", 0), (1, 2, "b", 0)], "two classes share one"),
        ([(1, 2, "a", 0), (1, 2, "a", 1)], "video 'v', entry 1: class 'a' has the label_id 1 and, before, 0"),
        ([(1, 2, "a", "x")], "label_id"),
    ],
)
def test_ids_that_contradict_one_another(tmp_path: Path, events: list[Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_annotations(write(tmp_path, {"v": entry(*events)}))


@pytest.mark.parametrize(
    ("video", "said"),
    [
        (
            entry((1, 2, "a", 0), (28, 30.11, "a", 0)),
            r"entry 1 \(a, 28 to 30\.11 s\): the event ends after the video",
        ),
        (entry((5, 5, "a", 0)), "has no length"),
        (entry((-0.5, 5, "a", 0)), "starts before the video"),
        (entry((1, 2, "c", 1)), "the label is not among the 2 classes"),
        (entry(duration=0), "the duration is 0 s"),
    ],
)
def test_odd_entries_are_named(tmp_path: Path, video: dict[str, Any], said: str) -> None:
    path = write(tmp_path, {"fine": entry((1, 30.09, "a", 0)), "odd": video})
    with pytest.raises(FormatError, match=rf"a\.json: video 'odd', .*{said}"):
        read_annotations(path, labels=["a", "b"])
    [odd] = odd_entries(read_annotations(path, labels=["a", "b"], strict=False))
    assert odd.video == "odd"


def test_a_split_that_is_empty(tmp_path: Path) -> None:
    got = read_annotations(write(tmp_path, {"v": entry(subset="train"), "w": entry(subset="test")}))
    assert list(got.split("test")) == ["w"]
    with pytest.raises(FormatError, match="no video is of subset 'validation'; the subsets there are: train, test"):
        got.split("validation")
    with pytest.raises(FormatError, match="none, for it has no video"):
        read_annotations(write(tmp_path, {})).split("train")


def test_a_video_that_stands_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    row = json.dumps(entry())
    path.write_text(f'{{"database": {{"v": {row}, "v": {row}}}}}')
    with pytest.raises(FormatError, match="'v' stands there twice"):
        read_annotations(path)


def test_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.CSV"
    path.write_text("video,start,end,label\nv,1,2,b\nw,1,900,a\n")
    got = read_annotations(path)
    assert got.labels == ("a", "b") and got.videos["w"].events[0].end_s == 900


@pytest.mark.skipif(not UNAV.exists(), reason="the annotations of UnAV-100 are not at hand")
def test_unav100() -> None:
    got = read_annotations(UNAV)
    assert len(got.labels) == 100 and got.labels[:2] == ("man speaking", "woman speaking")
    assert {name: len(got.split(name)) for name in got.subsets} == {"train": 6489, "test": 2167, "validation": 2134}
    assert sum(len(truth.events) for truth in got.videos.values()) == 30059


def test_capitals_of_a_split_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(
        "video,start,end,label,duration,subset\na,0,1,x,9,Validation\nb,0,1,x,9,validation\nc,0,1,x,9,Test\n"
    )
    annotations = read_annotations(path)
    assert annotations.subsets == ("Validation", "Test")
    assert list(annotations.split("VALIDATION")) == ["a", "b"] and list(annotations.split("test")) == ["c"]
