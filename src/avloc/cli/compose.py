"""`avloc compose`: pictures and sounds > labelled videos, or their features."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import tyro

from avloc.cli.console import error_console, screen_console
from avloc.cli.inputs import require_writable
from avloc.cli.predictions import counted
from avloc.cli.progress import counting
from avloc.compose.compose_config import ComposeConfig
from avloc.compose.folder import SEED_OF, Kind, Part, compose_folder
from avloc.compose.library import TEST, TRAIN, VALIDATION
from avloc.errors import ConfigError


def compose(
    media: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="[MEDIA]")] = None,
    *,
    out: Path,
    videos: int = 100,
    validation: int = 0,
    test: int = 0,
    seed: int = 0,
    features: bool = False,
    workers: int = 0,
    scene: ComposeConfig = ComposeConfig(),  # noqa: B008
) -> int:
    """Compose labelled videos of pictures and sounds: what is seen and heard at once is known to the millisecond.

    MEDIA is a folder of pictures and sounds with a manifest.json (docs/composing.md); without it, shapes and sounds
    made by formulas serve. OUT gets NAME.mp4 for each video, annotations.json in UnAV-100's schema, and
    composition.json. A stopped run goes on when it is started again; videos that stand are not made again.

    examples:
      avloc compose --out composed/ --videos 20
      avloc compose media/ --out composed/ --videos 1000 --validation 60
      avloc compose media/ --out silent/ --videos 40 --scene.events 0 0
      avloc compose media/ --out sim/ --videos 1000 --validation 60 --features
      avloc train loco-composed --data.features sim/ --data.annotations sim/annotations.json --out runs/composed

    Args:
        media: Folder of pictures and sounds.
        out: Folder for the videos.
        videos: Videos for training, of the media's split train.
        validation: Videos of its split validation.
        test: Videos of its split test, without sounds whose origin is in train.
        seed: The same seed gives the same videos; fewer are a part of more.
        features: Write NAME.features.safetensors as of `avloc extract` instead of videos, several times faster.
        workers: Processes; 0 takes all cores.
        scene: What scenes are drawn from.
    """
    counts = {TRAIN: videos, VALIDATION: validation, TEST: test}
    for split, count in counts.items():
        if count < 0:
            raise ConfigError(f"{count} videos of {split} were asked for; 0 or more are needed")
    if seed < 0:
        raise ConfigError(f"--seed is {seed}; 0 or more is needed")
    parts = [Part(split, count, seed + SEED_OF[split], scene) for split, count in counts.items() if count]
    if not parts:
        raise ConfigError("no video was asked for; give --videos, --validation or --test")
    require_writable(out)
    began = time.perf_counter()
    try:
        with counting(error_console(), "videos") as on_progress:
            kind: Kind = "features" if features else "videos"
            done = compose_folder(out, media, parts, kind, workers or os.cpu_count() or 1, on_progress)
    except KeyboardInterrupt:
        print(f"avloc: stopped; the same command goes on ({out})", file=sys.stderr)
        return 130
    screen = screen_console()
    events = sum(len(truth.events) for truth in done.truth.values())
    labels = {label for truth in done.truth.values() for label in truth.events.labels}
    minutes = sum(truth.duration_s for truth in done.truth.values()) / 60
    split = ", ".join(f"{part.videos} {part.split}" for part in parts)
    kept = f", {done.kept} were there already" if done.kept else ""
    took_s = time.perf_counter() - began
    for line in (
        f"{counted(done.made, 'video')} made{kept} ({took_s:.1f} s): {split}",
        f"{counted(events, 'event')} of {counted(len(labels), 'class', 'classes')} in {minutes:.1f} minutes",
        f"annotations: {done.annotations}",
    ):
        screen.print(line, markup=False, soft_wrap=True)
    return 0
