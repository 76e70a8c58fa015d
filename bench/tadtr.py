"""Cost of TadTR on a batch of 16 videos of 224 steps: processor time of a forward pass and of a training step.

    python bench/tadtr.py

The yardsticks are parts written the way they are elsewhere, in the same run: places sampled as a picture one step
high (grid_sample), regions sample by sample instead of in one product. One thread; the least of several runs, so that
what else the machine does weighs little.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from avloc.config import RunConfig, TadTrConfig
from avloc.learning.losses import Truth
from avloc.models.sampling import region_means, sample_fading, sample_linear
from avloc.recipes.tadtr import tadtr_unav100_i3d_vggish
from avloc.training.describe import describe
from avloc.training.method import build_method

B, T, EVENTS, RUNS = 16, 224, 4, 5


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    run = tadtr_unav100_i3d_vggish()
    config = cast(TadTrConfig, run.network)
    about = describe(config, T)
    print(f"{about.parameters / 1e6:.2f} M parameters, {about.macs / 1e9:.2f} G multiply-accumulates a video")
    whole(run)
    places(config)
    regions(config)


def whole(run: RunConfig) -> None:
    method = build_method(run)
    network, c = method.network, method.network.config
    visual, audio = torch.randn(B, T, c.visual_width), torch.randn(B, T, c.audio_width)
    mask = torch.ones(B, T, dtype=torch.bool)
    segments = torch.sort(torch.rand(B, EVENTS, 2) * T, dim=2).values
    truth = Truth(segments, torch.randint(0, c.classes, (B, EVENTS)))

    def step() -> None:
        method.criterion(network(visual, audio, mask), truth).total.backward()
        network.zero_grad()

    network.eval()
    with torch.no_grad():
        tell("forward", seconds(lambda: network(visual, audio, mask)))
        outputs = network(visual, audio, mask)
        tell("matching and losses", seconds(lambda: method.criterion(outputs, truth)))
    network.train()
    tell("training step", seconds(step))


def places(config: TadTrConfig) -> None:
    """All places of one encoder layer."""
    H, D = config.heads, config.width // config.heads
    value = torch.randn(B, H, T, D)
    points = torch.rand(B, H, T * config.encoder_points) * T

    def as_picture(x: Tensor, at: Tensor) -> Tensor:
        where = torch.stack([(2 * at + 1) / T - 1, torch.zeros_like(at)], dim=-1).flatten(0, 1)[:, None]
        picture = x.transpose(2, 3).flatten(0, 1)[:, :, None]  # (B * H, D, 1, T)
        return F.grid_sample(picture, where, align_corners=False)[:, :, 0].unflatten(0, (B, H)).transpose(2, 3)

    assert torch.allclose(sample_fading(value, points), as_picture(value, points), atol=1e-4)
    with torch.no_grad():
        tell("places of an encoder layer", seconds(lambda: sample_fading(value, points)))
        tell("  as a picture", seconds(lambda: as_picture(value, points)))


def regions(config: TadTrConfig) -> None:
    """All regions of a batch, of the lengths that predictions have at the start of training."""
    bins = config.region_bins
    memory, lengths = torch.randn(B, T, config.width), torch.full((B,), float(T))
    size = 0.12 * 1.5 * T
    start = torch.rand(B, config.queries) * (T - size)

    def by_sample(x: Tensor) -> Tensor:
        samples = torch.ceil(torch.tensor(size / bins))
        within = (torch.arange(int(samples)) + 0.5) / samples
        at = start[..., None, None] + (torch.arange(bins)[:, None] + within) * (size / bins)
        return sample_linear(x[:, None], at.flatten(1)[:, None], lengths)[0].reshape(*at.shape, -1).mean(dim=3)

    def in_one(x: Tensor) -> Tensor:
        return region_means(x, start, start + size, lengths, bins)

    assert torch.allclose(in_one(memory), by_sample(memory), atol=1e-3)
    memory.requires_grad_()
    tell("regions and their gradient", seconds(lambda: in_one(memory).sum().backward()))
    tell("  sample by sample", seconds(lambda: by_sample(memory).sum().backward()))


def seconds(task: Callable[[], object]) -> float:
    """Processor time of a run, the least of several."""
    times = []
    for _ in range(RUNS):
        began = time.process_time()
        task()
        times.append(time.process_time() - began)
    return min(times)


def tell(what: str, taken: float) -> None:
    print(f"{what}: {1000 * taken:.0f} ms, {1000 * taken / B:.1f} a video")


if __name__ == "__main__":
    main()
