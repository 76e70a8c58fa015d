"""Cost of the network at the paper's width: training step, forward pass, and growth with the length of the video.

    python bench/training.py             # training step and forward at batch 16 and 1
    python bench/training.py --growth    # forward time from 256 to 8192 steps

The yardstick is a plain reference in the same run: the same network with dense cross-attention, fusion and heads
level by level, targets assigned moment by moment in Python, and losses level by level.
"""

from __future__ import annotations

import argparse
import math
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import numpy as np
import torch

from avloc.config import AttentionConfig, LocoConfig, LocoLossConfig
from avloc.learning.focal import focal_loss
from avloc.learning.iou_loss import giou_loss
from avloc.learning.targets import assign_targets
from avloc.models.loco.network import Loco, LocoOutputs
from avloc.models.outputs import pyramid_points
from avloc.recipes.loco import loco_unav100_onepeace
from avloc.timegrid import Moments, pyramid_moments

T, B, EVENTS, RUNS = 256, 16, 5, 3
PRECISIONS = {"single precision": False, "bf16-mixed": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--growth", action="store_true", help="forward time by length instead")
    options = parser.parse_args()
    network = loco_unav100_onepeace().network
    assert isinstance(network, LocoConfig)
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}")
    if options.growth:
        growth(network)
    else:
        forward(network)
        step(network)


def forward(network: LocoConfig) -> None:
    model = Loco(network).eval()
    visual, audio, mask = inputs(network, 1, T)
    for precision, half in PRECISIONS.items():
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            ms = 1000 * seconds(lambda: model(visual, audio, mask), runs=9)
        print(f"forward of one video of {T} steps, {precision}: {ms:.0f} ms")


def step(network: LocoConfig) -> None:
    visual, audio, mask = inputs(network, B, T)
    truth = some_truth()
    model = Loco(network).train()
    criterion = LocoCriterion(LocoLossConfig(), network.lcc)
    optimizer = torch.optim.AdamW(model.parameters())
    outputs = model(visual, audio, mask)
    moments = pyramid_moments(T, network.levels)

    def whole(half: bool) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = criterion(model(visual, audio, mask), truth).total
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    parts = {
        "forward": lambda: model(visual, audio, mask),
        "target assignment": lambda: assign_targets(outputs.points, truth, outputs.mask, network.classes),
        "losses": lambda: criterion(outputs, truth),
    }
    parts |= {f"whole step, {name}": partial(whole, half) for name, half in PRECISIONS.items()}
    times = {name: seconds(work) for name, work in parts.items()}
    for name, value in times.items():
        print(f"training at batch {B}: {name:28s} {value:7.3f} s  ({1000 * value / B:.1f} ms a video)", flush=True)
    del outputs
    plain = PlainLoco(replace(network, attention=AttentionConfig(kind="global"))).train()
    plain_optimizer = torch.optim.AdamW(plain.parameters())

    def reference() -> None:
        plain_loss(plain(visual, audio, mask), truth, moments).backward()
        plain_optimizer.step()
        plain_optimizer.zero_grad()

    slow = seconds(reference)
    for name in PRECISIONS:
        ratio = slow / times[f"whole step, {name}"]
        print(f"plain reference, whole step: {slow:.3f} s; ratio to {name}: {ratio:.2f}")
    print(f"largest memory so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


class PlainLoco(Loco):
    """The same network, what the levels share run level by level."""

    def forward(self, visual: torch.Tensor, audio: torch.Tensor, mask: torch.Tensor) -> LocoOutputs:
        f_v, f_a = self.visual(visual, mask), self.audio(audio, mask)
        levels, masks = self.pyramid(f_v, f_a, mask)
        logits, offsets = [], []
        for level, (z, own) in enumerate(zip(levels, masks, strict=True)):
            for block in self.fusion:
                z = block(z, own)
            z = self.norm(z)
            logits.append(self.classify(z, own))
            lengths = [z.shape[1] if i == level else 0 for i in range(len(levels))]
            offsets.append(self.regress(z, own, lengths))
        found = self.correspondence(f_v, f_a, mask)
        joined = (torch.cat(parts, dim=1) for parts in (logits, offsets, masks))
        return LocoOutputs(*joined, pyramid_points(mask.shape[1], self.config.levels), found, (f_v, f_a))


def growth(network: LocoConfig) -> None:
    """Time and memory of a forward pass by length; each in a process of its own, for the memory."""
    lengths = (256, 512, 1024, 2048, 4096, 8192)
    kinds = {
        "as in the paper": network,
        "self-attention in windows of 64": replace(network, self_window=64),
        "global cross-attention": replace(network, attention=AttentionConfig(kind="global")),
    }
    for name, config in kinds.items():
        times, sizes = [], []
        for length in lengths:
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                took_s, bytes_more = process.submit(forward_cost, config, length).result()
            times.append(took_s)
            sizes.append(bytes_more)
        for what, values, unit in (("time", times, (1e3, "ms")), ("memory", sizes, (1e-6, "MB"))):
            exponent = np.polyfit(np.log(lengths), np.log(values), 1)[0]
            said = ", ".join(f"{n}: {unit[0] * v:.0f} {unit[1]}" for n, v in zip(lengths, values, strict=True))
            print(f"{name}: {what} grows with exponent {exponent:.2f} ({said})", flush=True)


def forward_cost(network: LocoConfig, length: int) -> tuple[float, int]:
    """Seconds of processor time of a forward pass (one thread, median), and the bytes by which it raises the
    process's largest size. Processor time, because the exponent must not depend on who else computes meanwhile.
    """
    torch.set_num_threads(1)
    model = Loco(network).eval()
    inputs_ = inputs(network, 1, length)
    with torch.no_grad():
        model(*inputs(network, 1, 32))  # what the first pass alone needs
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        model(*inputs_)
        more = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        return seconds(partial(model, *inputs_), clock=time.process_time), more


def plain_loss(outputs: LocoOutputs, truth: Truth, moments: Moments) -> torch.Tensor:
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


def seconds(work: Callable[[], object], runs: int = RUNS, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median of `runs` after one that warms up."""
    work()
    times = []
    for _ in range(runs):
        began = clock()
        work()
        times.append(clock() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
