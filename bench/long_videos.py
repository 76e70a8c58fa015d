"""Long videos: memory by length, and stitched windows held against the network over the whole video at once.

    python bench/long_videos.py                      # memory on 5 minutes and 2 hours, agreement on 30 minutes
    python bench/long_videos.py --minutes 5 30       # other lengths
    python bench/long_videos.py --stride-s 2.56      # an eighth of the steps, where time is short

The videos are the sample scene, repeated without coding it anew. Memory is the largest resident set of a process of
its own. For the agreement torch runs the network over all steps of the video at once, which the exported one cannot;
that needs avloc[train]. Events are the same where class and, within 2 s, both ends are. Figures: docs/batch.md.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from avloc.detector import Detector
from avloc.events import Event, Events
from avloc.features.sequence import FeatureSequence
from avloc.runner import OnnxRunner
from avloc.zoo import ONNX, find_model, read_config
from detection import repeat

SAMPLE = Path(__file__).parents[1] / "demo" / "sample.mp4"
SAMPLE_S = 30
AGREE_MINUTES = 30
NEAR_S = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, nargs="*", default=[5, 120])
    parser.add_argument("--model", default="default")
    parser.add_argument("--container", default="mkv", help="mp4 holds a table of all pictures, which is read whole")
    parser.add_argument("--stride-s", type=float, help="in place of the model's own; memory only")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.model, options.stride_s)
        return
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes:
            video = Path(folder) / f"{minutes}.{options.container}"
            repeat(SAMPLE, video, minutes * 60 // SAMPLE_S, SAMPLE_S)
            command = [sys.executable, __file__, "--measure", str(video), "--model", options.model]
            if options.stride_s:
                command += ["--stride-s", str(options.stride_s)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            print(f"{minutes:4d} minutes: {said}", flush=True)
            video.unlink()
        if not options.stride_s:
            video = Path(folder) / f"agreement.{options.container}"
            repeat(SAMPLE, video, AGREE_MINUTES * 60 // SAMPLE_S, SAMPLE_S)
            agreement(video, options.model)


def measure(video: Path, model: str, stride_s: float | None) -> None:
    folder = find_model(model)
    config = read_config(folder)
    if stride_s:
        config = replace(config, features=replace(config.features, stride_s=stride_s))
    detector = Detector(config, OnnxRunner(folder / ONNX, 1), threads=1)
    began = time.perf_counter()
    found = detector.detect_fully(video)
    took_s = time.perf_counter() - began
    # Not getrusage: its maximum is handed down from the process that started this one.
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024  # type: ignore[index]
    print(
        f"peak memory {peak:.0f} MB, {found.duration_s / took_s:.1f} x real time, {len(found.events)} events, "
        f"{len(found.all_events)} candidates, soft-NMS {found.timing.nms_s:.2f} s"
    )


def agreement(video: Path, model: str) -> None:
    from avloc.training.checkpoint import load_model
    from avloc.training.runner import TorchRunner

    detector = Detector.load(model, threads=1)
    features = detector.extractor.extract(video, detector.grid)
    stitched = detector.detect_features(features).events
    network, config = load_model(find_model(model))
    compare("stitched", stitched, whole(features, TorchRunner(network), config.window_steps, detector))


def whole(features: FeatureSequence, runner: object, window_steps: int, detector: Detector) -> Events:
    """Events by the network over all steps at once."""
    coarsest = 2 ** (detector.config.network.levels - 1)
    steps = max(window_steps, -(-len(features) // coarsest) * coarsest)
    many = replace(detector.config.decoding, before_nms=10**9, keep=10**6)
    config = replace(detector.config, window_steps=steps, decoding=many)
    return Detector(config, runner).detect_features(features).events  # type: ignore[arg-type]


def compare(name: str, events: Events, others: Events) -> None:
    """How many events have a partner, and how far apart their ends are; pairs are made nearest first."""
    pairs = sorted(
        (gap_s(a, b), i, j) for i, a in enumerate(events) for j, b in enumerate(others) if a.label == b.label
    )
    left, right, gaps = set(range(len(events))), set(range(len(others))), []
    for gap, i, j in pairs:
        if gap < 2.0 and i in left and j in right:
            left.remove(i), right.remove(j)
            gaps.append(gap)
    near = sum(gap <= NEAR_S for gap in gaps)
    lonely = [events[i].score for i in left] + [others[j].score for j in right]
    print(
        f"{name}: {len(events)} events, whole: {len(others)}; {len(gaps)} the same, {near} of them within {NEAR_S} s "
        f"(ends apart: median {np.median(gaps):.3f} s, 95 % within {np.quantile(gaps, 0.95):.2f} s); "
        f"scores of the {len(lonely)} others at most {max(lonely, default=0):.2f}"
    )


def gap_s(a: Event, b: Event) -> float:
    return max(abs(a.start_s - b.start_s), abs(a.end_s - b.end_s))


if __name__ == "__main__":
    main()
