"""Names that a terminal cannot show, that look like codes, or that mean one file twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from avloc.cli.inputs import find_videos
from avloc.media.writer import write_video


def tiny(path: Path, grey: int) -> Path:
    pictures = (np.full((48, 64, 3), grey, np.uint8) for _ in range(8))
    return write_video(path, pictures, 10, 0.1 * np.sin(np.arange(12_800) * 0.2).astype(np.float32))


def test_names_that_standard_output_cannot_hold_do_not_end_a_run(tmp_path: Path) -> None:
    videos, out = tmp_path / "v", tmp_path / "out"
    videos.mkdir()
    tiny(videos / "日本.mp4", 10)
    tiny(videos / "colon:x.mp4", 20)
    run = subprocess.run(
        [sys.executable, "-m", "avloc", "detect", str(videos), "--out", str(out), "--workers", "1"],
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        timeout=120,
    )
    said = run.stdout.decode("cp1252")
    assert run.returncode == 0, run.stderr
    assert r"\u65e5\u672c: " in said and " colon:x: " in said and "2 of 2 videos done" in said
    assert sorted(path.name for path in out.glob("*.json")) == ["colon:x.events.json", "日本.events.json"]


def test_a_file_is_taken_before_links_to_it_and_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("m.mp4", "deep/b.mp4"):
        (tmp_path / name).touch()
    for link, target in {"a.mp4": "m.mp4", "z.mp4": "m.mp4", "again": "deep", "deep/up": ".."}.items():
        (tmp_path / link).symlink_to(target)
    found = find_videos([tmp_path])
    assert sorted(str(video.stem) for video in found) == ["deep/b", "m"]
    assert not any(video.path.is_symlink() for video in found)
    (tmp_path / "m.mp4").rename(tmp_path / "elsewhere.data")
    for link in ("a.mp4", "z.mp4"):
        (tmp_path / link).unlink()
        (tmp_path / link).symlink_to("elsewhere.data")
    assert sorted(str(video.stem) for video in find_videos([tmp_path])) == ["a", "deep/b"]


def test_a_folder_that_is_linked_is_searched(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "x.mp4").touch()
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "far").symlink_to(tmp_path / "disk")
    assert [str(video.stem) for video in find_videos([tmp_path / "v"])] == ["far/x"]


def test_names_that_differ_by_case_alone_get_results_that_do_not(tmp_path: Path) -> None:
    for folder, name in (("1", "A.mp4"), ("2", "a.mp4")):  # apart, so that every file system holds both
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).touch()
    found = find_videos([tmp_path / "1", tmp_path / "2"])
    assert len({str(video.stem).casefold() for video in found}) == 2
