"""How fast candidates are suppressed, beside the plain loop by class: 2,000 candidates of 100 classes a video.

Prints the median over videos, in milliseconds. Run from the checkout: `python bench/soft_nms.py`.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from numpy.typing import NDArray

from avloc.decoding.soft_nms import Decay, soft_nms, vote

Float64 = NDArray[np.float64]
Index = NDArray[np.intp]
Video = tuple[Float64, Float64, Float64, Index]

CANDIDATES, CLASSES, VIDEOS = 2000, 100, 60
SIGMA, MIN_SCORE, IOU = 0.4, 0.001, 0.5
SPREADS = {
    "classes of one size": np.full(CLASSES, 1 / CLASSES),
    "few classes hold most": np.arange(1, CLASSES + 1) ** -1.5 / np.sum(np.arange(1, CLASSES + 1) ** -1.5),
}


def video(rng: np.random.Generator, shares: Float64) -> Video:
    """Candidates over a minute, mostly of low score."""
    start = rng.uniform(0, 60, CANDIDATES)
    label = rng.choice(CLASSES, CANDIDATES, p=shares).astype(np.intp)
    return start, start + rng.exponential(8, CANDIDATES), rng.beta(0.5, 4, CANDIDATES), label


def plain_loop(start: Float64, end: Float64, score: Float64, label: Index, decay: Decay) -> tuple[Index, Float64]:
    """Class by class: take the best, lower the others, drop the low."""
    kept, value = [], []
    for k in np.unique(label):
        rows = np.flatnonzero((label == k) & (score >= MIN_SCORE))
        left = score[rows]
        while len(rows):
            best = int(left.argmax())
            kept.append(rows[best])
            value.append(left[best])
            s, e = start[rows[best]], end[rows[best]]
            rows, left = np.delete(rows, best), np.delete(left, best)
            shared = (np.minimum(end[rows], e) - np.maximum(start[rows], s)).clip(0)
            tiou = shared / ((end[rows] - start[rows]) + (e - s) - shared)
            if decay == "gaussian":
                left = left * np.exp(-(tiou**2) / SIGMA)
            else:
                left = np.where(tiou >= IOU, left * (1 - tiou) if decay == "linear" else 0.0, left)
            stays = left >= MIN_SCORE
            rows, left = rows[stays], left[stays]
    order = np.argsort(-np.array(value), kind="stable")
    return np.array(kept, np.intp)[order], np.array(value)[order]


def main() -> None:
    decays: tuple[Decay, ...] = ("gaussian", "linear", "hard")
    print(f"{'':24} {'':10} {'keep 100':>9} {'keep all':>9} {'voting':>9} {'plain loop':>11}")
    for name, shares in SPREADS.items():
        rng = np.random.default_rng(0)
        videos = [video(rng, shares) for _ in range(VIDEOS)]
        for decay in decays:
            took: dict[str, list[float]] = {"keep 100": [], "keep all": [], "voting": [], "plain": []}
            for i, columns in enumerate(videos):
                marks = [time.perf_counter()]
                few, _ = soft_nms(*columns, sigma=SIGMA, min_score=MIN_SCORE, decay=decay, iou=IOU, keep=100)
                marks.append(time.perf_counter())
                kept, value = soft_nms(*columns, sigma=SIGMA, min_score=MIN_SCORE, decay=decay, iou=IOU)
                marks.append(time.perf_counter())
                vote(*columns, few, iou=0.7)
                marks.append(time.perf_counter())
                if i < 10:
                    plain, expected = plain_loop(*columns, decay)
                    took["plain"].append(time.perf_counter() - marks[-1])
                    assert (kept == plain).all() and np.allclose(value, expected, rtol=1e-12, atol=0)
                    assert (few == plain[:100]).all()
                for key, a, b in zip(took, marks, marks[1:], strict=False):
                    took[key].append(b - a)
            ms = [1000 * statistics.median(times) for times in took.values()]
            print(f"{name:24} {decay:10} {ms[0]:9.2f} {ms[1]:9.2f} {ms[2]:9.2f} {ms[3]:11.2f}")


if __name__ == "__main__":
    main()
