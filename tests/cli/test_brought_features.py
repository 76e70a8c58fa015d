"""Weights, features, a model and its detections, by the commands that a user types; on narrow networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from narrow_weights import add_narrow, networks, official_state, save_checkpoint
from safetensors.numpy import load_file

from avloc import zoo
from avloc.cli.main import main
from avloc.features.layout import ONEPEACE, open_layout, read_layout
from avloc.features.store import load_features
from avloc.formats.activitynet import read_external, read_results
from avloc.media.writer import write_video

SCENE = ["--scene.duration-s", "3", "4", "--scene.size", "64", "48", "--scene.fps", "8", "--scene.event-s", "1", "2"]
USED = ("onepeace-video", "onepeace-audio")
SMALL = ["--workers", "1", "--threads", "1"]
# Exporting takes most of the time: little of a network will do.
NETWORK = ["--network.width=16", "--network.heads=2", "--network.levels=1", "--network.attention.kind=none"]
TINY = [*NETWORK, "--train.longest-steps=32", "--train.epochs=1", "--train.warmup-epochs=0"]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(list(arguments))
    told = capsys.readouterr()
    return status, told.out, told.err


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("composed")
    counts = ["--videos", "4", "--validation", "2", "--test", "1"]
    assert main(["compose", "--out", str(folder), *counts, "--workers", "1", *SCENE]) == 0
    return folder


def test_from_weights_to_events(
    composed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, feats, run = tmp_path / "weights", tmp_path / "feats", tmp_path / "run"
    for kind in USED:
        file = save_checkpoint(kind, tmp_path / f"{kind}.pt")
        status, out, _ = said(capsys, "weights", "add", kind, str(file), "--weights", str(weights), "--any-size")
        assert status == 0 and "not of the published sizes" in out and "please cite Wang et al." in out
    monkeypatch.setenv("AVLOC_WEIGHTS", str(weights))
    status, out, _ = said(capsys, "weights", "list")
    assert status == 0 and "--features onepeace: ready" in out and "--features vggish: lacks vggish" in out

    new = next(composed.glob("test_*.mp4"))
    assert main(["extract", str(composed), "--features", "onepeace", "--out", str(feats), *SMALL]) == 0
    one = load_features(feats / f"{new.stem}.features.safetensors")
    assert one.visual.shape == one.audio.shape == (ONEPEACE.grid.length(one.duration_s), 16)
    data = ["--data.features", str(feats), "--data.annotations", str(composed / "annotations.json")]
    assert main(["train", "loco-small", *data, "--data.layout", "avloc", "--out", str(run), *TINY]) == 0
    assert main(["export", str(run)]) == 0
    config = zoo.read_config(run)
    assert config.features.streams.visual == one.streams.visual and not config.features.scores

    capsys.readouterr()
    detect = ["detect", str(new), "--model", str(run), "--out", str(tmp_path / "events"), "--all", "--threads", "1"]
    status, out, err = said(capsys, *detect)
    assert status == 0 and not err and "note" not in out
    (events,) = read_results(tmp_path / "events" / f"{new.stem}.events.json").values()
    assert len(events) and events.end_s.max() <= one.duration_s + 1e-6

    by = ["detect", str(new), "--model", str(run), "--out", str(tmp_path), "--weights"]
    status, _, err = said(capsys, *by, str(add_narrow(tmp_path / "other", seed=1, kinds=USED)))
    assert status == 1 and "add those by which the features were made" in err and err.count("\n") == 1
    status, _, err = said(capsys, *by, str(tmp_path / "none"))
    assert status == 1 and "onepeace_video_k400.pth of OFA-Sys/ONE-PEACE" in err and err.count("\n") == 1

    about = json.loads((run / "config.json").read_text())
    about["features"]["streams"] = {"visual": "onepeace", "audio": "onepeace"}
    (run / "config.json").write_text(json.dumps(about))
    status, out, _ = said(capsys, *detect)
    assert status == 0 and "note:   the model learnt from features in the released layout onepeace" in out
    assert "released layout" in str(read_external(tmp_path / "events" / f"{new.stem}.events.json")["notes"])


def test_the_released_layout(composed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights, feats = add_narrow(tmp_path / "weights", 1536, kinds=USED), tmp_path / "feats"
    short = write_video(tmp_path / "short.mp4", [np.zeros((48, 64, 3), np.uint8)] * 4, 8, np.zeros(8000, np.float32))
    videos = [*sorted(composed.glob("train_*.mp4"))[:2], short]
    arguments = ["extract", *map(str, videos), "--out", str(feats)]
    arguments += ["--features", "onepeace", "--layout", "released", "--weights", str(weights), *SMALL]
    status, _, err = said(capsys, *arguments)
    assert status == 1 and "less than a window of 1 s, for which released features have no row" in err
    layout = open_layout(feats, "onepeace")
    for video in ("train_00000", "train_00001"):
        record = json.loads((feats / f"{video}.features.json").read_text())
        found = read_layout(feats, video, layout)
        assert len(found) == record["steps"] == int((round(record["duration_s"] * 16) - 16) // 4 + 1)
        assert np.load(feats / f"{video}_one_peace_audio.npy").dtype == np.float32
    before = {path: path.stat().st_mtime_ns for path in feats.glob("train_00001*")}
    (feats / "train_00000_one_peace_audio.npy").write_bytes(b"damaged")
    _, out, _ = said(capsys, *arguments)
    assert "1 done already; 1 to do" in out and len(read_layout(feats, "train_00000", layout))
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--features", "vggish", "--layout", "released"), "vggish on steps of 0.96 s has no released layout"),
        (("--features", "onepeace", "--stride-s", "0.3"), "with steps and offset of a multiple of 0.0625 s, not"),
        (("--features", "onepeace", "--layout", "released"), "16 and 16 wide, those of the layout onepeace 1536"),
        (("--features", "onepeace", "--device", "cuda"), "torch finds no GPU"),
        (("--features", "i3d-vggish"), "weights are missing"),
        (("--features", "onepeace", "--batch", "-1"), "--batch is -1"),
    ],
)
def test_what_cannot_be_is_one_line(
    options: tuple[str, ...], says: str, composed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "cuda" in options and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    video = next(composed.glob("*.mp4"))
    weights = add_narrow(tmp_path / "weights", kinds=USED)
    status, _, err = said(
        capsys, "extract", str(video), "--out", str(tmp_path / "o"), "--weights", str(weights), *options
    )
    assert status == 1 and says in err and err.count("\n") == 1 and not list(tmp_path.glob("o/*.*"))


def test_weights_that_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind, folder = "onepeace-audio", tmp_path / "weights"
    state = official_state(kind, networks()[kind])
    name = "encoder_wrapper.fusion_model.layers.0.gamma_1"
    cases = {
        "lacks encoder.layers.0.gamma_1": {k: t for k, t in state.items() if k != name},
        "holds beside strange of onepeace-audio": {**state, "strange": torch.zeros(1)},
        "gamma_1 is (3,), onepeace-audio has (16,)": {**state, name: torch.zeros(3)},
        "numbered up to 99999999": {**state, name.replace(".0.", ".99999999."): torch.zeros(16)},
        "of which the file holds but a part": {**state, name: torch.zeros(1).expand(10**12)},
        "(it lacks encoder.layers.0.ffn.0.wi_0.weight)": official_state(
            "onepeace-image", networks()["onepeace-image"]
        ),
        "values that are not finite": {**state, name: torch.full((16,), torch.nan)},
        "in other sizes than the published one; --any-size": state,
        "the only kind that is opened": {**state, "code": Path("x")},
    }
    for says, wrong in cases.items():
        file = tmp_path / "w.pt"
        torch.save({"model": wrong}, file)
        size = [] if "--any-size" in says else ["--any-size"]
        status, _, err = said(capsys, "weights", "add", kind, str(file), "--weights", str(folder), *size)
        assert status == 1 and says in err and err.count("\n") == 1
        assert not list(folder.glob("*.safetensors"))
    named = tmp_path / "audio-0123abcd.pt"
    torch.save({"model": state}, named)
    add = ["weights", "add", kind, str(named), "--weights", str(folder), "--any-size"]
    status, _, err = said(capsys, *add)
    assert status == 1 and "with 0123abcd" in err and "--any-sum" in err
    assert said(capsys, *add, "--any-sum")[0] == 0
    kept = load_file(folder / f"{kind}.safetensors")
    assert np.array_equal(kept["encoder.layers.0.gamma_1"], state[name].numpy())
    (folder / f"{kind}.safetensors").write_bytes(b"torn")
    status, _, err = said(capsys, "weights", "list", "--weights", str(folder))
    assert status == 1 and "delete it and run `avloc weights add" in err
    for wrong in (
        ["add", "vgish", "x"],
        ["add", "vggish"],
        ["list", "vggish"],
        ["add", "vggish", str(tmp_path / "no")],
    ):
        status, _, err = said(capsys, "weights", *wrong, "--weights", str(folder))
        assert status == 1 and err.count("\n") == 1
