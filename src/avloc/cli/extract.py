"""`avloc extract`: videos > one safetensors file of features each."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from avloc.cli.grammar import Paths
from avloc.cli.inputs import find_videos, require_writable
from avloc.cli.progress import following
from avloc.config import FeatureConfig
from avloc.errors import AvlocError
from avloc.features.extractors.embedded import EmbeddedExtractor
from avloc.features.store import save_features
from avloc.media.probe import probe
from avloc.timegrid import TimeGrid


def extract(
    videos: Paths,
    out: Path | None = None,
    stride_s: float = FeatureConfig.stride_s,
    threads: int = 0,
) -> int:
    """Write what the two encoders see and hear, step by step, to NAME.features.safetensors.

    The file holds `visual`, `audio`, `visual_scores` and `audio_scores`, one row a step, in 16-bit floats.

    examples:
      avloc extract my.mp4
      avloc extract videos/ --out features/

    Args:
        videos: Video files, or folders of videos.
        out: Folder for the feature files; without it each lies beside its video.
        stride_s: Seconds from step to step; the default model needs the default.
        threads: CPU threads for the encoders; 0 takes all cores.
    """
    found = find_videos(videos)
    if out is not None:
        require_writable(out)
    try:
        grid = TimeGrid.centred(stride_s, FeatureConfig.window_s)
    except ValueError as error:
        raise AvlocError(f"--stride-s: {error}") from None
    extractor = EmbeddedExtractor(threads)
    screen, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    problems: list[str] = []
    for number, video in enumerate(found, 1):
        folder = video.path.parent if out is None else (out / video.stem).parent
        path = folder / f"{video.stem.name}.features.safetensors"
        try:
            require_writable(folder)
            with following(errors, number, len(found), probe(video.path)) as on_seconds:
                features = extractor.extract(video.path, grid, on_seconds=on_seconds)
            save_features(features, path)
        except AvlocError as error:
            problems.append(str(error))
            continue
        screen.print(f"{path}: {len(features)} steps of {stride_s:g} s", markup=False, soft_wrap=True)
    for problem in problems:
        print(f"avloc: {problem}", file=sys.stderr)
    return 1 if problems else 0
