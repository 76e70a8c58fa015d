"""What is only seen or only heard, out of annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.distractors import Distractors, read_distractors

SAMPLE = Path(__file__).parents[2] / "demo" / "sample.truth.json"


def written(folder: Path, **videos: Any) -> Path:
    path = folder / "truth.json"
    path.write_text(json.dumps({"database": videos}))
    return path


def row(modality: object, start_s: float = 1.0, label: str = "dog") -> dict[str, object]:
    return {"segment": [start_s, start_s + 2], "label": label, "modality": modality}


def test_modalities_are_told_apart_and_unknown_videos_left_out(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        a={"other_events": [row("V"), row("A", 4), row("AV", 6), row("V", 8, "cat")]},
        b={"other_events": []},
        c={"annotations": []},
    )
    assert read_distractors(path) == {
        "a": Distractors(Events.of([Event(1, 3, "dog"), Event(8, 10, "cat")]), Events.of([Event(4, 6, "dog")])),
        "b": Distractors(Events(), Events()),
    }


def test_the_sample_has_one_of_each() -> None:
    sample = read_distractors(SAMPLE)["sample"]
    assert sample.seen_only.labels == ("playing acoustic guitar",) and sample.heard_only.labels == (
        "rooster crowing",
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"other_events": {}}, '"other_events" is an object; a list is needed'),
        ({"other_events": [row("X")]}, "\"modality\" is 'X'"),
        ({"other_events": [row(["A"])]}, "\"modality\" is ['A']"),
        ({"other_events": [{"segment": [0, 1], "label": "dog"}]}, 'entry 0 has no "modality"'),
        ({"other_events": [{"segment": [2, 1], "label": "dog", "modality": "A"}]}, "ends before it starts"),
        ([], "is a list of 0"),
    ],
)
def test_what_is_odd_is_named(tmp_path: Path, entry: object, words: str) -> None:
    with pytest.raises(FormatError) as error:
        read_distractors(written(tmp_path, v=entry))
    assert words in str(error.value) and "video 'v'" in str(error.value)
