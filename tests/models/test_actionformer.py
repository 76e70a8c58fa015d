"""ActionFormer: its block against the formula written out, its padding, its start, what its settings refuse."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from avloc.config import ActionFormerConfig
from avloc.errors import ConfigError
from avloc.models.actionformer import ActionFormer
from avloc.models.blocks import MaskedConv, apart, in_one_row, real_steps, sinusoid
from avloc.models.conv_attention import ConvAttentionBlock
from avloc.models.family import padded_length

SMALL = ActionFormerConfig(
    classes=3, visual_width=7, audio_width=5, steps=64, width=16, heads=2, levels=4, head_width=16
)


def perturbed(module: torch.nn.Module) -> torch.nn.Module:
    """In double precision, every parameter of a size that matters."""
    generator = torch.Generator().manual_seed(1)
    module = module.double().eval()
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return module


def normed(x: Tensor, norm: torch.nn.Module) -> Tensor:
    x = (x - x.mean()) / ((x - x.mean()) ** 2).mean().add(1e-5).sqrt()
    return x * norm.weight + norm.bias


def plain_block(block: ConvAttentionBlock, s: Tensor, q: Tensor, n: int, window: int) -> Tensor:
    """The block on one sequence (T, C) of which n steps are valid, step by step."""
    T, C = s.shape
    r, H = block.stride, block.attention.heads
    valid = [t * r < n for t in range(T // r)]
    u = torch.stack([normed(x, block.norm_stream) for x in s])
    w = u if block.norm_query is None else torch.stack([normed(x, block.norm_query) for x in q])

    def projected(x: Tensor, own: torch.nn.Module) -> Tensor:
        out = []
        for t in range(T // r):
            at = [t * r + d for d in (-1, 0, 1)]
            near = sum(
                own.conv.weight[:, 0, j] * x[i]
                for j, i in enumerate(at)
                if 0 <= i < T and (block.reads_padding or i < n)
            )
            out.append(own.project(normed(near if valid[t] else torch.zeros(C, dtype=x.dtype), own.norm)))
        return torch.stack(out)

    Q, K, V = (
        projected(x, p)
        for x, p in zip((w, u, u), (block.attention.query, block.attention.key, block.attention.value), strict=True)
    )
    out = []
    for t in range(T // r):
        if not valid[t]:
            out.append(torch.zeros(C, dtype=s.dtype))
            continue
        seen = [j for j in range(T // r) if valid[j] and (not window or abs(j - t) <= window // 2)]
        heads = []
        for h in range(H):
            part = slice(h * C // H, (h + 1) * C // H)
            weights = torch.softmax(torch.stack([Q[t, part] @ K[j, part] / math.sqrt(C / H) for j in seen]), 0)
            heads.append(sum(a * V[j, part] for a, j in zip(weights, seen, strict=True)))
        near = [i for i in range(t * r - (r > 1), t * r + r) if 0 <= i < T and (block.reads_padding or i < n)]
        skip = torch.stack([s[i] for i in near]).amax(0)
        y = skip + block.path_attention.scale * block.attention.out(torch.cat(heads))
        out.append(y + block.path_ffn.scale * block.ffn(normed(y, block.norm_ffn)))
    return torch.stack(out)


@torch.no_grad()
@pytest.mark.parametrize("reads_padding", [True, False])
@pytest.mark.parametrize("crossed", [True, False])
@pytest.mark.parametrize(("stride", "window"), [(1, 0), (2, 0), (1, 2), (2, 4)])
def test_the_block_is_the_formula(stride: int, window: int, crossed: bool, reads_padding: bool) -> None:
    block = ConvAttentionBlock(
        8, 2, stride=stride, window=window, drop_path=0.1, crossed=crossed, reads_padding=reads_padding
    )
    perturbed(block)
    generator = torch.Generator().manual_seed(2)
    stream, query = torch.randn(2, 3, 12, 8, generator=generator, dtype=torch.float64)
    mask = torch.arange(12)[None] < torch.tensor([[12], [7], [1]])
    got, half = block(stream, mask, query if crossed else None)
    assert torch.equal(half, mask[:, ::stride])
    for b, n in enumerate((12, 7, 1)):
        expected = plain_block(block, stream[b], query[b] if crossed else stream[b], n, window)
        torch.testing.assert_close(got[b], expected)


@torch.no_grad()
def test_a_crossed_block_asks_itself_where_nobody_else_does() -> None:
    block = perturbed(ConvAttentionBlock(8, 2, crossed=True, drop_path=0.1))
    stream, mask = torch.randn(1, 6, 8, dtype=torch.float64), torch.ones(1, 6, dtype=torch.bool)
    assert torch.equal(block(stream, mask)[0], block(stream, mask, stream)[0])


def test_without_drop_path_there_are_no_scales() -> None:
    with_scales, without = (set(ActionFormer(replace(SMALL, drop_path=rate)).state_dict()) for rate in (0.1, 0.0))
    assert {name.rsplit(".", 1)[1] for name in with_scales - without} == {"scale"} and without < with_scales


def test_drop_path_drops_whole_branches_of_a_video_in_training_alone() -> None:
    torch.manual_seed(0)
    block = ConvAttentionBlock(8, 2, drop_path=0.5)
    stream, mask = torch.randn(64, 6, 8), torch.ones(64, 6, dtype=torch.bool)
    with torch.no_grad():
        for path in (block.path_attention, block.path_ffn):
            path.scale.fill_(1.0)
        trained, quiet = block.train()(stream, mask)[0], block.eval()(stream, mask)[0]
    untouched = (trained == stream).all(dim=2).all(dim=1)
    assert 4 < int(untouched.sum()) < 32  # both branches dropped: a quarter
    assert not (quiet == stream).all(dim=2).all(dim=1).any()


@torch.no_grad()
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("reads_padding", [True, False])
def test_a_row_of_levels_is_its_levels(kernel: int, reads_padding: bool) -> None:
    """Also for a second convolution, whose input is not zero between levels."""
    torch.manual_seed(0)
    convs = [MaskedConv(4, 4, kernel, reads_padding=reads_padding) for _ in range(2)]
    norm = torch.nn.LayerNorm(4)
    torch.nn.init.ones_(norm.bias)
    levels = [torch.randn(1, n, 4) for n in (8, 4, 2)]
    masks = [torch.arange(n)[None] < k for n, k in ((8, 8), (4, 3), (2, 2))]
    row, mask, lengths = in_one_row(levels, masks, kernel // 2)
    real = real_steps(lengths, kernel // 2)
    together = convs[1](torch.relu(norm(convs[0](row, mask, real))), mask, real)
    alone = [convs[1](torch.relu(norm(convs[0](x, m))), m) for x, m in zip(levels, masks, strict=True)]
    torch.testing.assert_close(apart(together, lengths, [8, 4, 2]), torch.cat(alone, dim=1))


def test_positions_are_stretched_beyond_the_known_length() -> None:
    code = sinusoid(8, 6)
    assert torch.equal(sinusoid(5, 6, known=8), code[:5]) and torch.equal(sinusoid(8, 6, known=8), code)
    longer = sinusoid(16, 6, known=8)
    for t in range(16):
        at = min(max((t + 0.5) / 2 - 0.5, 0.0), 7.0)
        left = int(at)
        expected = code[left] + (at - left) * (code[min(left + 1, 7)] - code[left])
        torch.testing.assert_close(longer[t], expected)


@pytest.mark.parametrize(
    ("windows", "reads", "length", "expected"),
    [
        ((), True, 40, 48),  # one padded step on the coarsest level is enough
        ((), True, 64, 64),
        ((), True, 72, 72),
        ((5, 5, 5, -1), True, 72, 80),  # windows of 5 on the third level divide 16
        ((), False, 72, 72),
    ],
)
def test_padding_inside(windows: tuple[int, ...], reads: bool, length: int, expected: int) -> None:
    network = ActionFormer(replace(SMALL, windows=windows, reads_padding=reads))
    assert padded_length(length, network.config, network.unit, spare=network.multiple) == expected
    visual, audio = torch.zeros(1, length, 7), torch.zeros(1, length, 5)
    outputs = network(visual, audio, torch.ones(1, length, dtype=torch.bool))
    assert outputs.mask.shape[1] == sum(length >> level for level in range(4))


def test_where_training_starts() -> None:
    torch.manual_seed(0)
    network = ActionFormer(SMALL).eval()
    with torch.no_grad():
        outputs = network(torch.randn(1, 64, 7), torch.randn(1, 64, 5), torch.ones(1, 64, dtype=torch.bool))
    assert float(outputs.scores.mean()) == pytest.approx(SMALL.class_prior, rel=0.5)
    assert 0.2 < float((outputs.offsets > 0).float().mean()) < 0.8
    biases = [p for name, p in network.named_parameters() if name.endswith("bias") and "classify" not in name]
    assert not any(bias.any() for bias in biases)
    scales = [p for name, p in network.named_parameters() if name.endswith("scale")]
    assert len(scales) == 2 * (2 + 3) and all(torch.all(scale == 1e-4) for scale in scales)


def test_a_network_without_sound() -> None:
    network = ActionFormer(replace(SMALL, audio_width=0)).eval()
    outputs = network(torch.randn(1, 32, 7), torch.zeros(1, 32, 0), torch.ones(1, 32, dtype=torch.bool))
    assert torch.isfinite(outputs.segments).all()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"windows": (3, 3)}, "network.windows"),
        ({"windows": (4, 3, 3, 3)}, "network.windows"),
        ({"width": 15, "heads": 1}, "network.width"),
        ({"heads": 3}, "network.width"),
        ({"head_kernel": 4}, "network.head_kernel"),
        ({"embedding_kernel": 2}, "network.embedding_kernel"),
        ({"steps": 60}, "network.steps"),
        ({"drop_path": 1.0}, "network.drop_path"),
    ],
)
def test_settings_that_no_network_can_be_made_of(changes: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        replace(SMALL, **changes)  # type: ignore[arg-type]
