"""How fast mAP, its intervals and average recall are, beside plain loops; what detections without a model get, and
what another evaluator's reading of classes that a split lacks is worth.

Detections: 100 a video, 60 near its events and 40 anywhere, of any class. Truth: a split of annotations in
ActivityNet's form, or, without a file, as many made-up videos as the test split of UnAV-100 has. From the checkout:

    python bench/evaluation.py [annotations.json] [--split test] [--slow]

`--slow` takes the plain loop over every class (else over the first ten), and names the baselines' intervals.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.bootstrap import bootstrap, interval
from avloc.evaluation.comparison import compare
from avloc.evaluation.matching import THRESHOLDS, match
from avloc.evaluation.mean_ap import MeanAp, mean_ap, mean_ap_of
from avloc.evaluation.recall import average_recall
from avloc.events import Events
from avloc.formats.activitynet import Truth, read_truth
from avloc.formats.class_names import read_labels

T = TypeVar("T")
Videos = dict[str, Events]

NEAR, FAR = 60, 40
LIKELY = Path(__file__).parents[2] / "shared" / "data" / "unav100_annotations.json"


def made_up(rng: np.random.Generator) -> dict[str, Truth]:
    """2,167 videos with 2.7 events on average of 1.3 classes on average, of 100 classes."""
    truth = {}
    for i in range(2167):
        duration_s = float(rng.uniform(10, 60))
        count = 1 + int(rng.poisson(1.7))
        start = rng.uniform(0, 0.8 * duration_s, count)
        names = [f"class {k:02}" for k in rng.integers(0, 100, 1 + int(rng.random() < 0.3))]
        end = np.minimum(start + rng.exponential(8, count) + 0.5, duration_s)
        truth[f"v{i}"] = Truth(duration_s, "test", Events(start, end, rng.choice(names, count).tolist()))
    return truth


def detections(truth: dict[str, Truth], labels: list[str], rng: np.random.Generator) -> Videos:
    """100 a video: NEAR about its events, FAR anywhere."""
    found = {}
    for video, entry in truth.items():
        events = entry.events
        own = rng.integers(0, len(events), NEAR) if len(events) else np.zeros(0, np.intp)
        start = np.concatenate(
            [events.start_s[own] + rng.normal(0, 2, len(own)), rng.uniform(0, entry.duration_s, FAR)]
        )
        length = (events.end_s - events.start_s)[own] * np.exp(rng.normal(0, 0.4, len(own)))
        length = np.concatenate([length, rng.exponential(8, FAR)])
        names = [events.labels[i] for i in own] + [labels[k] for k in rng.integers(0, len(labels), FAR)]
        score = np.concatenate([rng.beta(1, 3, len(own)), rng.beta(0.5, 6, FAR)])
        found[video] = Events(start, start + length, names, score)
    return found


def plain_loops(found: Videos, truth: Videos, labels: list[str]) -> NDArray[np.float64]:
    """Average precision as one writes it down: class by class, detection by detection, threshold by threshold."""
    ap = np.zeros((len(THRESHOLDS), len(labels)))
    for k, label in enumerate(labels):
        goals = {
            v: np.array([(e.start_s, e.end_s) for e in events if e.label == label]) for v, events in truth.items()
        }
        rows = [(e.score, v, e.start_s, e.end_s) for v, events in found.items() for e in events if e.label == label]
        rows.sort(key=lambda row: -row[0])
        taken: list[set[tuple[str, int]]] = [set() for _ in THRESHOLDS]
        right = np.zeros((len(THRESHOLDS), len(rows)))
        for d, (_, video, start_s, end_s) in enumerate(rows):
            if not len(goals.get(video, ())):
                continue
            low, high = goals[video].T
            shared = (np.minimum(end_s, high) - np.maximum(start_s, low)).clip(0)
            tiou = shared / ((end_s - start_s) + (high - low) - shared)
            for t, threshold in enumerate(THRESHOLDS):
                for g in np.argsort(-tiou, kind="stable").tolist():
                    if tiou[g] < threshold:
                        break
                    if (video, g) not in taken[t]:
                        taken[t].add((video, g))
                        right[t, d] = 1
                        break
        precision = right.cumsum(axis=1) / np.arange(1, len(rows) + 1)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        ap[:, k] = (envelope * right).sum(axis=1) / sum(map(len, goals.values()))
    return ap


def timed(what: str, work: Callable[[], T], runs: int = 3, shares: float = 1.0) -> T:
    """Print the median wall time and the most memory that Python and numpy held for it; give its result."""
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        result = work()
        took.append(time.perf_counter() - began)
    memory = ""
    if runs > 1:
        tracemalloc.start()
        work()
        memory = f"{tracemalloc.get_traced_memory()[1] / 2**20:8.0f} MiB"
        tracemalloc.stop()
    note = f"  (estimated from {took[0]:.1f} s for {shares:.1%})" if shares < 1 else ""
    print(f"{what:52} {sorted(took)[len(took) // 2] / shares:9.3f} s {memory}{note}")
    return result


def speed(truth: dict[str, Truth], slow: bool) -> None:
    rng = np.random.default_rng(0)
    goal = {video: entry.events for video, entry in truth.items()}
    labels = sorted({label for events in goal.values() for label in events.labels})
    found = detections(truth, labels, rng)
    print(f"{len(goal)} videos, {sum(map(len, goal.values()))} events, {sum(map(len, found.values()))} detections")
    mean = timed("mAP at nine thresholds", lambda: mean_ap(found, goal))
    some = labels if slow else labels[:10]
    share = sum(e.labels.count(label) for e in found.values() for label in some) / sum(map(len, found.values()))
    plain = timed("mAP, plain loops by class", lambda: plain_loops(found, goal, some), 1, share)
    print(f"    largest difference {np.abs(plain - mean.ap[:, : len(some)]).max():.1e}")
    matches = match(found, goal)
    draws = timed("bootstrap, 1000 draws", lambda: bootstrap(matches, 1000), 2)
    low, high = interval(draws.average, mean.average)
    print(f"    average mAP {100 * mean.average:.2f}, 95 % {100 * low:.2f} to {100 * high:.2f}")
    print(f"    mean of draws {100 * draws.average.mean():.2f}, of random halves {100 * halves(found, goal):.2f}")
    other = match(detections(truth, labels, np.random.default_rng(1)), goal)
    timed("comparison of two, 1000 draws", lambda: compare(matches, other, 1000), 1)
    timed("bootstrap, matching each draw anew", lambda: anew(found, goal, 4), 1, 0.004)
    timed("average recall at 1 to 100 proposals", lambda: average_recall(found, goal))


def halves(found: Videos, goal: Videos) -> float:
    """Average mAP of 20 random halves of the videos."""
    names, rng = list(goal), np.random.default_rng(0)
    averages = []
    for _ in range(20):
        half = [names[i] for i in rng.permutation(len(names))[: len(names) // 2]]
        averages.append(mean_ap({v: found[v] for v in half}, {v: goal[v] for v in half}).average)
    return float(np.mean(averages))


def anew(found: Videos, goal: Videos, draws: int) -> list[float]:
    names, rng = list(goal), np.random.default_rng(0)
    result = []
    for _ in range(draws):
        drawn = [
            (f"{names[v]} {i}", names[v]) for i, v in enumerate(rng.integers(0, len(names), len(names)).tolist())
        ]
        result.append(mean_ap({c: found[v] for c, v in drawn}, {c: goal[v] for c, v in drawn}).average)
    return result


def as_numbers_left_over(found: Videos, goal: Videos, labels: list[str]) -> Videos:
    """Detections as the evaluator of ActionFormer and UnAV sorts them by class.

    It numbers the classes that the split has from 0 on; a detection of a class that it lacks keeps its old number.
    """
    there = {label for events in goal.values() for label in events.labels}
    present = [label for label in labels if label in there]
    moved = {label: present[k] for k, label in enumerate(labels) if label not in there and k < len(present)}
    return {
        video: Events(e.start_s, e.end_s, [moved.get(label, label) for label in e.labels], e.score)
        for video, e in found.items()
    }


def lacking(truth: dict[str, Truth], labels: list[str]) -> None:
    """What classes that a split lacks are worth there: 20 random splits of each size."""
    found = detections(truth, labels, np.random.default_rng(0))
    names = list(truth)
    print(f"\n{'videos':>8}{'classes':>10}{'mAP, %':>10}{'theirs':>10}{'less by, most':>16}")
    for count in (50, 100, 200, 500, 1000):
        rng, rows = np.random.default_rng(count), []
        for _ in range(20):
            goal = {names[i]: truth[names[i]].events for i in rng.permutation(len(names))[:count]}
            part = {video: found[video] for video in goal}
            ours, theirs = mean_ap(part, goal), mean_ap(as_numbers_left_over(part, goal, labels), goal)
            rows.append((len(ours.labels), 100 * ours.average, 100 * theirs.average))
        classes, ours_mean, theirs_mean = np.mean(rows, axis=0)
        most = max(ours - theirs for _, ours, theirs in rows)
        print(f"{count:8}{classes:10.0f}{ours_mean:10.2f}{theirs_mean:10.2f}{most:16.2f}")


def whole_video(truth: dict[str, Truth], frequency: Counter[str]) -> Videos:
    """One segment over the video for every class, scored by how frequent the class is elsewhere."""
    most = max(frequency.values())
    names, score = list(frequency), [n / most for n in frequency.values()]
    return {
        video: Events(np.zeros(len(names)), np.full(len(names), entry.duration_s), names, score)
        for video, entry in truth.items()
    }


def right_classes(truth: dict[str, Truth]) -> Videos:
    """One segment over the video for each class that is there."""
    return {
        video: Events(np.zeros(len(names)), np.full(len(names), entry.duration_s), names)
        for video, entry in truth.items()
        for names in [sorted(set(entry.events.labels))]
    }


def jittered(truth: dict[str, Truth], share: float, seed: int = 0) -> Videos:
    """The truth with both ends moved, normally by a deviation of `share` of the event's length; scores at random."""
    rng = np.random.default_rng(seed)
    found = {}
    for video, entry in truth.items():
        events = entry.events
        length = events.end_s - events.start_s
        ends = np.stack([events.start_s, events.end_s]) + share * length * rng.standard_normal((2, len(events)))
        ends = np.sort(ends.clip(0, entry.duration_s), axis=0)
        found[video] = Events(ends[0], ends[1], events.labels, rng.random(len(events)))
    return found


def baselines(truth: dict[str, Truth], frequency: Counter[str], slow: bool) -> None:
    """mAP of detections that follow from no model."""
    goal = {video: entry.events for video, entry in truth.items()}
    rows = {
        "whole video, every class by frequency": whole_video(truth, frequency),
        "whole video, the right classes": right_classes(truth),
        **{
            f"truth, ends moved by {share:.0%} of the length": jittered(truth, share)
            for share in (0.05, 0.1, 0.2, 0.4)
        },
    }
    columns = (0.5, 0.6, 0.7, 0.8, 0.9)
    print(f"\n{'mAP, %':44}" + "".join(f"{t:7.1f}" for t in columns) + "   Avg.")
    for name, found in rows.items():
        matches = match(found, goal)
        mean = mean_ap_of(matches)
        print(
            f"{name:44}" + "".join(f"{100 * mean.at(t):7.1f}" for t in columns) + f"{100 * mean.average:7.1f}", end=""
        )
        print(between(mean, bootstrap(matches, 1000).average) if slow else "")


def between(mean: MeanAp, draws: NDArray[np.float64]) -> str:
    low, high = interval(draws, mean.average)
    return f"   ({100 * low:.1f} to {100 * high:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("annotations", nargs="?", type=Path, default=LIKELY if LIKELY.exists() else None)
    parser.add_argument("--split", default="test")
    parser.add_argument("--train", default="train", help="split whose class frequencies are known")
    parser.add_argument("--slow", action="store_true")
    chosen = parser.parse_args()
    if chosen.annotations is None:
        print("made-up videos")
        speed(made_up(np.random.default_rng(0)), chosen.slow)
        return
    truth = read_truth(chosen.annotations, chosen.split)
    speed(truth, chosen.slow)
    known = read_truth(chosen.annotations, chosen.train)
    lacking(truth, list(read_labels(chosen.annotations)))
    baselines(truth, Counter(label for entry in known.values() for label in entry.events.labels), chosen.slow)


if __name__ == "__main__":
    main()
