"""Clips with known classes: who counts and who does not; what is wrong is one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avloc.datasets.real_clips import read_real_clips
from avloc.errors import FormatError

LABELS = ("dog barking", "cat meowing", "people laughing")


def clip(**row: object) -> dict[str, object]:
    return {"file": "one.mp4", "annotations": [], **row}


def written(folder: Path, rows: object) -> Path:
    (folder / "one.mp4").write_bytes(b"")
    (folder / "annotations.json").write_text(json.dumps(rows), encoding="utf-8")
    return folder


def test_doubtful_classes_and_those_that_may_be_shown_count_neither_way(tmp_path: Path) -> None:
    annotations = [
        {"label": "dog barking", "certainty": "high"},
        {"label": "cat meowing", "certainty": "low"},
        {"label": "playing erhu"},
    ]
    row = clip(annotations=annotations, also_ok=["people laughing", "dog barking"])
    (one,) = read_real_clips(written(tmp_path, {"database": {"one": row}}), LABELS)
    assert one.present == {"dog barking"} and one.path == tmp_path / "one.mp4"
    assert one.judge("dog barking") is True
    assert one.judge("cat meowing") is None and one.judge("people laughing") is None
    assert one.judge("sea waves") is False


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"database": {"one": {"annotations": []}}}, "not of the form"),
        ({"database": []}, "not of the form"),
        ([], "not of the form"),
        ({"database": {"two": clip(file="two.mp4")}}, "names two.mp4"),
        ({"database": {"two": clip(file="../../etc/passwd")}}, "names passwd"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, rows: object, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        read_real_clips(written(tmp_path, rows), LABELS)
    assert "\n" not in str(caught.value)


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"annotations.json: cannot be read"):
        read_real_clips(tmp_path, LABELS)
