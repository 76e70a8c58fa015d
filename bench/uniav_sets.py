"""UniAV on three small simulated data sets in turn against each alone: validation mAP of every task.

    python bench/uniav_sets.py --annotations unav100_annotations.json --out /tmp/sets --epochs 12

The sets are made of UnAV-100's annotations: classes of their own each; actions in whole videos on ActivityNet's grid,
audio-visual events as they are, sound events in clips of 10 s. Every set is seen the same number of times in both.
One seed simulates all three, so that class k of each looks and sounds like class k of the others.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from avloc.cli.main import main as avloc

LAYOUTS = {"tal": "onepeace-activitynet", "avel": "onepeace", "sed": "onepeace"}
CLIP_S = 10.0


def databases(path: Path, classes: int, sizes: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Videos of each set by split, of its own classes: all events of a video must be of them."""
    videos = json.loads(path.read_text())["database"]
    count = Counter(event["label"] for video in videos.values() for event in video["annotations"])
    common = [label for label, _ in count.most_common(3 * classes)]
    found: dict[str, dict[str, Any]] = {}
    for k, name in enumerate(LAYOUTS):
        own, taken, left = set(common[k::3]), {}, dict(sizes)
        for video, entry in videos.items():
            labels = {event["label"] for event in entry["annotations"]}
            if not labels or not labels <= own or not left.get(entry["subset"]):
                continue
            made = clip(entry) if name == "sed" else entry
            if made["annotations"]:
                taken[video], left[entry["subset"]] = made, left[entry["subset"]] - 1
        found[name] = taken
    return found


def clip(entry: dict[str, Any]) -> dict[str, Any]:
    """The 10 s around the first event's start, as far as the video goes."""
    first = min(event["segment"][0] for event in entry["annotations"])
    start = max(0.0, min(first - 2.0, entry["duration"] - CLIP_S))
    length = round(min(CLIP_S, entry["duration"] - start), 3)
    rows = []
    for event in entry["annotations"]:
        low, high = (float(np.clip(t - start, 0, length)) for t in event["segment"])
        if high - low > 0.25:
            rows.append({"segment": [round(low, 3), round(high, 3)], "label": event["label"]})
    return {"duration": length, "subset": entry["subset"], "annotations": rows}


def flags(out: Path, names: list[str]) -> list[str]:
    """Data and tasks of a run on these sets."""
    given = ["--tasks", *names]
    for name in names:
        given += [f"--sets.{name}.features", str(out / name)]
        given += [f"--sets.{name}.annotations", str(out / name / "annotations.json")]
    return given


def run(out: Path, folder: str, names: list[str], more: list[str]) -> dict[str, float]:
    """Validation mAP by task at the run's best epoch, in percent."""
    began = time.perf_counter()
    status = avloc(["train", "uniav-at-small", *flags(out, names), "--out", str(out / folder), "--resume", *more])
    assert status == 0
    epochs = [json.loads(line) for line in (out / folder / "metrics.jsonl").read_text().splitlines()]
    best = max(epochs, key=lambda epoch: epoch["validation_map"])
    rested = Counter(task for epoch in epochs for task in epoch["resting"])
    print(
        f"{folder}: {time.perf_counter() - began:.0f} s, best epoch {best['number']}, epochs at rest {dict(rested)}"
    )
    return {task: 100 * value for task, value in best["by_task"].items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--classes", type=int, default=12)
    parser.add_argument("--videos", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-rest", action="store_true", help="a run in turn in which no task rests, too")
    given, settings = parser.parse_known_args()  # others are settings of every run
    sizes = {"train": given.videos, "validation": given.videos // 3, "test": given.videos // 3}
    for name, database in databases(given.annotations, given.classes, sizes).items():
        given.out.mkdir(parents=True, exist_ok=True)
        truth = given.out / f"{name}.json"
        truth.write_text(json.dumps({"database": database}))
        print(f"{name}: {dict(Counter(entry['subset'] for entry in database.values()))}")
        made = ["--annotations", str(truth), "--out", str(given.out / name), "--layout", LAYOUTS[name]]
        assert avloc(["simulate", *made, "--width", "128", "--workers", "1", "--edition", "1"]) == 0
    more = ["--train.epochs", str(given.epochs), "--train.seed", str(given.seed), "--device", "cpu", *settings]
    alone: dict[str, float] = {}
    for name in LAYOUTS:
        alone |= run(given.out, f"alone-{name}-{given.seed}", [name], more)
    joint = run(given.out, f"joint-{given.seed}", list(LAYOUTS), more)
    columns = {"alone": alone, "in turn": joint}
    if given.without_rest:
        columns["in turn, no rest"] = run(given.out, f"free-{given.seed}", list(LAYOUTS), [*more, "--rest.no-rests"])
    print("  ".join(["task", *columns]))
    for task in alone:
        print("  ".join([f"{task:4s}", *(f"{column[task]:{len(name)}.1f}" for name, column in columns.items())]))


if __name__ == "__main__":
    main()
