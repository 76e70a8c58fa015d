"""Cost of the network at the paper's width: training step, forward pass, and growth with the length of the video.

    python bench/training.py             # training step and forward at batch 16 and 1
    python bench/training.py --growth    # forward time from 256 to 8192 steps

The yardstick is a plain reference in the same run: the same network with dense cross-attention, targets assigned
moment by moment in Python, and losses level by level.
"""

from __future__ import annotations

import argparse
import math
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from avloc.config import AttentionConfig, LocoConfig, LossConfig
from avloc.learning.criterion import Criterion
from avloc.learning.focal import focal_loss
from avloc.learning.iou_loss import giou_loss
from avloc.learning.targets import Truth, assign_targets
from avloc.models.loco import Loco, Outputs
from avloc.recipes.unav100 import loco_unav100_onepeace
from avloc.timegrid import Moments, pyramid_moments

T, B, EVENTS, RUNS = 256, 16, 5, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--growth", action="store_true", help="forward time by length instead")
    options = parser.parse_args()
    network = loco_unav100_onepeace().network
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    if options.growth:
        growth(network)
    else:
        forward(network)
        step(network)


def forward(network: LocoConfig) -> None:
    model = Loco(network).eval()
    visual, audio, mask = inputs(network, 1, T)
    with torch.no_grad():
        ms = 1000 * seconds(lambda: model(visual, audio, mask), runs=9)
    print(f"forward of one video of {T} steps: {ms:.0f} ms")


def step(network: LocoConfig) -> None:
    visual, audio, mask = inputs(network, B, T)
    truth = some_truth()
    model = Loco(network).train()
    criterion = Criterion(LossConfig(), network.lcc, network.levels)
    optimizer = torch.optim.AdamW(model.parameters())
    outputs = model(visual, audio, mask)
    moments = pyramid_moments(T, network.levels)

    def whole() -> None:
        criterion(model(visual, audio, mask), mask, truth).total.backward()
        optimizer.step()
        optimizer.zero_grad()

    parts = {
        "forward": lambda: model(visual, audio, mask),
        "target assignment": lambda: assign_targets(moments, truth, outputs.mask, network.classes),
        "losses": lambda: criterion(outputs, mask, truth),
        "whole step": whole,
    }
    times = {name: seconds(work) for name, work in parts.items()}
    for name, value in times.items():
        print(f"training at batch {B}: {name:18s} {value:7.3f} s  ({1000 * value / B:.1f} ms a video)")
    del outputs
    plain = Loco(replace(network, attention=AttentionConfig(kind="global"))).train()
    plain_optimizer = torch.optim.AdamW(plain.parameters())

    def reference() -> None:
        plain_loss(plain(visual, audio, mask), truth, moments).backward()
        plain_optimizer.step()
        plain_optimizer.zero_grad()

    slow = seconds(reference)
    print(f"plain reference, whole step: {slow:.3f} s; ratio {slow / times['whole step']:.2f}")
    print(f"largest memory so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def growth(network: LocoConfig) -> None:
    lengths = (256, 512, 1024, 2048, 4096, 8192)
    kinds = {
        "as in the paper": network,
        "self-attention in windows of 64": replace(network, self_window=64),
        "global cross-attention": replace(network, attention=AttentionConfig(kind="global")),
    }
    for name, config in kinds.items():
        model = Loco(config).eval()
        times = []
        for length in lengths:
            visual, audio, mask = inputs(config, 1, length)
            with torch.no_grad():
                times.append(seconds(partial(model, visual, audio, mask)))
        exponent = np.polyfit(np.log(lengths), np.log(times), 1)[0]
        said = ", ".join(f"{n}: {1000 * t:.0f} ms" for n, t in zip(lengths, times, strict=True))
        print(f"{name}: exponent {exponent:.2f} ({said})", flush=True)


def plain_loss(outputs: Outputs, truth: Truth, moments: Moments) -> torch.Tensor:
    """Targets moment by moment, losses level by level."""
    total = outputs.logits.new_zeros(())
    for b in range(len(truth.labels)):
        positive = torch.zeros_like(outputs.logits[b], dtype=torch.bool)
        offsets = torch.zeros_like(outputs.offsets[b])
        events = list(zip(truth.segments[b].tolist(), truth.labels[b].tolist(), strict=True))
        for p in range(len(moments)):
            t = float(moments.step[p])
            shortest: dict[int, float] = {}
            for (start, end), label in events:
                reach = max(t - start, end - t)
                inside = start < t < end and moments.reach_min[p] <= reach < moments.reach_max[p]
                if inside and end - start < shortest.get(label, math.inf):
                    shortest[label] = end - start
                    positive[p, label] = True
                    offsets[p, label] = torch.tensor([t - start, end - t]) / float(moments.stride[p])
        for level in range(int(moments.level.max()) + 1):
            at = torch.from_numpy(moments.level == level)
            total = total + focal_loss(outputs.logits[b, at], positive[at]).sum() / 250
            predicted, wanted = outputs.offsets[b, at][positive[at]], offsets[at][positive[at]]
            total = total + giou_loss(predicted, wanted).sum() / 250
    return total


def inputs(network: LocoConfig, batch: int, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    visual = torch.randn(batch, length, network.visual_width)
    audio = torch.randn(batch, length, network.audio_width)
    return visual, audio, torch.ones(batch, length, dtype=torch.bool)


def some_truth() -> Truth:
    torch.manual_seed(1)
    start = torch.rand(B, EVENTS) * 200
    segments = torch.stack([start, start + 2 + torch.rand(B, EVENTS) * 50], dim=-1)
    return Truth(segments, torch.randint(0, 100, (B, EVENTS)))


def seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median of `runs` after one that warms up."""
    work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
