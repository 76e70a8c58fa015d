"""`avloc extract` writes what the detector can take."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from avloc import load
from avloc.cli.main import main
from avloc.features.store import load_features, read_store_header
from avloc.media.writer import write_video
from avloc.scale.extract import Extract
from avloc.scale.manifest import MANIFEST, read_manifest

SAMPLE = Path(__file__).parents[2] / "demo" / "sample.mp4"


def test_extracted_features_give_the_same_events(tmp_path: Path) -> None:
    assert main(["extract", str(SAMPLE), "--out", str(tmp_path)]) == 0
    features = load_features(tmp_path / "sample.features.safetensors")
    assert len(features.source_hash) == 64 and features.duration_s == pytest.approx(30, abs=0.2)
    detector = load("default")
    stored, direct = detector.detect_features(features).events, detector.detect(SAMPLE)
    assert stored.labels == direct.labels
    # The store keeps 16-bit floats.
    assert np.allclose(stored.start_s, direct.start_s, atol=0.05) and np.allclose(
        stored.end_s, direct.end_s, atol=0.05
    )


def test_a_wrong_stride_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["extract", str(SAMPLE), "--out", str(tmp_path), "--stride-s", "-1"]) == 1
    assert "stride" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--features", "avloc-embeded"), "did you mean 'avloc-embedded'?"),
        (("--workers", "2"), "need --out"),
        (("--out", "o", "--time-limit", "0"), "--time-limit is 0.0"),
        (("--threads", "-1"), "--threads is -1"),
    ],
)
def test_options_that_cannot_be(
    options: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["extract", str(tiny(tmp_path / "a.mp4")), *options]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and says in error


def tiny(path: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8))
    return write_video(path, frames, 10, (0.3 * np.sin(np.arange(12_800) * (0.1 + 0.05 * seed))).astype(np.float32))


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for number, name in enumerate(("a.mp4", "a.mkv", "deep/b [x].mp4")):
        tiny(folder / name, number)
    (folder / "text.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def made(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("features")
    assert main(["extract", str(videos), "--out", str(out), "--workers", "2"]) == 1
    return out


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.safetensors")}


def states(folder: Path) -> dict[str, str]:
    return {name: entry.state for name, entry in read_manifest(folder, Extract.manifest).items()}


def test_many_videos_are_known_again(videos: Path, made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sorted(content(made)) == [f"{n}.features.safetensors" for n in ("a.mkv", "a.mp4", "deep/b [x]")]
    assert states(made) == {"a.mkv": "done", "a.mp4": "done", "deep/b [x]": "done", "text": "failed"}
    before = {p: p.stat().st_mtime_ns for p in made.rglob("*.safetensors")}
    assert main(["extract", str(videos), "--out", str(made)]) == 1
    said = capsys.readouterr()
    assert "3 done already; 0 to do" in said.out and "text" in said.err and said.err.count("\n") == 1
    assert not (made / "events.csv").exists() and {p: p.stat().st_mtime_ns for p in before} == before


def test_one_by_one_and_many_at_once_give_the_same_files(videos: Path, made: Path, tmp_path: Path) -> None:
    assert main(["extract", str(videos / "a.mkv"), "--out", str(tmp_path), "--threads", "1"]) == 0
    assert not (tmp_path / Extract.manifest).exists()
    assert content(tmp_path)["a.features.safetensors"] == content(made)["a.mkv.features.safetensors"]


def test_killed_and_started_again_gives_the_same_files(videos: Path, made: Path, tmp_path: Path) -> None:
    arguments = ["extract", str(videos), "--out", str(tmp_path), "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "avloc.cli.main", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not any(tmp_path.rglob("*.safetensors")):
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    first = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")}
    (tmp_path / ".avloc-1-torn.tmp").write_text("half")
    assert main(arguments) == 1
    assert content(tmp_path) == content(made) and all(path.stat().st_mtime_ns == at for path, at in first.items())
    assert not list(tmp_path.rglob("*.tmp"))


def test_files_of_an_earlier_version_are_known_by_what_they_were_made_of(
    videos: Path, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One extractor named for all streams, and no manifest beside the files."""
    for name, extractor in (("a.mkv", "avloc-embedded/3"), ("a.mp4", "avloc-embedded/2")):
        path = made / f"{name}.features.safetensors"
        about = read_store_header(path)
        header = {
            "format": "avloc-features/1",
            "extractor": extractor,
            "source_sha256": about.source_hash,
            "duration_s": repr(about.duration_s),
            "grid": json.dumps(asdict(about.grid)),
        }
        save_file(load_file(path), tmp_path / path.name, header)
    assert main(["extract", str(videos), "--out", str(tmp_path), "--workers", "1"]) == 1
    said = capsys.readouterr().out
    assert "a.mkv: was done before" in said and "a.mp4: 2 steps" in said
    assert load_features(tmp_path / "a.mp4.features.safetensors").streams == load("default").extractor.streams


def test_events_and_features_in_one_folder_keep_a_manifest_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, out = tiny(tmp_path / "v" / "a.mp4"), tmp_path / "out"
    for verb in ("detect", "extract", "detect", "extract"):
        assert main([verb, str(video), "--out", str(out), "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert said.count("1 done already; 0 to do") == 2
    assert read_manifest(out)["a"].state == read_manifest(out, Extract.manifest)["a"].state == "done"
    assert Extract.manifest != MANIFEST
