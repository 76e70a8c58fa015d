"""TriDet: its block and its decoding against the formulas written out, what is decoded when, where noise comes in."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest
import torch
from torch import Tensor

from avloc.config import DenseLossConfig, TriDetConfig
from avloc.errors import ConfigError
from avloc.learning.dense import DenseCriterion
from avloc.learning.losses import Truth
from avloc.models.outputs import pyramid_points
from avloc.models.tridet import Boundary, SgpBlock, TriDet, TriDetOutputs, neighbours

SMALL = TriDetConfig(
    classes=3, visual_width=7, audio_width=5, steps=64, width=16, levels=4, head_width=16, hidden=24, bins=4
)


def perturbed(module: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(1)
    module = module.double().eval()
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return module


def plain_block(block: SgpBlock, x: Tensor, n: int) -> Tensor:
    """The block on one sequence (T, C) of which n steps are valid, with torch's own layers, channels first."""
    reads, T, C = block.reads_padding, len(x), x.shape[1]
    y = (x if reads else x.masked_fill((torch.arange(T) >= n)[:, None], -torch.inf)).T[None]
    valid = torch.arange(T) < n
    if block.stride > 1:
        y, valid = torch.nn.functional.max_pool1d(y, 3, 2, 1), valid[::2]
    y = y.masked_fill(y.isinf(), 0.0)
    length = len(valid) if reads else int(valid.sum())
    if not reads:
        y, valid = y[..., :length], valid[:length]  # as if nothing followed
    o = block.norm(y[0].T).T[None]
    phi = torch.relu(block.average(o.mean(dim=2, keepdim=True)))
    out = block.instant(o) * phi + (block.narrow(o) + block.wide(o)) * block.gate(o) + o
    z = y * valid + block.path_out.scale[:, None] * out
    group = torch.nn.functional.group_norm(z, 16, block.norm_ffn.weight, block.norm_ffn.bias)
    z = z + block.path_ffn.scale[:, None] * block.ffn(group[0].T).T
    rows = torch.zeros(T // block.stride, C, dtype=x.dtype)
    rows[:length] = z[0].T
    return rows


@torch.no_grad()
@pytest.mark.parametrize("reads_padding", [True, False])
@pytest.mark.parametrize(("stride", "window"), [(1, 1), (2, 1), (2, 3)])
def test_the_block_is_the_formula(stride: int, window: int, reads_padding: bool) -> None:
    config = replace(SMALL, width=32, reads_padding=reads_padding, window_growth=1.7)
    block = perturbed(SgpBlock(config, stride=stride, window=window, drop_path=0.1))
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(3, 12, 32, generator=generator, dtype=torch.float64)
    mask = torch.arange(12)[None] < torch.tensor([[12], [7], [1]])
    got, half = block(x, mask)
    assert torch.equal(half, mask[:, ::stride])
    for b, n in enumerate((12, 7, 1)):
        torch.testing.assert_close(got[b], plain_block(block, x[b], n), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("window", "growth", "kernel"), [(1, 5.0, 11), (15, 1.3, 21), (15, 1.2, 19), (1, 1.25, 3)])
def test_the_wide_kernel_is_odd(window: int, growth: float, kernel: int) -> None:
    block = SgpBlock(replace(SMALL, window_growth=growth), window=window)
    assert block.wide.kernel_size == (kernel,)


def outputs(config: TriDetConfig = SMALL, videos: int = 2, steps: int = 40) -> TriDetOutputs:
    torch.manual_seed(0)
    network = TriDet(config).eval()
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.3 * torch.randn(p.shape))
    mask = torch.arange(steps)[None] < torch.tensor([[steps], [23]])[:videos]
    return network(torch.randn(videos, steps, 7), torch.randn(videos, steps, 5), mask)


@torch.no_grad()
def test_decoding_is_the_formula() -> None:
    said = outputs(videos=1)
    nb, levels = SMALL.bins, [40, 20, 10, 5]
    first = 0
    for T in levels:
        for t in range(T):
            p = first + t
            for c in range(3):
                for side, boundary in enumerate((said.start, said.end)):
                    steps = range(t - nb, t + 1) if side == 0 else range(t, t + nb + 1)
                    logits = torch.stack(
                        [
                            (boundary.logits[0, first + i, c] if 0 <= i < T else torch.tensor(0.0))
                            + boundary.bins[0, p, j]
                            for j, i in enumerate(steps)
                        ]
                    )
                    expected = sum(a * abs(t - i) for a, i in zip(logits.softmax(0), steps, strict=True))
                    assert float(said.offsets[0, p, c, side]) == pytest.approx(float(expected), abs=1e-4)
        first += T


def test_chosen_offsets_are_those_of_all() -> None:
    said = outputs()
    at = tuple(torch.randint(0, most, (200,)) for most in (2, said.logits.shape[1], 3))
    torch.testing.assert_close(said.offsets_at(at), said.offsets[at])  # type: ignore[arg-type, index]
    assert said.offsets_at(tuple(x[:0] for x in at)).shape == (0, 2)  # type: ignore[arg-type]


def test_training_decodes_positives_alone() -> None:
    said = outputs(videos=1)
    truth = Truth(torch.tensor([[[3.0, 20.0]]]), torch.tensor([[1]]))
    with patch.object(Boundary, "everywhere", side_effect=AssertionError("all was decoded")):
        DenseCriterion(DenseLossConfig(iou_weight_power=0.2))(said, truth).total.backward()
        with pytest.raises(AssertionError):
            _ = said.segments


def test_neighbours_end_with_their_level() -> None:
    near = neighbours(pyramid_points(4, 2), torch.arange(-1, 2))
    assert near.tolist() == [[6, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 6], [6, 4, 5], [4, 5, 6]]


def test_boundary_heads_do_not_shape_features() -> None:
    network = TriDet(SMALL)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.3 * torch.randn(p.shape))
    said = network(torch.randn(1, 16, 7), torch.randn(1, 16, 5), torch.ones(1, 16, dtype=torch.bool))
    (said.start.logits.sum() + said.end.logits.sum()).backward()
    assert network.start.convs.last.conv.weight.grad is not None
    assert network.embedding.convs[0].conv.weight.grad is None


def test_noise_is_for_training_alone_and_changes_no_form() -> None:
    torch.manual_seed(0)
    network = TriDet(replace(SMALL, input_noise=0.5, drop_path=0.0))
    inputs = torch.randn(1, 16, 7), torch.randn(1, 16, 5), torch.ones(1, 16, dtype=torch.bool)
    with torch.no_grad():
        trained = [network.train()(*inputs) for _ in range(2)]
        quiet = [network.eval()(*inputs) for _ in range(2)]
    assert not torch.allclose(trained[0].logits, trained[1].logits)
    assert torch.equal(quiet[0].logits, quiet[1].logits)
    assert all(type(said) is TriDetOutputs for said in (*trained, *quiet))


def test_depthwise_kernels_start_as_their_settings_say() -> None:
    torch.manual_seed(0)
    for deviation in (0.0, 0.2):
        block = SgpBlock(replace(SMALL, start_deviation=deviation, width=512))
        assert float(block.wide.weight.detach().std()) == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"width": 24}, "network.width"),
        ({"windows": (2,)}, "network.windows"),
        ({"windows": (1, 3)}, "network.windows"),
        ({"windows": ()}, "network.windows"),
        ({"boundary_kernel": 2}, "network.boundary_kernel"),
        ({"bins": 0}, "network.bins"),
        ({"input_noise": float("nan")}, "network.input_noise"),
    ],
)
def test_settings_that_no_network_can_be_made_of(changes: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        replace(SMALL, **changes)  # type: ignore[arg-type]
