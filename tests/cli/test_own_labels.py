"""Own labels to own model, by the commands that a person types: six composed videos of 4 s."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from avloc.cli.main import main
from avloc.config import FeatureConfig, LocoConfig, ModelConfig
from avloc.formats.activitynet import read_results
from avloc.media.compose import ComposeConfig, MediaLibrary, compose_video, plan, truth
from avloc.models.loco import Loco
from avloc.training.checkpoint import save_model
from avloc.zoo import read_config

CLASSES = ("buzzer", "whistle")
SCENES = ComposeConfig(
    duration_s=(4.0, 4.0), size=(96, 64), fps=5.0, events=(1, 1), event_s=(1.5, 2.5), silent_objects=(0, 0),
    offscreen_sounds=(0, 0), interrupted=0, full_frame=0,
)  # fmt: skip
QUICK = ("--steps", "2", "--train.epochs", "1", "--train.warmup-epochs", "0", "--train.batch", "4", "--folds", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """videos/ with two sub folders, labels.csv, and the tiny network start/ of other classes."""
    folder = tmp_path_factory.mktemp("own")
    library = MediaLibrary.procedural("train")
    library = replace_classes(library)
    rows = ["video,start,end,label"]
    for i in range(6):
        place = folder / "videos" / ("north" if i < 3 else "south") / f"rec {i}.mp4"
        place.parent.mkdir(parents=True, exist_ok=True)
        scene = plan(library, SCENES, np.random.default_rng(i))
        compose_video(place, scene)
        rows += [f"{place.name},{e.start_s:.2f},{e.end_s:.2f},{e.label}" for e in truth(scene)]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    network = LocoConfig(
        classes=3, visual_width=2280, audio_width=1545, width=16, heads=2, ffn_ratio=1.0, unimodal_blocks=1, levels=3
    )
    torch.manual_seed(0)
    save_model(
        folder / "start",
        Loco(network),
        ModelConfig("start", ("dog", "whistle", "car"), FeatureConfig(), network, window_steps=32),
    )
    return folder


def replace_classes(library: MediaLibrary) -> MediaLibrary:
    pictures, sounds = ({c: media[c] for c in CLASSES} for media in (library.pictures, library.sounds))
    return MediaLibrary(pictures, sounds, library.backgrounds, library.ambient)


def train(folder: Path, out: Path, *more: str, labels: str = "labels.csv") -> int:
    data = ("--data.annotations", str(folder / labels), "--data.videos", str(folder / "videos"))
    features = ("--data.features", str(folder / "features"))  # shared: they are made once
    return main(
        ["train", "default", *data, *features, "--start", str(folder / "start"), "--out", str(out), *QUICK, *more]
    )


def test_labels_to_model_to_events(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "model"
    assert train(folder, out) == 0
    shown = capsys.readouterr().out
    assert "training 3 of 3" in shown and "2-fold cross-validation: mAP" in shown and "±" in shown
    config = read_config(out)
    assert config.labels == CLASSES and config.network.classes == 2 and config.name == "model"
    record = json.loads((out / "own.json").read_text())
    assert record["figures"]["videos"] == 6 and record["show_score"] == config.show_score
    assert set(read_results(out / "cross-validation.json")) == {f"rec {i}.mp4" for i in range(6)}
    assert "| buzzer |" in (out / "README.md").read_text() and not (out / "trainer").exists()
    assert len(list((folder / "features").rglob("*.safetensors"))) == 6

    video = str(folder / "videos" / "north" / "rec 0.mp4")
    detect = ["detect", video, "--model", str(out), "--out", str(folder / "results"), "--all"]
    code = f"import sys; sys.modules['torch'] = None\nfrom avloc.cli.main import main\nsys.exit(main({detect}))"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
    for found in (folder / "results", out / "cross-validation.json"):
        assert main(["evaluate", str(found), "--truth", str(folder / "labels.csv"), "--json"]) == 0
    assert train(folder, out) == 1
    assert "holds a training already" in capsys.readouterr().err
    assert train(folder, out, "--resume") == 0
    assert "was finished before" in capsys.readouterr().out


def test_a_stopped_training_goes_on_and_ends_as_if_it_had_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import avloc.own.train as own

    whole, stopped = folder / "whole", folder / "stopped"
    assert train(folder, whole, "--train.epochs", "2") == 0
    before, trainings = own.fit, []

    def stop_in_the_second(*given: object, **settings: object) -> Loco:
        trainings.append(1)
        if len(trainings) == 2:
            raise KeyboardInterrupt
        return before(*given, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(own, "fit", stop_in_the_second)
    assert train(folder, stopped, "--train.epochs", "2") == 130
    assert train(folder, stopped, "--train.epochs", "2", "--train.seed", "1", "--resume") == 1
    assert train(folder, stopped, "--train.epochs", "2", "--resume") == 0
    assert len(trainings) == 4  # one whole, one stopped, then the two that were left
    for name in ("model.safetensors", "cross-validation.json"):
        one, other = ((run / name).read_bytes() for run in (whole, stopped))
        assert one.replace(b'"whole"', b'"stopped"') == other


def test_subsets_are_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = (folder / "labels.csv").read_text().splitlines()
    subset = {f"rec {i}.mp4": ("train", "train", "validation", "train", "test", "train")[i] for i in range(6)}
    table = [rows[0] + ",subset", *(f"{row},{subset[row.split(',')[0]]}" for row in rows[1:])]
    (folder / "subsets.csv").write_text("\n".join(table) + "\n")
    assert train(folder, folder / "by_subset", "--from-scratch", labels="subsets.csv") == 0
    shown = capsys.readouterr().out
    assert "training 1 of 1" in shown and "validation videos: mAP" in shown and "test videos: mAP" in shown
    assert set(read_results(folder / "by_subset" / "cross-validation.json")) == {"rec 2.mp4"}


def test_what_is_wrong_is_named_before_training(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "videos", tmp_path / "videos")
    shutil.copytree(folder / "features", tmp_path / "features", dirs_exist_ok=True)
    shutil.copytree(folder / "start", tmp_path / "start")
    (tmp_path / "videos" / "south" / "rec 5.mp4").write_bytes(b"no video")
    shutil.copy(tmp_path / "videos" / "north" / "rec 0.mp4", tmp_path / "videos" / "extra.mp4")
    bad = "lost.mp4,0,1,buzzer\nnorth/rec 1,3,9,owl\n"
    (tmp_path / "labels.csv").write_text((folder / "labels.csv").read_text().replace("rec 1.mp4", "rec 2") + bad)
    given = ["check-data", "own", "--annotations", str(tmp_path / "labels.csv"), "--videos", str(tmp_path / "videos")]
    assert main(given) == 1
    shown = capsys.readouterr().out
    for part in ("lost.mp4", "rec 5.mp4", "ends after the video", "extra.mp4", "fewer than 3 events", "owl", "hours"):
        assert part in shown
    assert main([*given, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    kinds = [problem["kind"] for problem in report["problems"]]
    assert kinds == ["names", "names", "files", "annotations"] and report["unlabelled"] == ["extra.mp4"]

    assert train(tmp_path, tmp_path / "model") == 1
    assert "--skip-bad" in capsys.readouterr().err and not (tmp_path / "model" / "own.json").exists()
    assert train(tmp_path, tmp_path / "model", "--skip-bad", "--folds", "0") == 0
    shown = capsys.readouterr().out
    assert "left out or cut" in shown and "mAP" not in shown
    assert "Not measured" in (tmp_path / "model" / "README.md").read_text()
