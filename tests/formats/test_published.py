"""Data sets as they were published, in small files written by hand after the originals: clips, subsets, classes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from avloc.cli.against import read_goal
from avloc.datasets.annotations import odd_entries, read_annotations
from avloc.errors import FormatError
from avloc.events import Event
from avloc.formats.published import published_form

AVE = {
    "Annotations.txt": "Category&VideoID&Quality&StartTime&EndTime\nChurch bell&RUhOCu3LNXM&good&0&10\n",
    "trainSet.txt": "Church bell&RUhOCu3LNXM&good&0&10\nMale speech, man speaking&0giAfYq9oVM&good&3&9\n"
    "Bark&both&good&0&2\n",
    "valSet.txt": "Bark&3jS8tWfLJxI&good&7&9\nChurch bell&VWi2ENBuTbw&good&0&0\n",
    "testSet.txt": "Bark&both&good&4&6\nChurch bell&both&good&5&10\n",
}
LLP = {
    "AVVP_eval_audio.csv": "filename\tonset\toffset\tevent_labels\nKSRjje7GH44_60_70\t8\t10\tBlender\n"
    "KSRjje7GH44_60_70\t0\t8\tSpeech\nCSWQ_HzQ_10_20\t9\t9\tBasketball_bounce\n",
    "AVVP_eval_visual.csv": "filename\tonset\toffset\tevent_labels\nKSRjje7GH44_60_70\t0\t10\tBlender\n"
    "EWG-FzjkTr4_40_50\t0\t10\tFrying_(food)\n",
    "AVVP_train.csv": "filename\tevent_labels\nsWbNqSaDhC4_30_40\tSpeech,Frying_(food)\n",
    "AVVP_val_pd.csv": "filename\tevent_labels\nEWG-FzjkTr4_40_50\tSpeech,Frying_(food)\nquiet_0_10\tDog\n",
    "AVVP_test_pd.csv": "filename\tevent_labels\nKSRjje7GH44_60_70\tBlender,Speech\n",
}
EPIC_HEAD = "annotation_id,participant_id,video_id,start_timestamp,stop_timestamp,description,class,class_id\n"
EPIC = {
    "EPIC_Sounds_train.csv": EPIC_HEAD + "P02_01_0,P02,P02_01,00:01:02.069,00:01:02.993,clang / clatter,"
    "metal-only collision,0\n",
    "EPIC_Sounds_validation.csv": EPIC_HEAD + "P01_11_1,P01,P01_11,00:00:03.065,00:00:14.447,paper rustle,rustle,4\n"
    'P01_11_2,P01,P01_11,00:03:37.066,00:05:34.037,"tap, running",water,5\n'
    "P01_14_0,P01,P01_14,00:00:00.000,00:06:06.094,background,background,13\n",
    "EPIC_Sounds_recognition_test_timestamps.csv": "annotation_id,participant_id,video_id,start_timestamp,"
    "stop_timestamp\nP01_12_0,P01,P01_12,00:00:02.459,00:00:03.459\n",
    "EPIC_100_video_info.csv": "video_id,duration,fps,resolution\nP01_11,560.5,50.0,1920x1080\n",
}
OV_AVE = {
    "ovavel_dataset_anno.json": '{\n    "obJc174wQtg": {\n        "category": "playing piano",\n'
    '        "label": "[1, 1, 0, 0, 1, 0, 0, 0, 0, 1]"\n    },\n'
    '    "ltcDFeaJkNs": {"category": "people booing", "label": "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]"}\n}\n',
    "ovave_dataset_meta.csv": "split,category,cls_type,vid_name\ntest,playing piano,open,obJc174wQtg\n"
    "train,people booing,close,ltcDFeaJkNs\n",
}


def put(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_ave(tmp_path: Path) -> None:
    folder = put(tmp_path / "AVE_Dataset", AVE)
    assert published_form(folder) == published_form(folder / "trainSet.txt") == "ave"
    read = read_annotations(folder, forgiving=True)
    assert read.labels == ("Bark", "Church bell", "Male speech, man speaking")
    assert {video: truth.subset for video, truth in read.videos.items()} == {
        "RUhOCu3LNXM": "train", "0giAfYq9oVM": "train", "both": "test", "3jS8tWfLJxI": "val", "VWi2ENBuTbw": "val",
    }  # fmt: skip
    assert list(read.videos["0giAfYq9oVM"].events) == [Event(3, 9, "Male speech, man speaking")]
    assert list(read.videos["both"].events) == [Event(4, 6, "Bark"), Event(5, 10, "Church bell")]
    assert {truth.duration_s for truth in read.videos.values()} == {10.0}
    [odd] = odd_entries(read)
    assert odd.video == "VWi2ENBuTbw" and odd.harmless and odd.event == 0
    alone = read_annotations(folder / "Annotations.txt")
    assert set(alone.split("train")) == {"RUhOCu3LNXM"}  # the line of names is none
    assert set(read_annotations(folder / "testSet.txt").split("test")) == {"both"}


def test_llp(tmp_path: Path) -> None:
    folder = put(tmp_path / "data", LLP)
    assert published_form(folder) == "llp"
    read = read_annotations(folder, forgiving=True)
    test = read.split("test")["KSRjje7GH44_60_70"]
    assert list(test.events) == [
        Event(8, 10, "Blender (audio)"), Event(0, 8, "Speech (audio)"), Event(0, 10, "Blender (visual)"),
    ]  # fmt: skip
    weak = read.split("train")["sWbNqSaDhC4_30_40"].events
    assert [e.label for e in weak] == [
        "Speech (audio)", "Speech (visual)", "Frying_(food) (audio)", "Frying_(food) (visual)",
    ]  # fmt: skip
    assert {(e.start_s, e.end_s) for e in weak} == {(0.0, 10.0)}
    assert set(read.split("val")) == {"EWG-FzjkTr4_40_50", "quiet_0_10"} and not len(
        read.split("val")["quiet_0_10"].events
    )
    assert set(read.split("unlisted")) == {"CSWQ_HzQ_10_20"}
    heard = read_annotations(folder / "AVVP_eval_audio.csv", forgiving=True)
    assert set(heard.labels) == {"Blender (audio)", "Speech (audio)", "Basketball_bounce (audio)"}


def test_one_table_of_modalities(tmp_path: Path) -> None:
    """The form of one's own: any table of events with a column modality; JSON with a field of that name."""
    (tmp_path / "llp.csv").write_text(
        "filename\tonset\toffset\tevent_labels\tmodality\na\t0\t4\tSpeech\tA\na\t2\t6\tSpeech\tvisual\na\t0\t1\tDog\tAV\n"
    )
    goal = read_goal(tmp_path / "llp.csv")
    assert goal.truth["a"].labels == ("Speech (audio)", "Speech (visual)", "Dog (audio-visual)")
    (tmp_path / "own.json").write_text(
        '{"database": {"a": {"duration": 10, "subset": "test", "annotations": '
        '[{"segment": [0, 4], "label": "Speech", "modality": "A"}]}}}'
    )
    read = read_annotations(tmp_path / "own.json")
    assert read.labels == read.videos["a"].events.labels == ("Speech (audio)",)
    (tmp_path / "bad.csv").write_text("video,start,end,label,modality\na,0,4,Speech,smell\n")
    with pytest.raises(FormatError, match="line 2, modality is 'smell'; audio, visual or audio-visual"):
        read_annotations(tmp_path / "bad.csv")


def test_epic_sounds(tmp_path: Path) -> None:
    folder = put(tmp_path / "epic-sounds-annotations", EPIC)
    assert published_form(folder) == "epic-sounds"
    read = read_annotations(folder)
    assert read.labels == ("metal-only collision", "rustle", "water")  # by class_id; background is none
    assert read.subsets == ("train", "validation")
    video = read.videos["P01_11"]
    assert video.duration_s == 560.5 and math.isinf(read.videos["P02_01"].duration_s)
    assert list(video.events) == [Event(3.065, 14.447, "rustle"), Event(217.066, 334.037, "water")]
    assert not len(read.videos["P01_14"].events) and "P01_12" not in read.videos
    assert read_annotations(folder / "EPIC_Sounds_validation.csv").subsets == ("validation",)


def test_ov_ave(tmp_path: Path) -> None:
    folder = put(tmp_path / "meta_anno_files", OV_AVE)
    assert published_form(folder) == published_form(folder / "ovavel_dataset_anno.json") == "ov-ave"
    read = read_annotations(folder)
    assert read.labels == ("playing piano",) and set(read.split("train")) == {"ltcDFeaJkNs"}
    piano = read.split("test")["obJc174wQtg"]
    assert [(e.start_s, e.end_s) for e in piano.events] == [(0, 2), (4, 5), (9, 10)] and piano.duration_s == 10
    (folder / "ovave_dataset_meta.csv").unlink()
    assert read_annotations(folder / "ovavel_dataset_anno.json").subsets == ("train",)


@pytest.mark.parametrize(
    ("files", "name", "before", "after", "said"),
    [
        (AVE, "valSet.txt", "&7&9", "&7", "line 1: has 4 fields; category&video&quality&start&end"),
        (AVE, "trainSet.txt", "&3&9", "&9&3", "line 2: the event ends at 3 s, before its start"),
        (AVE, "testSet.txt", "Bark&both", "Bark&", "line 1: names no video"),
        (LLP, "AVVP_eval_audio.csv", "\t8\t10", "\teight\t10", "line 2.* is 'eight'"),
        (LLP, "AVVP_train.csv", "event_labels", "labels", "the columns filename, event_labels are needed"),
        (LLP, "AVVP_eval_visual.csv", "\tBlender", "", "line 2: has 3 fields, and the first line 4"),
        (LLP, "AVVP_eval_visual.csv", "EWG-FzjkTr4_40_50", "", 'line 3: names no clip in the column "filename"'),
        (EPIC, "EPIC_Sounds_validation.csv", "rustle,4", "rustle,four", "class_id is 'four'"),
        (EPIC, "EPIC_Sounds_train.csv", "P02_01,00", "P01_11,00", "video 'P01_11' stands in EPIC_Sounds_train.csv"),
        (EPIC, "EPIC_Sounds_validation.csv", "water,5", "rustle,5", "has the class_id 5 and, before, 4"),
        (EPIC, "EPIC_100_video_info.csv", "560.5", "long", "line 2: the duration is 'long'"),
        (OV_AVE, "ovavel_dataset_anno.json", "[1, 1", "[2, 1", "a list of 0 and 1, one a second"),
        (OV_AVE, "ovavel_dataset_anno.json", '"[1, 1', '"1, 1', "a list of 0 and 1, one a second"),
        (OV_AVE, "ovave_dataset_meta.csv", "obJc174wQtg", "other", "does not name it"),
        (OV_AVE, "ovave_dataset_meta.csv", "split,", "part,", "the column split is needed"),
    ],
)  # fmt: skip
def test_what_is_odd_is_named(
    tmp_path: Path, files: dict[str, str], name: str, before: str, after: str, said: str
) -> None:
    assert before in files[name]
    folder = put(tmp_path / "data", {**files, name: files[name].replace(before, after, 1)})
    with pytest.raises(FormatError, match=said):
        read_annotations(folder, forgiving=True)


def test_other_files_are_of_no_such_form(tmp_path: Path) -> None:
    plain = put(
        tmp_path, {"a.txt": "0.0\t1.0\tdog\n", "b.csv": "video,start,end,label\n", "c.json": '{"database": {}}'}
    )
    assert [published_form(plain / name) for name in ("a.txt", "b.csv", "c.json", "none.txt")] == [None] * 4
    assert published_form(plain) is None
