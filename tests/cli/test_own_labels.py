"""Own labels to own model, by the commands that a person types: six composed videos of 4 s."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from avloc.cli.main import main
from avloc.compose.compose_config import ComposeConfig
from avloc.compose.library import MediaLibrary
from avloc.compose.planner import plan
from avloc.compose.render import compose_video
from avloc.compose.scene import truth
from avloc.config import FeatureConfig, LocoConfig, ModelConfig
from avloc.formats.activitynet import read_results
from avloc.models.loco.network import Loco
from avloc.training.checkpoint import save_model
from avloc.training.fit import fit
from avloc.zoo import read_config, read_figures

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
    return MediaLibrary(
        {c: library.pictures[c] for c in CLASSES},
        {c: library.sounds[c] for c in CLASSES},
        library.backgrounds,
        library.ambient,
    )


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
    figures = read_figures(out)
    assert figures is not None and set(figures.classes) == set(CLASSES) == set(figures.trained)
    assert "2-fold cross-validation" in figures.measured_on
    assert len(list((folder / "features").rglob("*.safetensors"))) == 6

    video = str(folder / "videos" / "north" / "rec 0.mp4")
    detect = ["detect", video, "--model", str(out), "--out", str(folder / "results"), "--all"]
    code = f"import sys\nfrom avloc.cli.main import main\nsys.exit(main({detect}) or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
    for found in (folder / "results", out / "cross-validation.json"):
        assert main(["evaluate", str(found), "--truth", str(folder / "labels.csv"), "--json"]) == 0
    assert train(folder, out) == 1
    assert "holds a training already" in capsys.readouterr().err
    assert train(folder, out, "--resume") == 0
    assert "was finished before" in capsys.readouterr().out


def test_a_stopped_training_goes_on_and_ends_as_if_it_had_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import avloc.own.train as own

    out, before, trainings = folder / "stopped", fit, []

    def stop_in_the_second(*given: Any, **settings: Any) -> Loco:
        trainings.append(torch.get_num_threads())
        if len(trainings) == 2:
            raise KeyboardInterrupt
        return before(*given, **settings)

    monkeypatch.setattr(own, "fit", stop_in_the_second)
    monkeypatch.setattr(own, "export_model", lambda folder: None)  # takes seconds, and is no part of this
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    assert train(folder, out) == 130
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert train(folder, out, "--train.seed", "1", "--resume") == 1
    assert train(folder, out, "--resume") == 0
    # One whole, one stopped, then the two that were left; each on one thread, whatever torch would take.
    assert trainings == [1, 1, 1, 1]
    for name in ("model.safetensors", "cross-validation.json"):
        whole, stopped = ((folder / run / name).read_bytes() for run in ("model", "stopped"))
        assert whole.replace(b'"model": "model"', b'"model": "stopped"') == stopped


def test_what_is_wrong_is_named_and_subsets_are_used(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import avloc.own.train as own

    for name in ("videos", "features", "start"):
        shutil.copytree(folder / name, tmp_path / name)
    (tmp_path / "videos" / "south" / "rec 5.mp4").write_bytes(b"no video")
    shutil.copy(tmp_path / "videos" / "north" / "rec 0.mp4", tmp_path / "videos" / "extra.mp4")
    parts = ("train", "train", "validation", "train", "test", "train")
    head, *rows = (folder / "labels.csv").read_text().splitlines()
    rows = [f"{row},{parts[int(row[4])]}" for row in rows]  # rec N.mp4,...
    rows += ["lost.mp4,0,1,buzzer,train", "north/rec 3,0,1,owl,train", "rec 1.mp4,3,9,owl,train"]
    (tmp_path / "labels.csv").write_text("\n".join([f"{head},subset", *rows]) + "\n")

    given = ["check-data", "own", "--annotations", str(tmp_path / "labels.csv"), "--videos", str(tmp_path / "videos")]
    assert main(given) == 1
    shown = capsys.readouterr().out
    for part in ("lost.mp4", "rec 5.mp4", "ends after the video", "extra.mp4", "fewer than 3 events", "owl", "hours"):
        assert part in shown
    assert main([*given, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert {p["kind"]: p["video"] for p in report["problems"]} == {
        "names": "rec 3.mp4", "files": "rec 5.mp4", "annotations": "rec 1.mp4"
    }  # fmt: skip
    assert report["unlabelled"] == ["extra.mp4"] and report["subsets"] == {"train": 2, "validation": 1, "test": 1}

    out = tmp_path / "model"
    assert train(tmp_path, out) == 1
    assert "--skip-bad" in capsys.readouterr().err and not (out / "own.json").exists()
    monkeypatch.setattr(own, "export_model", lambda folder: None)
    assert train(tmp_path, out, "--skip-bad", "--from-scratch") == 0
    shown = capsys.readouterr().out
    for part in ("left out or cut", "training 1 of 1", "validation videos: mAP", "test videos: mAP"):
        assert part in shown
    assert set(read_results(out / "cross-validation.json")) == {"rec 2.mp4"}
    assert read_config(out).labels == ("buzzer", "owl", "whistle")
