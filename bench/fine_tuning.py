"""Fine-tuning on 20 composed videos of four new classes, against training the same network anew on the same videos.

    python bench/fine_tuning.py work/

Videos are made of the procedural media: training videos of variations 0 to 3, test videos of variations 4 and 5, that
no training sees. Both ways are `avloc train default` itself, the second with --from-scratch; with --folds 5 the time
of the cross-validation is in it. Everything made stays in the folder; the same command goes on where it was stopped.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from avloc.compose.compose_config import ComposeConfig
from avloc.compose.library import MediaLibrary
from avloc.compose.planner import plan
from avloc.compose.render import compose_video
from avloc.compose.scene import truth
from avloc.files import replace_file

CLASSES = ("arcade", "buzzer", "cricket", "whistle")
SCENES = ComposeConfig(duration_s=(15.0, 30.0), size=(320, 180), fps=8.0, events=(1, 4), event_s=(1.5, 12.0))
TEST_SEED = 1000


@dataclass(frozen=True)
class Settings:
    work: Annotated[Path, tyro.conf.Positional]
    """Folder for videos, features and models."""
    seeds: int = 3
    """Sets of training videos; each also seeds its trainings."""
    videos: int = 20
    """Training videos of a set."""
    test_videos: int = 20
    steps: int = 100
    """Batches of fine-tuning."""
    steps_anew: tuple[int, ...] = (100, 200)
    """Batches of training anew: each is tried, the best counts."""
    folds: int = 0
    """Parts of the cross-validation; 0 measures the training alone."""


def main(settings: Settings) -> None:
    """Make the videos, train both ways, print the table."""
    test = make_videos(settings.work / "videos" / "test", range(4, 6), settings.test_videos, TEST_SEED)
    rows = []
    for seed in range(settings.seeds):
        train = make_videos(settings.work / "videos" / f"train-{seed}", range(4), settings.videos, seed)
        labels = settings.work / f"labels-{seed}.csv"
        table = [f"{row},train" for row in train] + [f"{row},test" for row in test]
        replace_file(labels, ("video,start,end,label,subset\n" + "\n".join(table) + "\n").encode())
        rows.append(run(settings, labels, seed, "fine-tuned", settings.steps))
        rows += [run(settings, labels, seed, "anew", steps) for steps in settings.steps_anew]
    show(rows)


def make_videos(folder: Path, variations: range, count: int, seed: int) -> list[str]:
    """Composed videos where they are missing; the rows of their labels: video,start,end,label."""
    whole = MediaLibrary.procedural()
    numbers = slice(variations.start, variations.stop)
    library = MediaLibrary(
        {c: whole.pictures[c][numbers] for c in CLASSES},
        {c: whole.sounds[c][numbers] for c in CLASSES},
        whole.backgrounds[numbers],
        whole.ambient[numbers],
        whole.distractor_pictures[numbers],
        whole.distractor_sounds[numbers],
    )
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(count):
        scene = plan(library, SCENES, np.random.default_rng([seed, i]))
        path = folder / f"{folder.name}-{i:02d}.mp4"
        if not path.is_file():
            compose_video(path.with_suffix(".part.mp4"), scene).replace(path)
        rows += [f"{path.name},{e.start_s:.3f},{e.end_s:.3f},{e.label}" for e in truth(scene)]
    return rows


def run(settings: Settings, labels: Path, seed: int, way: str, steps: int) -> dict[str, object]:
    """One training by the command that a user types, once; what it came to."""
    out = settings.work / "models" / f"{way}-{steps}-{settings.folds}-{seed}"
    note = out / "bench.json"
    if not note.is_file():
        command = [
            *(sys.executable, "-m", "avloc.cli.main", "train", "default", "--resume"),
            *("--data.annotations", str(labels), "--data.videos", str(settings.work / "videos")),
            *("--data.features", str(settings.work / "features"), "--out", str(out)),
            *("--steps", str(steps), "--folds", str(settings.folds), "--train.seed", str(seed)),
            *(["--from-scratch"] if way == "anew" else []),
        ]
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        record = json.loads((out / "own.json").read_text())
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        spent = {"wall_s": round(time.monotonic() - began, 1), "cpu_s": round(cpu_s, 1)}
        row = {"way": way, "steps": steps, "seed": seed, "folder": str(out), "test": record["test"],
               "figures": record["figures"], **spent}  # fmt: skip
        replace_file(note, json.dumps(row).encode())
    found: dict[str, object] = json.loads(note.read_text())
    return found


def show(rows: list[dict[str, object]]) -> None:
    """A line for each way: mAP by seed, mean and spread, time."""
    print("way          steps  average mAP by seed        mean  spread  at 0.5  cpu, s  wall, s")
    for way, steps in dict.fromkeys((row["way"], row["steps"]) for row in rows):
        mine = [row for row in rows if (row["way"], row["steps"]) == (way, steps)]
        scores, at_half = ([100 * row["test"][k] for row in mine] for k in ("average", "at_half"))  # type: ignore[index]
        cpu_s, wall_s = (statistics.fmean(row[k] for row in mine) for k in ("cpu_s", "wall_s"))  # type: ignore[misc]
        by_seed = " ".join(f"{s:5.1f}" for s in scores)
        spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
        print(
            f"{way:12} {steps:5}  {by_seed:25} {statistics.fmean(scores):5.1f}  {spread:6.1f}  "
            f"{statistics.fmean(at_half):6.1f}  {cpu_s:6.0f}  {wall_s:7.0f}"
        )
    print("models:", ", ".join(str(row["folder"]) for row in rows if row["way"] == "fine-tuned"))


if __name__ == "__main__":
    main(tyro.cli(Settings))
