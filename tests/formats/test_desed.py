"""DESED's tables, one of them or a folder: clips, subsets, durations, and what contradicts itself."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from avloc.datasets.annotations import read_annotations
from avloc.errors import FormatError
from avloc.formats.desed import read_desed

HEAD = "filename\tonset\toffset\tevent_label\n"
CLIP = "Y00pbt6aJV8Y_350.000_360.000.wav"


def put(root: Path, **tables: str) -> Path:
    for name, text in tables.items():
        path = root / f"{name.replace('__', '/')}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def metadata(tmp_path: Path) -> Path:
    return put(
        tmp_path / "metadata",
        validation__validation=f"{HEAD}{CLIP}\t0.0\t9.971\tVacuum_cleaner\nYquiet_0.000_10.000.wav\t\t\t\n",
        validation__test_dcase2018=f"{HEAD}{CLIP}\t0.0\t9.971\tVacuum_cleaner\n",
        validation__validation_durations=f"filename\tduration\n{CLIP}\t9.5\n",
        train__weak=f"filename\tevent_labels\n{CLIP}\tVacuum_cleaner\n",
        train__unlabel_in_domain="filename\nYother_0.000_10.000.wav\n",
        train__audioset_strong=f"{HEAD}Ystrong_1.000_11.000.wav\t1.5\t2.25\tDog\n",
        train__synthetic21_train__soundscapes=f"{HEAD}17.wav\t0.5\t1.0\tDog\n17.wav\t0.25\t8.0\tSpeech\n",
        validation__synthetic21_validation__soundscapes=f"{HEAD}901.wav\t0.5\t1.0\tCat\n",
        eval__public=f"{HEAD}Ypublic.wav\t3.0\t4.0\tCat\n",
    )


def test_a_whole_folder(metadata: Path) -> None:
    clips = read_desed(metadata)
    assert {clip: truth.subset for clip, truth in clips.items()} == {
        "Ypublic": "public_eval",
        "Ystrong_1.000_11.000": "strong",
        "17": "synthetic",
        "901": "synthetic_validation",
        "Y00pbt6aJV8Y_350.000_360.000": "validation",
        "Yquiet_0.000_10.000": "validation",
    }
    clip = clips["Y00pbt6aJV8Y_350.000_360.000"]
    assert clip.duration_s == 9.5 and [e.label for e in clip.events] == ["Vacuum_cleaner"]
    assert len(clips["Yquiet_0.000_10.000"].events) == 0 and math.isinf(clips["17"].duration_s)
    annotations = read_annotations(metadata, strict=False)
    assert annotations.labels == ("Cat", "Dog", "Speech", "Vacuum_cleaner")
    assert set(annotations.split("synthetic")) == {"17"}


def test_one_table_is_one_subset(metadata: Path) -> None:
    assert {t.subset for t in read_annotations(metadata / "train/audioset_strong.tsv").videos.values()} == {"strong"}
    own = put(metadata.parent, kitchen=f"{HEAD}a.wav\t0\t1\tDog\n") / "kitchen.tsv"
    assert read_desed(own)["a"].subset == "kitchen"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"eval__500ms": f"{HEAD}17.wav\t1\t2\tDog\n"}, "clip '17' stands in .* as well"),
        ({"validation__again": f"{HEAD}{CLIP}\t0\t5\tVacuum_cleaner\n"}, "with other events or of another subset"),
        ({"validation__z_durations": "filename\tduration\na.wav\tlong\n"}, "line 2: the duration is 'long'"),
        ({"validation__late": f"{HEAD}a.wav\t5\t4\tDog\n"}, "line 2: the event ends at 4 s, before its start"),
    ],
)
def test_what_contradicts_itself_is_named(metadata: Path, more: dict[str, str], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_desed(put(metadata, **more))


def test_nothing_that_tells_times(tmp_path: Path) -> None:
    weak = put(tmp_path, weak="filename\tevent_labels\na.wav\tDog\n")
    with pytest.raises(FormatError, match="no table there has the columns filename, onset"):
        read_desed(weak)
    with pytest.raises(FormatError, match="line 1: the columns filename, onset"):
        read_desed(weak / "weak.tsv")
    with pytest.raises(FormatError, match="cannot be read"):
        read_desed(tmp_path / "none.tsv")
