"""Cost of ActionFormer and TriDet at UnAV-100's width (I3D and VGGish, 224 steps): forward pass and training step.

    python bench/dense_methods.py

The yardstick is a plain reference in the same run: the same networks with necks and heads level by level, TriDet's
convolutions one by one and its boundaries decoded for every point and class, targets assigned point by point in
Python, and losses level by level. Processor time of one thread, median of several runs, so that what else the machine
does weighs little.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from statistics import median
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from avloc.config import DenseLossConfig, RunConfig
from avloc.learning.focal import focal_loss
from avloc.learning.iou_loss import diou_loss, interval_iou
from avloc.learning.losses import Truth
from avloc.learning.targets import regression_ranges
from avloc.models.actionformer import ActionFormer
from avloc.models.family import Neck, joined
from avloc.models.network import Network
from avloc.models.outputs import DenseOutputs, Points
from avloc.models.tridet import SgpBlock, TriDet, TriDetOutputs
from avloc.recipes.actionformer import actionformer_unav100_i3d_vggish
from avloc.recipes.tridet import tridet_unav100_i3d_vggish
from avloc.training.describe import describe
from avloc.training.method import build_method

B, T, EVENTS, RUNS = 16, 224, 5, 5


def main() -> None:
    torch.set_num_threads(1)
    print(f"one thread, torch {torch.__version__}; processor time, median of {RUNS}; batch {B} of {T} steps")
    for recipe in (actionformer_unav100_i3d_vggish, tridet_unav100_i3d_vggish):
        compare(recipe())


def compare(run: RunConfig) -> None:
    name = run.network.method
    about = describe(run.network, T)
    print(f"{name}: {about.parameters / 1e6:.2f} M parameters, {about.macs / 1e9:.2f} G multiply-accumulates a video")
    torch.manual_seed(0)
    method = build_method(run)
    network = method.network.train()
    visual, audio = torch.randn(B, T, run.network.visual_width), torch.randn(B, T, run.network.audio_width)
    mask, truth = torch.ones(B, T, dtype=torch.bool), some_truth(run.network.classes)

    def step(network: Network, loss: Callable[[DenseOutputs], Tensor]) -> None:
        loss(network(visual, audio, mask)).backward()
        network.zero_grad()

    def forward(network: Network) -> None:
        with torch.no_grad():
            network(visual[:1], audio[:1], mask[:1])

    def ours(outputs: DenseOutputs) -> Tensor:
        return method.criterion(outputs, truth).total

    if isinstance(network, TriDet):
        with torch.no_grad():
            outputs = network(visual, audio, mask)
        all_points = partial(differentiated, decoding_all(ours), outputs)
        tell("losses with TriDet's boundaries", partial(differentiated, ours, outputs), all_points, "of all points")
    plain = plainly(deepcopy(network))
    theirs = partial(plain_loss, cast(DenseLossConfig, run.loss), truth)
    tell("forward of one video", partial(forward, network), partial(forward, plain))
    tell("training step", partial(step, network, ours), partial(step, plain, theirs))


def differentiated(loss: Callable[[DenseOutputs], Tensor], outputs: TriDetOutputs) -> None:
    """Loss and gradient of what the network said, as leaves."""
    sides = (outputs.start, outputs.end)
    leaves = [x.detach().requires_grad_() for side in sides for x in (side.logits, side.bins)]
    logits = outputs.logits.detach().requires_grad_()
    start, end = (
        type(side)(leaves[2 * i], leaves[2 * i + 1], side.near, side.distance) for i, side in enumerate(sides)
    )
    loss(TriDetOutputs(logits, start, end, outputs.mask, outputs.points)).backward()


def decoding_all(loss: Callable[[DenseOutputs], Tensor]) -> Callable[[DenseOutputs], Tensor]:
    """The same loss of outputs whose offsets are there for every point and class."""
    return lambda o: loss(DenseOutputs(o.logits, o.offsets, o.mask, o.points))


def plainly(network: Network) -> Network:
    """The same weights; what the levels share runs level by level, what convolutions share runs one by one."""
    assert isinstance(network, ActionFormer | TriDet)
    for block in network.modules():
        if isinstance(block, SgpBlock):
            block._perceive = partial(perceive_plainly, block)  # type: ignore[method-assign]
    network.neck.forward = partial(by_level, network.neck)  # type: ignore[method-assign]
    heads = ("classify", "regress", "start", "end")
    for head in (getattr(network, name) for name in heads if hasattr(network, name)):
        head.convs.forward = partial(level_by_level, head.convs.forward, network)
    return network


def by_level(neck: Neck, levels: list[Tensor], masks: list[Tensor]) -> object:
    """Without gaps: heads take the row apart again."""
    return joined([norm(x) for norm, x in zip(neck.norms, levels, strict=True)], masks, 0)


def level_by_level(convs: Callable[..., Tensor], network: Network, x: Tensor, mask: Tensor, real: object) -> Tensor:
    """A head on each level by itself."""
    levels = network.config.levels  # type: ignore[attr-defined]
    finest = x.shape[1] * 2 ** (levels - 1) // (2**levels - 1)
    lengths = [finest >> level for level in range(levels)]
    return torch.cat([convs(a, m) for a, m in zip(x.split(lengths, 1), mask.split(lengths, 1), strict=True)], dim=1)


def perceive_plainly(block: SgpBlock, o: Tensor, mask: Tensor | None) -> Tensor:
    """Five depthwise convolutions, all points valid."""
    x = o.transpose(1, 2)
    phi = torch.relu(block.average(x.mean(dim=2, keepdim=True)))
    return (block.instant(x) * phi + (block.narrow(x) + block.wide(x)) * block.gate(x) + x).transpose(1, 2)


def plain_loss(config: DenseLossConfig, truth: Truth, outputs: DenseOutputs) -> Tensor:
    """Targets point by point, losses level by level, offsets decoded everywhere."""
    everywhere = outputs.offsets
    low, high = regression_ranges(outputs.points, config.ranges)
    total = outputs.logits.new_zeros(())
    for b in range(len(truth.labels)):
        positive, wanted = plain_targets(config, truth, outputs.points, low, high, b, outputs.logits.shape[2])
        for stride in outputs.points.stride.unique():
            at = outputs.points.stride == stride
            on, label = positive[at].nonzero(as_tuple=True)
            own = label if everywhere.shape[2] > 1 else torch.zeros_like(label)
            predicted, target = everywhere[b, at][on, own], wanted[at][on]
            focal = focal_loss(outputs.logits[b, at], positive[at].float())
            if config.iou_weight_power is not None:
                weight = torch.ones_like(focal)
                weight = weight.index_put((on, label), interval_iou(predicted, target).clamp(min=1e-6))
                focal = focal * weight
            total = total + (focal.sum() + diou_loss(predicted, target).sum()) / 250
    return total


def plain_targets(
    config: DenseLossConfig, truth: Truth, points: Points, low: Tensor, high: Tensor, b: int, classes: int
) -> tuple[Tensor, Tensor]:
    """Positives (P, K) and offsets (P, 2) of one video: at each point the shortest event that it answers for."""
    positive = torch.zeros(len(points), classes, dtype=torch.bool)
    offsets = torch.zeros(len(points), 2)
    events = list(zip(truth.segments[b].tolist(), truth.labels[b].tolist(), strict=True))
    rows = zip(points.step.tolist(), points.stride.tolist(), low.tolist(), high.tolist(), strict=True)
    for p, (t, stride, least, most) in enumerate(rows):
        shortest = math.inf
        for (start, end), label in events:
            centre, radius = (start + end) / 2, (config.centre_radius or math.inf) * stride
            inside = max(start, centre - radius) < t < min(end, centre + radius)
            if inside and least <= max(t - start, end - t) <= most and end - start < shortest:
                shortest = end - start
                positive[p] = F.one_hot(torch.tensor(label), classes).bool()
                offsets[p] = torch.tensor([t - start, end - t]) / stride
    return positive, offsets


def some_truth(classes: int) -> Truth:
    torch.manual_seed(1)
    start = torch.rand(B, EVENTS) * 0.7 * T
    segments = torch.stack([start, start + 2 + torch.rand(B, EVENTS) * 0.3 * T], dim=-1)
    return Truth(segments, torch.randint(0, classes, (B, EVENTS)))


def tell(what: str, ours: Callable[[], object], plain: Callable[[], object], yardstick: str = "plain") -> None:
    """Medians of processor time, run by turns behind one run each that warms up."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(RUNS + 1):
        for work, own in zip((ours, plain), times, strict=True):
            began = time.process_time()
            work()
            if turn:
                own.append(time.process_time() - began)
    mine, slow = (median(own) for own in times)
    print(
        f"  {what:32s} {1000 * mine:7.0f} ms; {yardstick}: {1000 * slow:.0f} ms, ratio {slow / mine:.2f}", flush=True
    )


if __name__ == "__main__":
    main()
