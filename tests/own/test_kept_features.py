"""Features are made once, again where the video changed or the file broke; a bad video is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avloc.errors import MediaError
from avloc.features.extractors.embedded import EmbeddedExtractor
from avloc.features.store import load_features, save_features
from avloc.media.writer import write_video
from avloc.own.extract import Done, Kept, keep_features
from avloc.own.matching import VideoFile
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

GRID = TimeGrid(0.32, 0.96, -0.32)


def make(path: Path, seed: int) -> VideoFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    frames = (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8))
    write_video(path, frames, 8, rng.normal(0, 0.1, (16_000, 1)).astype(np.float32), 16_000)
    return VideoFile(path, path.relative_to(path.parents[1]).with_suffix(""))


def test_once_and_again_after_a_change(tmp_path: Path) -> None:
    files = {name: make(tmp_path / "v" / f"{name}.mp4", i) for i, name in enumerate("ab")}
    told: list[Done] = []
    extractor = EmbeddedExtractor(threads=1)

    def keep(skip_bad: bool = False, read: Streams | None = None) -> Kept:
        seconds = dict.fromkeys(files, 1.0)
        return keep_features(
            files, seconds, tmp_path / "f", GRID, extractor, read=read, skip_bad=skip_bad, on_progress=told.append
        )

    kept = keep()
    assert kept.made == 2 and kept.paths["a"] == tmp_path / "f" / "v" / "a.features.safetensors"
    assert [d.seconds for d in told] == sorted(d.seconds for d in told) and told[-1].seconds == 2.0
    assert keep().made == 0
    make(tmp_path / "v" / "a.mp4", 7)
    again = keep()
    assert again.made == 1 and again.headers["a"].source_hash != kept.headers["a"].source_hash
    assert again.headers["b"].streams == extractor.streams
    older = replace(load_features(kept.paths["b"]), streams=replace(extractor.streams, cues="avloc-embedded/2"))
    save_features(older, kept.paths["b"])
    assert keep(read=replace(extractor.streams, cues="")).made == 0 and keep().made == 1
    kept.paths["b"].write_bytes(b"half")
    assert keep().made == 1
    (tmp_path / "v" / "b.mp4").write_bytes(b"no video")
    with pytest.raises(MediaError, match=r"b\.mp4.*--skip-bad"):
        keep()
    left = keep(skip_bad=True)
    assert list(left.paths) == ["a"] and [p.video for p in left.problems] == ["b"]
