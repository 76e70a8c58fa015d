"""Annotations in the forms of released data sets, by hand, and `avloc check-data` on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.datasets.annotations import read_annotations
from avloc.datasets.feature_dataset import FeatureDataset
from avloc.errors import FormatError
from avloc.features.layout import ONEPEACE_ACTIVITYNET
from avloc.features.npy import write_npy
from avloc.timegrid import TimeGrid

ACTIVITYNET: dict[str, Any] = {
    "version": "VERSION 1.3",
    "taxonomy": [{"parentName": "Root", "nodeName": "Drinking coffee", "nodeId": 1, "parentId": 0}],
    "database": {
        "QOlSCBRmfWY": {
            "duration": 20.0,
            "subset": "training",
            "resolution": "426x240",
            "url": "https://example.org/QOlSCBRmfWY",
            "annotations": [
                {"segment": [1.5, 12.25], "label": "Ballet"},
                {"segment": [18.0, 21.6], "label": "Drinking coffee"},
            ],
        },
        "--0edUL8zmA": {
            "duration": 30.0,
            "subset": "validation",
            "annotations": [{"segment": [4.0, 4.0], "label": "Ballet"}, {"segment": [0.5, 29.0], "label": "Ballet"}],
        },
        "-zzz": {"duration": 12.0, "subset": "testing", "annotations": []},
    },
}
THUMOS: dict[str, Any] = {
    "version": "Thumos14-30fps",
    "database": {
        f"video_{subset.lower()}_000000{i}": {
            "subset": subset,
            "duration": 8.0,
            "fps": 30.0,
            "annotations": [
                {"label": label, "segment": [1.0, 2.5], "segment(frames)": [30.0, 75.0], "label_id": number}
                for label, number in (("CliffDiving", 4), ("Diving", 7))
            ],
        }
        for i, subset in enumerate(["Validation", "Test"])
    },
}


@pytest.fixture
def activitynet(tmp_path: Path) -> Path:
    (tmp_path / "anet.json").write_text(json.dumps(ACTIVITYNET))
    for video, entry in ACTIVITYNET["database"].items():
        steps = int((entry["duration"] - 1) / 0.5) + 1
        for ending in ("_one_peace_video_finetune.npy", "_one_peace_audio.npy"):
            write_npy(tmp_path / f"v_{video}{ending}", np.ones((steps, 64)))
    (tmp_path / "simulation.json").write_text(
        json.dumps(
            {
                "layout": "onepeace-activitynet",
                "widths": {"_one_peace_video_finetune.npy": 64, "_one_peace_audio.npy": 64},
            }
        )
    )
    return tmp_path


def test_what_was_released_as_it_is_can_be_forgiven(activitynet: Path) -> None:
    path = activitynet / "anet.json"
    with pytest.raises(FormatError, match="the event ends after the video"):
        read_annotations(path)
    annotations = read_annotations(path, forgiving=True)
    assert annotations.labels == ("Ballet", "Drinking coffee")
    assert annotations.subsets == ("training", "validation", "testing")
    beyond = {"database": {"a": {**ACTIVITYNET["database"]["-zzz"], "annotations": [
        {"segment": [40.0, 41.0], "label": "Ballet"}]}}}  # fmt: skip
    path.write_text(json.dumps(beyond))
    with pytest.raises(FormatError, match="the event ends after the video, which has 12 s"):
        read_annotations(path, forgiving=True)


def test_check_data_of_activitynet(activitynet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--features", str(activitynet), "--annotations", str(activitynet / "anet.json")]
    assert main(["check-data", "activitynet", *given]) == 0
    shown = capsys.readouterr().out
    assert "layout onepeace-activitynet" in shown and "a step every 0.5 s" in shown
    assert "2 events past the end of a video, or of no length: left as released" in shown
    assert main(["check-data", "own", *given, "--split", "training", "--layout", "onepeace-activitynet"]) == 1
    assert "the event ends after the video" in capsys.readouterr().out


def test_features_stretched_to_a_length(activitynet: Path) -> None:
    annotations = read_annotations(activitynet / "anet.json", forgiving=True)
    layout = ONEPEACE_ACTIVITYNET.narrowed(64)
    data = FeatureDataset(annotations, activitynet, layout, "training", resize_steps=32, cache=True)
    assert data.lengths.tolist() == [32] and len(data.sample(0).visual) == 32
    grid = data.load(0).features.grid
    # 39 windows of 1 s every 0.5 s cover 20 s.
    assert grid == TimeGrid(20 / 32, 20 / 32)
    np.testing.assert_allclose(data.sample(0).segments[0], [1.5 * 1.6 - 0.5, 12.25 * 1.6 - 0.5], rtol=1e-6)


def test_check_data_of_thumos14(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "thumos14.json"
    path.write_text(json.dumps(THUMOS))
    for video in THUMOS["database"]:
        write_npy(tmp_path / f"{video}.npy", np.ones((57, 2048)))
    given = ["--features", str(tmp_path), "--annotations", str(path)]
    assert main(["check-data", "thumos14", *given]) == 0
    shown = capsys.readouterr().out
    assert "width 2048 seen, 0 heard" in shown and "Validation" in shown and "Test" in shown
    assert read_annotations(path).labels == ("CliffDiving", "Diving")


def test_check_data_of_desed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metadata = tmp_path / "metadata" / "validation"
    metadata.mkdir(parents=True)
    (metadata / "validation.tsv").write_text("filename\tonset\toffset\tevent_label\nYa.wav\t0.5\t9.5\tDog\n")
    for ending in ("_one_peace_video_finetune.npy", "_one_peace_audio.npy"):
        write_npy(tmp_path / f"Ya{ending}", np.ones((37, 1536)))
    given = ["--features", str(tmp_path), "--annotations", str(metadata.parent)]
    assert main(["check-data", "desed", *given]) == 0
    assert "layout onepeace:" in capsys.readouterr().out
    assert main(["check-data", "desed", *given, "--split", "public_eval"]) == 1
    assert "no video is of subset 'public_eval'" in capsys.readouterr().out


def test_training_on_thumos14(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "thumos14.json"
    path.write_text(json.dumps(THUMOS))
    rng = np.random.default_rng(0)
    for video in THUMOS["database"]:
        write_npy(tmp_path / f"{video}.npy", rng.normal(size=(57, 2048)))
    small = ["--network.width", "16", "--network.head-width", "16", "--network.steps", "64", "--network.levels", "3"]
    small += ["--network.windows", "9", "9", "9", "--train.epochs", "1", "--train.warmup-epochs", "0"]
    small += ["--train.longest-steps", "64", "--data.features", str(tmp_path), "--data.annotations", str(path)]
    out = tmp_path / "run"
    assert main(["train", "actionformer-thumos14", *small, "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["test", str(out), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["split"] == "Test" and list(scores["mAP"]) == ["0.3", "0.4", "0.5", "0.6", "0.7"]
    assert json.loads((out / "Test.predictions.json").read_text())["results"].keys() == {"video_test_0000001"}
