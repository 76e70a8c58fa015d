"""`avloc compose` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from avloc.cli.main import main
from avloc.formats.activitynet import read_truth

SMALL = ["--scene.duration-s", "3", "4", "--scene.size", "96", "64", "--scene.fps", "5", "--scene.event-s", "1", "2"]


def test_videos_labels_and_what_was_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "composed"
    given = ["compose", "--out", str(out), "--videos", "2", "--validation", "1", "--workers", "2", *SMALL]
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert "3 videos made" in shown and "2 train, 1 validation" in shown and str(out / "annotations.json") in shown
    subsets = [truth.subset for truth in read_truth(out / "annotations.json").values()]
    assert subsets == ["train", "train", "validation"]
    (out / "validation_00000.mp4").unlink()
    assert main(given) == 0
    assert "1 video made, 2 were there already" in capsys.readouterr().out
    assert main([*given, "--seed", "1"]) == 1
    told = capsys.readouterr().err
    assert "other train, validation" in told and len(told.splitlines()) == 1


def test_composed_videos_can_be_detected_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", "--out", str(tmp_path), "--videos", "1", "--workers", "1", *SMALL]) == 0
    assert main(["detect", str(tmp_path / "train_00000.mp4"), "--out", str(tmp_path)]) == 0
    assert (tmp_path / "train_00000.events.json").is_file()
    capsys.readouterr()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--videos", "-1"], "0 or more are needed"),
        (["--videos", "0"], "no video was asked for"),
        (["--seed", "-1"], "--seed is -1"),
        (["nowhere"], "manifest.json does not exist"),
        (["--scene.overlap", "2"], "scene.overlap is 2.0;"),
        (["--scene.duration-s", "5", "2"], "a range (least, most)"),
        (["--scene.size", "97", "64"], "two even numbers"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, given: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compose", *given, "--out", "out"]) == 1
    told = capsys.readouterr().err
    assert says in told and len(told.splitlines()) == 1
    assert not list(tmp_path.glob("out/*.mp4"))
