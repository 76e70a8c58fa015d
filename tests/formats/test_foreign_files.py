"""Files as other programs write them are read; bad ones are one line that names file and place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from avloc.errors import FormatError
from avloc.events import Events
from avloc.formats.files import read_events, read_truth, sniff, write_events
from avloc.formats.truth import Choices

EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2020-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0">
 <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
  <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/films/my%20film.mp4" MIME_TYPE="video/mp4"/></HEADER>
 <TIME_ORDER><TIME_SLOT TIME_SLOT_ID="t1" TIME_VALUE="100"/><TIME_SLOT TIME_SLOT_ID="t2"/>
  <TIME_SLOT TIME_SLOT_ID="t3" TIME_VALUE="2500"/></TIME_ORDER>
 <TIER TIER_ID="dog"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="t1" TIME_SLOT_REF2="END">
  <ANNOTATION_VALUE></ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
 <TIER TIER_ID="note" PARENT_REF="dog"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a2" ANNOTATION_REF="a1">
  <ANNOTATION_VALUE>loud</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>"""

RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin File\t"
    "File Offset (s)\tSpecies\n"
    "1\tWaveform 1\t1\t1.5\t2.5\t0\t8000\ta.wav\t1.5\tEATO\n"
    "1\tSpectrogram 1\t1\t1.5\t2.5\t0\t8000\ta.wav\t1.5\tEATO\n"
    "2\tSpectrogram 1\t1\t61.0\t63.0\t0\t8000\tb.wav\t1.0\tWREN\n"
)


def via(**changes: Any) -> dict[str, Any]:
    project = {
        "project": {"pid": "__VIA_PROJECT_ID__", "vid_list": ["1", "2"]},
        "config": {},
        "attribute": {"1": {"aname": "TEMPORAL-SEGMENTS", "anchor_id": "FILE1_Z2_XY0", "options": {"0": "Drum"}}},
        "file": {
            "1": {"fid": 1, "fname": "films/a.mp4", "type": 4, "loc": 2, "src": "films/a.mp4"},
            "2": {"fid": 2, "fname": "b.mp4", "type": 4, "loc": 1, "src": ""},
        },
        "view": {"1": {"fid_list": ["1"]}, "2": {"fid_list": [2]}},
        "metadata": {
            "1_x": {"vid": "1", "flg": 0, "z": [1.5, 2.5], "xy": [], "av": {"1": "0"}},
            "1_y": {"vid": "1", "flg": 0, "z": [1.5], "xy": [2, 1, 1, 9, 9], "av": {"1": "0"}},
        },
    }
    return project | changes


def studio(value: dict[str, Any], kind: str, **data: Any) -> list[dict[str, Any]]:
    region = {"id": "x", "type": kind, "from_name": "l", "to_name": "v", "value": value}
    task = {"data": {"video": "/data/upload/1/0123abcd-a.mp4", **data}, "annotations": [{"result": [region]}]}
    return [task, {"data": {"video": "/data/local-files/?d=films/b.mp4"}, "predictions": []}]


FRAMES = {"ranges": [{"start": 26, "end": 50}], "timelinelabels": ["dog"]}
DOG = {"a": Events([1], [2], ["dog"])}

PRAAT = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 30
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "animals"
        xmin = 0
        xmax = 30
        intervals: size = 1
        intervals [1]:
            xmin = 1
            xmax = 2
            text = "a ""big"" dog"
    item [2]:
        class = "TextTier"
        name = "bells"
        xmin = 0
        xmax = 30
        points: size = 1
        points [1]:
            number = 7.5
            mark = "bell"
"""
BORIS = """Observation id,Subject,Behavior,Behavior type,Time,Media file name
o1,wolf,dog,START,1.0,a.mp4
o1,wolf,cat,POINT,3.0,a.mp4
o1,wolf,dog,STOP,2.0,a.mp4
"""
PRAAT_SHORT = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n30\n<exists>\n1\n"IntervalTier"\n"t"\n0\n30\n3\n'
    '0\n1\n""\n1\n2\n"dog"\n2\n30\n""\n'
)

READ: list[tuple[str, str, dict[str, Events]]] = [
    ("a.txt", "1,000000\t2.000000\tdog\r\n\\\t100.0\t-1.0\r\n", DOG),
    ("a.txt", "", {"a": Events()}),
    ("a.Table.1.selections.txt", RAVEN.split("2\tSpec")[0], {"a": Events([1.5], [2.5], ["EATO"])}),
    ("r.txt", RAVEN, {"a": Events([1.5], [2.5], ["EATO"]), "b": Events([1], [3], ["WREN"])}),
    (
        "a.vtt",
        "WEBVTT - by hand\nKind: captions\n\nNOTE\nno cue\n\nSTYLE\n::cue {}\n\n"
        "00:01.000 --> 00:02.000 line:0 align:start\n<v Bob>dog</v>\n\n"
        "name\n01:00:03.000 --> 01:00:04.000\ncat\nand <i>mouse</i>\n",
        {"a": Events([1, 3603], [2, 3604], ["dog", "cat and mouse"])},
    ),
    ("a.srt", "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\ndog\r\n\r\n\r\n", DOG),
    ("x.eaf", EAF.replace("END", "t3"), {"my film": Events([0.1], [2.5], ["dog"])}),
    (
        "x.rttm",
        ";; by hand\nSPKR-INFO a 1 <NA> <NA> <NA> unknown dog <NA> <NA>\nSPEAKER a 1 1.0 1.0 <NA> <NA> dog <NA>\n",
        DOG,
    ),
    ("b.csv", BORIS, {"a": Events([3, 1], [3, 2], ["cat", "dog"])}),
    ("a.TextGrid", PRAAT, {"a": Events([1, 7.5], [2, 7.5], ['a "big" dog', "bell"])}),
    ("a.TextGrid", PRAAT_SHORT, DOG),
    ("a.tsv", "start\tend\ttext\n1000\t2000\tdog\n", DOG),  # Whisper counts milliseconds
    ("a.tsv", "start\tend\ttext\n1\t2\tdog\n", DOG),
    (
        "x.csv",
        "FOLDER,IN FILE,OFFSET,DURATION,DATE,TIME,HOUR,MANUAL ID\nn,a.wav,1,1,2024-05-01,10:00:00,10,dog\n",
        DOG,
    ),
    (
        "a.csv",
        "Name\tStart\tDuration\tTime Format\tType\tDescription\ndog\t0:01.000\t0:01.000\tdecimal\tCue\t\n",
        DOG,
    ),
    ("x.tsv", "filename\tonset\toffset\tevent_label\na\t1.0\t2.0\tdog\nb\t\t\t\n", {**DOG, "b": Events()}),
    ("x.tsv", "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\na\t1\t2\tdog\n", DOG),
    ("x.tsv", "video\tstart\tend\tlabel\tscore\na\t1\t2\tdog\t1\n", DOG),
    ("x.csv", "video,start,end,label\na,1,2,dog\nb,,,\n", {**DOG, "b": Events()}),
    ("x.json", json.dumps(via()), {"a": Events([1.5], [2.5], ["Drum"]), "b": Events()}),
    (
        "x.json",
        json.dumps(studio({"start": 1, "end": 2, "labels": ["dog", "cat"]}, "labels")),
        {"a": Events([1, 1], [2, 2], ["dog", "cat"]), "b": Events()},
    ),
    ("x.json", json.dumps(studio(FRAMES, "timelinelabels", fps=25)), {**DOG, "b": Events()}),
    ("x.json", json.dumps(studio({"choices": ["x"]}, "choices")), {"a": Events(), "b": Events()}),
    (
        "x.json",
        json.dumps({"labels": {"a": [{"label": "dog", "timestamps": [1, 2], "attributes": {}}], "b": None}}),
        {**DOG, "b": Events()},
    ),
    (
        "x.json",
        '{"database": {"a": {"duration": 9, "subset": "t", "annotations": []}}, "labels": []}',
        {"a": Events()},
    ),
    ("A.EVENTS.JSON", '{"results": {"a": []}}', {"a": Events()}),
]


@pytest.mark.parametrize(("name", "text", "events"), READ, ids=range(len(READ)))
def test_what_others_write_is_read(tmp_path: Path, name: str, text: str, events: dict[str, Events]) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert read_events(tmp_path / name) == events


@pytest.mark.parametrize(
    "text",
    [
        "Marker Name\tDescription\tIn\tOut\tDuration\tMarker Type\n"
        "dog\t\t00:00:01:00\t00:00:01:24\t00:00:01:00\tComment\n",  # Premiere: the last frame belongs to it
        "start_frame,end_frame,label\n25,50,dog\n",
    ],
)
def test_timecodes_take_a_rate(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    event = read_events(path, choices=Choices(fps=25))["a"][0]
    assert (event.start_s, event.label) == (1.0, "dog") and 1.96 <= event.end_s <= 2.0
    with pytest.raises(FormatError, match=r"counts frames.*rate"):
        read_events(path)


def test_tiers_of_praat_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(PRAAT)
    assert read_events(path, choices=Choices(tiers=("bells",)))["a"].labels == ("bell",)
    with pytest.raises(FormatError, match="no tier is called 'x'; there are: animals, bells"):
        read_events(path, choices=Choices(tiers=("x",)))


def test_frames_take_a_rate(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    rows = {"classes": ["cat", "dog"], "labels": {"a": [{"label": 1, "support": [26, 50], "confidence": 0.5}]}}
    for content, score in ((rows, 0.5), (studio(FRAMES, "timelinelabels"), 1.0)):
        path.write_text(json.dumps(content))
        assert read_events(path, choices=Choices(fps=25))["a"] == Events([1], [2], ["dog"], [score])
        with pytest.raises(FormatError, match=r"holds frames, not seconds; say how many a second has"):
            read_events(path)


def test_lengths_are_read_where_detection_wrote_them(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"results": {"a": []}, "external_data": {"duration": 12.5}}')
    assert read_truth(tmp_path / "a.json")["a"].duration_s == 12.5
    (tmp_path / "a.json").write_text('{"results": {"a": [], "b": []}, "external_data": {"duration": 12.5}}')
    assert read_truth(tmp_path / "a.json")["a"].duration_s == float("inf")


def test_a_folder_of_labels_is_read_as_one(tmp_path: Path) -> None:
    for name in ("a", "deep/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_events(tmp_path / f"{name}.txt", {"x": Events([1], [2], [name])})
    assert read_events(tmp_path) == {"a": Events([1], [2], ["a"]), "deep/b": Events([1], [2], ["deep/b"])}
    write_events(tmp_path / "a.srt", {"x": Events()})
    with pytest.raises(FormatError, match=r"video 'a' stands in .*a\.srt and in .*a\.txt; keep one"):
        read_events(tmp_path)
    assert list(read_events(tmp_path, "srt")) == ["a"]
    with pytest.raises(FormatError, match=r"holds no file that ends in \.eaf"):
        read_events(tmp_path, "elan")


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
FETCH = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
HEAD_DCASE = "filename\tonset\toffset\tevent_label\n"
BAD: list[tuple[str, str, str]] = [
    ("a.txt", "1\t2\tdog\n3\tfour\tdog\n", r"a\.txt, line 2 is 'four'; a number of seconds"),
    ("a.txt", "1\t2\tdog\n2\t1\tdog\n", r"line 2: the event ends at 1 s, before its start at 2 s"),
    ("a.txt", "1\t2\t\n", r"line 1: the event has no label"),
    ("a.txt", "1\t2\tdog\n1\t2\n", r"line 2: has 2 fields divided by tabs"),
    ("a.txt", "1\tnan\tdog\n", r"line 1 is 'nan'"),
    (
        "a.txt",
        "hello\n",
        r"is of no known format with the ending \.txt \(audacity, raven\); turn it into one by avloc convert --from",
    ),
    ("a.selections.txt", "Selection\tBegin Time (s)\tEnd Time (s)\n", "one of annotation, species"),
    ("a.selections.txt", RAVEN + "3\tx\n", r"line 5: has 2 fields divided by tabs, and the first line 10"),
    (
        "r.txt",
        RAVEN.replace("File Offset (s)", "Other"),
        r"line 2: the table spans several files; add .* File Offset",
    ),
    ("a.vtt", "1\n00:01.000 --> 00:02.000\ndog\n", "line 1: a WebVTT file begins with WEBVTT"),
    ("a.vtt", "WEBVTT\n\n00:01.000 -> 00:02.000\ndog\n", r"line 3: '00:01.000 -> 00:02.000' begins no cue"),
    ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n\n", "line 3: the event has no label"),
    ("a.srt", "1\n00:00:03,000 --> 00:00:02,000\ndog\n", "line 1: the event ends at 2 s"),
    ("a.srt", "1\n00:61:03,000 --> 00:70:02,000\ndog\n", "line 1: '1' begins no cue"),
    (
        "a.eaf",
        EAF.replace('"milliseconds"', '"seconds"'),
        "counts time in 'seconds'; one of milliseconds, PAL-frames",
    ),
    ("a.eaf", EAF.replace('"2500"', '"soon"'), "time slot t3 is 'soon'"),
    ("a.eaf", "<ANNOTATION_DOCUMENT>", r"a\.eaf is not XML"),
    ("a.eaf", "<x/>", "begins with 'x', not ANNOTATION_DOCUMENT"),
    ("a.eaf", f"{BOMB}<x>&b;</x>", "declares a document type"),
    ("a.eaf", f"{FETCH}<x>&a;</x>", "declares a document type"),
    ("b.csv", BORIS.replace("STOP", "START"), "line 4: 'dog' starts again before it stops"),
    ("b.csv", BORIS.replace("START", "STOP"), "line 2: 'dog' stops and did not start"),
    ("b.csv", BORIS.rsplit("o1", 1)[0], "line 2: 'dog' starts and never stops"),
    ("a.TextGrid", PRAAT[:-22], "ends where a text in quotes is needed; is the TextGrid whole"),
    ("a.TextGrid", PRAAT.replace('"TextGrid"', '"Sound"'), "is no TextGrid in text"),
    ("a.TextGrid", PRAAT.replace("xmin = 1", 'xmin = "x"'), "line 16: '\"x\"' stands where a number is needed"),
    ("x.rttm", "SPEAKER a 1 1.0 1.0 <NA> <NA> dog\n", "line 1: is 'SPEAKER a"),
    ("x.rttm", "SPEAKER a 1 1.0 -1.0 <NA> <NA> dog <NA> <NA>\n", "line 1: the event ends at 0 s"),
    ("x.rttm", "SPEAKER a 1 1.0 1.0 <NA> <NA> <NA> <NA> <NA>\n", "line 1: the event has no name in field 8"),
    ("x.tsv", HEAD_DCASE + "a\t1\t2\n", "line 2: has 3 fields, and the first line 4"),
    ("x.tsv", HEAD_DCASE + "\t1\t2\tdog\n", 'line 2: names no file in the column "filename"'),
    ("x.tsv", HEAD_DCASE + 'a\t1\t2\t"dog\n', "line 2 is no line of a table"),
    ("x.tsv", "a\tb\n", r"of no known format with the ending \.tsv"),
    ("x.json", json.dumps(via(view={})), "metadata '1_x': belongs to view '1', which is not there"),
    ("x.json", json.dumps(via(view={"1": {"fid_list": ["7"]}})), "view '1': names no file that is there"),
    (
        "x.json",
        json.dumps(via(metadata={"1_x": {"vid": "1", "z": [1, 2], "av": {}}})),
        "metadata '1_x': the segment has no label",
    ),
    (
        "x.json",
        json.dumps(studio({"start": 1, "labels": ["x"]}, "labels")),
        r'task 0, annotations 0, region 0 has no "end"',
    ),
    ("x.json", json.dumps(studio({"start": 1, "end": "2", "labels": ["x"]}, "labels")), "region 0 is the text '2'"),
    ("x.json", '[{"data": {"image": "a.png"}}]', 'task 0: "data" names no media file'),
    (
        "x.json",
        '{"classes": ["dog"], "labels": {"a": [{"label": 1, "timestamps": [1, 2]}]}}',
        'entry 0, "label" is 1',
    ),
    ("x.json", '{"labels": {"a": [{"label": "dog", "timestamps": [1]}]}}', '"timestamps" has 1 numbers'),
    ("x.json", '{"a": 1}', r"of no known format with the ending \.json"),
    ("x.json", "[" * 100_000, "nested too deeply"),
    ("x.json", "[", r"x\.json is not JSON"),
    ("x.csv", "", r"x\.csv: is empty; the columns video,start,end,label are needed"),
    ("x.csv", "a,b\n", r"x\.csv: its first line is 'a,b'; the columns video,start,end,label are needed"),
    ("x.foo", "", r"its ending is of no known format \(\.events\.json, .*\.rttm, .*\); rename it, or name"),
]


@pytest.mark.parametrize(("name", "text", "said"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_one_line_with_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    with pytest.raises(FormatError) as caught:
        read_truth(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert re.search(said, str(caught.value)), caught.value


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_a_document_type_is_refused_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.eaf"
    path.write_bytes(
        f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>{BOMB}<x>&b;</x>'.encode(encoding)
    )
    with pytest.raises(FormatError, match="declares a document type"):
        read_truth(path)


def test_bytes_that_are_no_text_and_missing_files_are_one_line(tmp_path: Path) -> None:
    for name in ("a.txt", "a.srt", "a.vtt", "a.csv", "a.rttm", "a.eaf", "a.json"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00\xd8binary\x00")
        with pytest.raises(FormatError, match=r"is not (text in UTF-8|JSON|XML)|no known format"):
            read_truth(tmp_path / name)
        with pytest.raises(FormatError, match="cannot be read"):
            read_truth(tmp_path / "none" / name)


def test_a_format_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.weird"
    write_events(path, DOG, "audacity")
    assert read_events(path, "audacity") == {"labels": DOG["a"]}
    with pytest.raises(FormatError, match="'audacious' is no format; the formats are activitynet, "):
        read_events(path, "audacious")
    write_events(tmp_path / "x.txt", DOG)
    assert sniff(tmp_path / "x.txt") == "audacity"
