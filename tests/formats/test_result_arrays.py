"""Columns of ActionFormer and its kin: what they hold row by row, and what is odd in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.activitynet import _event, detections_of
from avloc.formats.class_names import read_label_ids
from avloc.formats.result_arrays import are_arrays, as_json, events_of_arrays
from avloc.formats.truth import Odd

Json = dict[str, Any]


def number_as_name(label: object, where: str) -> str:
    if label in ("dog", "cat"):
        return str(label)
    if label not in (0, 1):
        raise FormatError(f"{where} is {label}")
    return ("dog", "cat")[int(label)]  # type: ignore[call-overload, no-any-return]


def columns(*rows: tuple[object, object, object, object, object]) -> Json:
    names = ("video-id", "t-start", "t-end", "label", "score")
    return dict(zip(names, map(list, zip(*rows, strict=True)) if rows else [[] for _ in names], strict=True))


def test_rows_of_all_videos_are_told_apart() -> None:
    content = columns(("a", 1.5, 3.0, 0, 0.9), ("b", 0, 2, 1.0, 1), ("a", 4.0, 9.0, 1, 0.2))
    assert are_arrays(content) and not are_arrays([]) and not are_arrays({"video-id": []})
    assert events_of_arrays(content, "f.json", None, number_as_name) == {
        "a": Events([1.5, 4], [3, 9], ["dog", "cat"], [0.9, 0.2]),
        "b": Events([0], [2], ["cat"], [1]),
    }
    assert events_of_arrays(columns(("a", 1.5, 3.0, "dog", 0.9)), "f.json") == {
        "a": Events([1.5], [3], ["dog"], [0.9])
    }
    assert events_of_arrays(columns(), "f.json") == {}


def test_odd_entries_are_told() -> None:
    content = columns(
        ("a", 3.0, 1.0, 0, 0.9),
        ("a", 3.0, 4.0, 7, 0.9),
        ("a", 3.0, 4.0, [1], 0.9),
        ("a", 3.0, 4.0, True, 0.9),
        ("b", float("nan"), 1.0, 0, 0.9),
        ("b", 0.0, 1.0, 0, None),
        ("b", 0.0, 1.0, 0, 0.5),
    )
    odd = Odd()
    found = events_of_arrays(content, "f.json", odd, number_as_name)
    assert found == {"a": Events([3, 3], [3, 4], ["dog", "cat"], [0.9, 0.9]), "b": Events([0], [1], ["dog"], [0.5])}
    assert [line.split(",")[0:2] for line in odd.left_out] == [
        ["f.json: video 'a'", " entry 1"],
        ["f.json: video 'a'", " entry 2"],
        ["f.json: video 'b'", " entry 0"],
        ["f.json: video 'b'", " entry 1"],
    ]
    assert len(odd.backward) == 1 and "video 'a', entry 0" in odd.backward[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"score": [0.5, 0.5]}, '"score" has 2 entries for 1 of "video-id"; give one per detection'),
        ({"label": 3}, '"label" is 3; a list is needed'),
        ({"video-id": [7]}, '"video-id", entry 0 is 7; a text is needed'),
        ({"video-id": [""]}, '"video-id", entry 0 is an empty text'),
    ],
)
def test_odd_columns_are_refused(change: Json, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        events_of_arrays(columns(("a", 1.0, 2.0, "dog", 0.5)) | change, "f.json", Odd())


def test_the_lines_for_a_pickle_name_both_files() -> None:
    first, second, third = as_json(Path("runs/it's/eval_results.pkl"))
    assert first == "import json, pickle, numpy"
    assert (
        "\"runs/it's/eval_results.pkl\", 'rb'" in second and "\"runs/it's/eval_results.columns.json\", 'w'" in third
    )
    for line in (first, second, third):
        compile(line, "<line>", "exec")


ODDITIES = st.sampled_from([None, True, "x", "", [], {}, [1.0], float("nan"), float("inf"), 10**400, 3])
NUMBER = st.floats(-5, 5) | ODDITIES
ROW = (
    st.fixed_dictionaries(
        {
            "segment": st.lists(NUMBER, min_size=1, max_size=3) | ODDITIES,
            "label": st.sampled_from(["a", "b"]) | ODDITIES,
            "score": NUMBER,
        },
        optional={"note": st.none()},
    )
    | ODDITIES
)


@settings(max_examples=400, deadline=None)
@given(st.lists(ROW, max_size=4))
def test_the_quick_way_equals_the_strict_one(rows: list[Any]) -> None:
    odd, slow = Odd(), Odd()
    found = detections_of({"results": {"v": rows}}, "f.json", odd)[0]["v"]
    expected: list[Event] = []
    for i, row in enumerate(rows):
        try:
            expected.append(_event(row, f"f.json: video 'v', entry {i}", True, slow))
        except FormatError as error:
            slow.left_out.append(str(error))
    assert list(found) == expected and odd == slow


@pytest.mark.parametrize(
    ("rows", "top", "expected"),
    [
        ([("dog", 3), ("cat", 0), ("dog", 3)], {}, {3: "dog", 0: "cat"}),
        ([("dog", None)], {"labels": ["cat", "dog"]}, {0: "cat", 1: "dog"}),
        ([("dog", 5)], {"labels": ["cat", "dog"]}, {5: "dog"}),
        ([("dog", None)], {}, {}),
        ([("dog", True)], {}, {}),
        ([], {}, {}),
    ],
)
def test_label_ids_of_a_truth(
    rows: list[tuple[str, Any]], top: Json, expected: dict[int, str], tmp_path: Path
) -> None:
    path = tmp_path / "truth.json"
    annotations = [
        {"segment": [0, 1], "label": label} | ({} if number is None else {"label_id": number})
        for label, number in rows
    ]
    entry = {"duration": 9, "subset": "test", "annotations": annotations}
    path.write_text(json.dumps(top | {"database": {"v": entry}}))
    assert read_label_ids(path) == expected


def test_two_classes_of_one_id_are_refused(tmp_path: Path) -> None:
    rows = [{"segment": [0, 1], "label": label, "label_id": 4} for label in ("dog", "cat")]
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"database": {"v": {"duration": 9, "subset": "test", "annotations": rows}}}))
    with pytest.raises(FormatError, match="'dog' and 'cat' share \"label_id\" 4"):
        read_label_ids(path)
