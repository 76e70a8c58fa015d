"""Labels as BirdNET, Raven, ELAN, Label Studio, VIA and subtitle programs write them: right video, right time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avloc.errors import FormatError
from avloc.events import Events
from avloc.formats.files import read_events
from avloc.formats.truth import Choices

BIRDNET = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tCommon Name\t"
    "Species Code\tConfidence\tBegin Path\tFile Offset (s)\n"
    "1\tSpectrogram 1\t1\t3.0\t6.0\t150\t12000\tGreat Horned Owl\tgrhowl\t0.165\t/data/rec_01.wav\t3.0\n"
)
FINCH = "2\tSpectrogram 1\t1\t63.0\t66.0\t150\t12000\tPurple Finch\tpurfin\t0.955\t/data/rec_02.wav\t3.0\n"
OWL = Events([3], [6], ["Great Horned Owl"], [0.165])

RAVEN = "Selection\tView\tChannel\tBegin File\tBegin Time (s)\tEnd Time (s)\tAnnotation\tFile Offset (s)\n"


def raven(*rows: tuple[int, str, float, float, str, float]) -> str:
    lines = (f"{n}\tSpectrogram 1\t1\t{file}\t{a}\t{b}\t{label}\t{at}\n" for n, file, a, b, label, at in rows)
    return RAVEN + "".join(lines)


def elan(unit: str = "milliseconds", origin: str = "") -> str:
    """An event of two parts whose border has no time, as tiers of time subdivision have it."""
    return f"""<ANNOTATION_DOCUMENT FORMAT="3.0"><HEADER MEDIA_FILE="" TIME_UNITS="{unit}">
  <MEDIA_DESCRIPTOR MEDIA_URL="file:///D:/v/clip.mp4" MIME_TYPE="video/mp4" {origin}/></HEADER>
 <TIME_ORDER><TIME_SLOT TIME_SLOT_ID="1" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="2"/>
  <TIME_SLOT TIME_SLOT_ID="3" TIME_VALUE="3000"/></TIME_ORDER>
 <TIER TIER_ID="events">{aligned("dog", 1, 3)}</TIER>
 <TIER TIER_ID="parts" PARENT_REF="events">{aligned("first", 1, 2)}{aligned("second", 2, 3)}</TIER>
</ANNOTATION_DOCUMENT>"""


def aligned(label: str, start: int, end: int) -> str:
    return (
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{label}" TIME_SLOT_REF1="{start}" TIME_SLOT_REF2="{end}">'
        f"<ANNOTATION_VALUE>{label}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
    )


def parts(start: float, middle: float, end: float) -> dict[str, Events]:
    return {"clip": Events([start, start, middle], [middle, end, end], ["first", "dog", "second"])}


def answer(by: int, start: float, end: float, **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "channel": 0, "labels": ["dog"]}
    region = {"id": "x", "from_name": "label", "to_name": "audio", "type": "labels", "value": value}
    return {"completed_by": by, "result": [region], **more}


def studio(video: str, *answers: dict[str, Any]) -> str:
    return json.dumps([{"id": 1, "data": {"video": video}, "annotations": list(answers)}])


def via(options: dict[str, str], chosen: str) -> str:
    attribute = {"aname": "event", "anchor_id": "FILE1_Z2_XY0", "type": 2, "options": options}
    return json.dumps(
        {
            "project": {"pid": "x", "vid_list": ["1"]},
            "config": {},
            "attribute": {"1": attribute},
            "file": {"1": {"fid": "1", "fname": "clip.mp4", "type": 4, "loc": 1, "src": ""}},
            "metadata": {"1_a": {"vid": "1", "flg": 0, "z": [1, 2], "xy": [], "av": {"1": chosen}}},
            "view": {"1": {"fid_list": ["1"]}},
        }
    )


DOG = Events([1], [2], ["dog"])
TWO = Events([1, 3], [2, 4], ["dog", "cat"])

READ: dict[str, tuple[str, str, dict[str, Events]]] = {
    "BirdNET's table of many files": (
        "birdnet_combined.txt",
        BIRDNET + FINCH,
        {"rec_01": OWL, "rec_02": Events([3], [6], ["Purple Finch"], [0.955])},
    ),
    "BirdNET's table of one file": ("x.BirdNET.selection.table.txt", BIRDNET, {"rec_01": OWL}),
    "Raven tables put together: a selection is of its file": (
        "r.txt",
        raven(
            (1, "A.wav", 0, 3, "dog", 0),
            (2, "A.wav", 3, 6, "dog", 3),
            (1, "B.wav", 0, 3, "cat", 0),
            (2, "B.wav", 9, 12, "cat", 9),
        ),
        {"A": Events([0, 3], [3, 6], ["dog"] * 2), "B": Events([0, 9], [3, 12], ["cat"] * 2)},
    ),
    "Raven: one number, two labels": (
        "r.selections.txt",
        raven((0, "a.wav", 1, 2, "dog", 1), (0, "a.wav", 1, 2, "cat", 1)),
        {"a": Events([1, 1], [2, 2], ["dog", "cat"])},
    ),
    "Raven: one number, two times": (
        "r.selections.txt",
        raven((1, "a.wav", 1, 2, "dog", 1), (1, "a.wav", 5, 6, "dog", 5)),
        {"a": Events([1, 5], [2, 6], ["dog", "dog"])},
    ),
    "Raven: one file, deep in a series": ("r.txt", raven((1, "b.wav", 61, 62, "dog", 1)), {"b": DOG}),
    "ELAN: parts without times": ("x.eaf", elan(), parts(1, 2, 3)),
    "ELAN: an offset of the media": ("x.eaf", elan(origin='TIME_ORIGIN="5000"'), parts(6, 7, 8)),
    "ELAN: PAL pictures": ("x.eaf", elan("PAL-frames"), parts(40, 80, 120)),
    "Label Studio: a path of Windows in an address": (
        "x.json",
        studio(r"/data/local-files/?d=videos\clip.mp4", answer(1, 1, 2)),
        {"clip": DOG},
    ),
    "Label Studio: a path of Windows": ("x.json", studio(r"C:\data\clip.mp4", answer(1, 1, 2)), {"clip": DOG}),
    "Label Studio: one of the answers is ground truth": (
        "x.json",
        studio("clip.mp4", answer(1, 8, 9), answer(2, 1, 2, ground_truth=True)),
        {"clip": DOG},
    ),
    "Label Studio: an answer that was cancelled": (
        "x.json",
        studio("clip.mp4", answer(1, 8, 9, was_cancelled=True), answer(2, 1, 2)),
        {"clip": DOG},
    ),
    "VIA: boxes that were ticked": (
        "x.json",
        via({"0": "dog", "1": "cat"}, "0,1"),
        {"clip": Events([1, 1], [2, 2], ["dog", "cat"])},
    ),
    "VIA: a comma in free text": ("x.json", via({}, "dog, far"), {"clip": Events([1], [2], ["dog, far"])}),
    "WebVTT without empty lines": (
        "a.vtt",
        "WEBVTT\n00:01.000 --> 00:02.000\ndog\n00:03.000 --> 00:04.000\ncat\n",
        {"a": TWO},
    ),
    "SubRip without empty lines": (
        "a.srt",
        "1\n00:00:01,000 --> 00:00:02,000\ndog\n2\n00:00:03,000 --> 00:00:04,000\ncat\n",
        {"a": TWO},
    ),
}


@pytest.mark.parametrize("name", READ)
def test_right_video_right_time(tmp_path: Path, name: str) -> None:
    file, text, events = READ[name]
    (tmp_path / file).write_text(text)
    assert read_events(tmp_path / file) == events


def test_birdnet_s_tables_of_a_folder_are_of_the_files_that_they_name(tmp_path: Path) -> None:
    for name in ("rec_01", "rec_02"):
        table = BIRDNET.replace("rec_01.wav", f"{name}.mp4")
        (tmp_path / f"{name}.BirdNET.selection.table.txt").write_text(table)
    assert read_events(tmp_path) == {"rec_01": OWL, "rec_02": OWL}


def test_one_of_two_annotators_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(studio("clip.mp4", answer(1, 1, 2), answer(2, 1.05, 2.02)))
    with pytest.raises(FormatError, match=r"task 0: has 2 answers, of 1, 2; name one of these"):
        read_events(path)
    assert read_events(path, choices=Choices(annotator="1")) == {"clip": DOG}
    assert read_events(path, choices=Choices(annotator="2")) == {"clip": Events([1.05], [2.02], ["dog"])}
