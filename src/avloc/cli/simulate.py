"""`avloc simulate`: annotations > simulated features in a released layout."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Literal

from avloc.cli.console import error_console, screen_console
from avloc.cli.progress import counting
from avloc.datasets.annotations import read_annotations
from avloc.datasets.simulate import TRAINING, split_sizes
from avloc.datasets.simulate import simulate as write_simulation
from avloc.datasets.strengths import SimulationConfig, strengths_of


def simulate(
    annotations: Path,
    out: Path,
    layout: Literal["onepeace", "i3d-vggish", "onepeace-activitynet"] = "onepeace",
    videos: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    train_split: str = TRAINING,
    seed: int = 0,
    width: int | None = None,
    workers: int = 0,
    edition: Literal[1, 2] = 2,
    strength: SimulationConfig = SimulationConfig(),  # noqa: B008
) -> int:
    """Write simulated features of real annotations, for the whole way without the released ones.

    They model the task's difficulties (docs/simulation.md) and stand for no result on real features. OUT gets the
    features in 16-bit floats, annotations.json and simulation.json. A stopped run goes on when it is started again.

    examples:
      avloc simulate --annotations unav100_annotations.json --out sim/ --videos 1000
      avloc simulate --annotations unav100_annotations.json --out sim/ --videos 1000 --width 128
      avloc simulate --annotations unav100_annotations.json --out sim1/ --videos 1000 --width 128 --edition 1
      avloc simulate --annotations unav100_annotations.json --out control/ --strength.modalities together

    Args:
        annotations: UnAV-100's JSON, or one's own data in that form or in CSV.
        out: Folder for the features.
        layout: Names of the files and the grid.
        videos: Training videos; without it all. The other splits get as many in proportion (UnAV-100: 0.33 each).
        validation: Validation videos, instead of as many in proportion.
        test: Test videos, instead of as many in proportion.
        train_split: Subset that is for training; the data set's own word, such as training.
        seed: The same seed gives the same videos and the same features; fewer videos are a part of more.
        width: Greatest width of a file (64 or more), for small machines; the released layouts have up to 1536.
        workers: Processes; 0 takes all cores.
        edition: 2 has scenes, which both modalities share in part, as strong as in real clips; 1 has none.
        strength: How strong each difficulty is; what is not changed is the edition's.
    """
    truth = read_annotations(annotations)
    given = {name: number for name, number in (("validation", validation), ("test", test)) if number is not None}
    sizes = split_sizes(truth, videos, given, train_split)
    began = time.perf_counter()
    with counting(error_console(), "videos") as on_progress:
        done = write_simulation(
            truth,
            out,
            layout,
            sizes,
            seed=seed,
            config=strengths_of(edition, strength),
            width=width,
            workers=workers or os.cpu_count() or 1,
            on_progress=on_progress,
            training=train_split,
        )
    screen = screen_console()
    split = ", ".join(f"{number} {subset}" for subset, number in done.videos.items())
    took_s = time.perf_counter() - began
    kept = f", {done.kept} were there already" if done.kept else ""
    screen.print(f"{done.made} videos made{kept} ({took_s:.1f} s): {split}", markup=False, soft_wrap=True)
    screen.print(f"features:    {done.folder} ({done.feature_bytes / 1e6:,.0f} MB)", markup=False, soft_wrap=True)
    screen.print(f"annotations: {done.annotations}", markup=False, soft_wrap=True)
    return 0
