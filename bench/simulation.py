"""How hard simulated features are: single steps told by sight, by sound and by both, and how fast they are made.

For each of three probes (a linear one, and a hidden layer of 256, both trained on single steps of 1,000 training
videos; and the hidden layer on means over each true event) prints two figures on 333 validation videos:
accuracy over steps (events) of a single class, and the mean over classes of the average precision of steps.
No probe sees the order of steps: what a network gains from time is beyond these figures.
Run from the checkout: `python bench/simulation.py unav100_annotations.json [--width 64] [--edition 1]`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.datasets.annotations import Annotations, read_annotations
from avloc.datasets.simulate import choose_videos, world_of
from avloc.datasets.simulation import World, simulate_video
from avloc.datasets.strengths import strengths_of
from avloc.features.layout import ONEPEACE

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Steps:
    """Steps of many videos: inputs (S, W) by sight, by sound, side by side; truth (S, K)."""

    inputs: dict[str, Float]
    truth: NDArray[np.bool_]


def collect(world: World, annotations: Annotations, subset: str, videos: int) -> tuple[Steps, Steps, float]:
    """Single steps, means over events, and videos made in a second."""
    steps: list[list[Float]] = [[], []]
    pooled: list[list[Float]] = [[], []]
    truths, event_truths, spent = [], [], 0.0
    for video, truth in choose_videos(annotations, {subset: videos}, 0).items():
        labels = np.array([annotations.labels.index(name) for name in truth.events.labels], np.intp)
        began = time.perf_counter()
        features = simulate_video(world, video, truth.duration_s, truth.events, labels)
        spent += time.perf_counter() - began
        moment = ONEPEACE.grid.to_seconds(np.arange(len(features[0])))[:, None]
        inside = (moment > truth.events.start_s) & (moment < truth.events.end_s)  # (T, N)
        positive = np.zeros((len(moment), len(annotations.labels)), bool)
        for n, label in enumerate(labels):
            positive[inside[:, n], label] = True
        truths.append(positive)
        some = np.flatnonzero(inside.any(axis=0))
        event_truths.append(np.eye(len(annotations.labels), dtype=bool)[labels[some]])
        for m in range(2):
            steps[m].append(features[m])
            pooled[m].append(np.stack([features[m][inside[:, n]].mean(axis=0) for n in some]))
    both = (
        Steps(_sides([np.concatenate(x) for x in parts]), np.concatenate(rows))
        for parts, rows in ((steps, truths), (pooled, event_truths))
    )
    single, events = both
    return single, events, videos / spent


def _sides(arrays: list[Float]) -> dict[str, Float]:
    return {"sight": arrays[0], "sound": arrays[1], "both": np.concatenate(arrays, axis=1)}


def probe(train: Float, truth: NDArray[np.bool_], hidden: int, epochs: int) -> Callable[[Float], Float]:
    """One logistic regression a class, trained together; `hidden` units between, if any."""
    torch.manual_seed(0)
    mean, spread = train.mean(axis=0), train.std(axis=0)
    inputs = torch.from_numpy((train - mean) / spread)
    targets = torch.from_numpy(truth.astype(np.float32))
    width, classes = train.shape[1], truth.shape[1]
    layers = [torch.nn.Linear(width, hidden), torch.nn.ReLU()] if hidden else []
    network = torch.nn.Sequential(*layers, torch.nn.Linear(hidden or width, classes))
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(2048 if len(inputs) > 50_000 else 128):
            loss = (
                torch.nn.functional.binary_cross_entropy_with_logits(network(inputs[rows]), targets[rows]) * classes
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def score(x: Float) -> Float:
        with torch.no_grad():
            return np.asarray(network(torch.from_numpy((x - mean) / spread)).numpy())

    return score


def accuracy(scores: Float, truth: NDArray[np.bool_]) -> float:
    single = truth.sum(axis=1) == 1
    return float((scores[single].argmax(axis=1) == truth[single].argmax(axis=1)).mean())


def mean_precision(scores: Float, truth: NDArray[np.bool_]) -> float:
    values = []
    for k in np.flatnonzero(truth.sum(axis=0) > 20):
        hits = truth[np.argsort(-scores[:, k], kind="stable"), k]
        precision = hits.cumsum() / np.arange(1, len(hits) + 1)
        values.append(precision[hits].mean())
    return float(np.mean(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("annotations")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--edition", type=int, choices=(1, 2), default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    annotations = read_annotations(options.annotations)
    widths = (options.width, options.width)
    world = world_of(annotations, ONEPEACE.grid, widths, 0, strengths_of(options.edition))
    train, train_events, speed = collect(world, annotations, "train", 1000)
    seen, seen_events, _ = collect(world, annotations, "validation", 333)
    print(f"{speed:.0f} videos a second at width {options.width}, without writing them")
    print(f"{'':22}{'sight':>14}{'sound':>14}{'both':>14}")
    for name, hidden, epochs in (("steps, linear", 0, 3), ("steps, hidden layer", 256, 4)):
        cells = []
        for side in train.inputs:
            scores = probe(train.inputs[side], train.truth, hidden, epochs)(seen.inputs[side])
            cells.append(f"{accuracy(scores, seen.truth):.3f} / {mean_precision(scores, seen.truth):.3f}")
        print(f"{name:22}" + "".join(f"{cell:>14}" for cell in cells))
    cells = []
    for side in train_events.inputs:
        scores = probe(train_events.inputs[side], train_events.truth, 256, 15)(seen_events.inputs[side])
        cells.append(f"{accuracy(scores, seen_events.truth):.3f}")
    print(f"{'true events, hidden':22}" + "".join(f"{cell:>14}" for cell in cells))


if __name__ == "__main__":
    main()
