"""CCNet's own parts against plain loops; its fixed length."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from small import SMALL, small
from torch import Tensor, nn

from avloc.config import CcnetConfig, RunConfig
from avloc.errors import ConfigError, ModelError
from avloc.models.ccnet import Ccnet, Gate, Granularities, TimedDependency, TimeLayers
from avloc.models.dependency import Dependency
from avloc.recipes.ccnet import ccnet_small

CONFIG = SMALL["ccnet"]
assert isinstance(CONFIG, CcnetConfig)
TINY = replace(CONFIG, steps=16, levels=3, width=8, classes=3, dependency_width=4)


def perturbed(module: nn.Module) -> nn.Module:
    """In double precision, all parameters of a size that matters."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in module.double().parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return module.eval()


def network(config: CcnetConfig) -> Ccnet:
    built = small(config)
    assert isinstance(built, Ccnet)
    return built


def layer_norm(x: Tensor, layer: nn.LayerNorm) -> Tensor:
    """Of one step's channels."""
    spread = x - x.mean()
    return spread / (spread.square().mean() + layer.eps).sqrt() * layer.weight + layer.bias


@torch.no_grad()
@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_gate_is_the_formula(stride: int, published: bool) -> None:
    """As published, a gate that halves the rate divides its attention among padded steps too, which say nothing."""
    T, n, C, H = 12, 7, 8, 2
    gate = perturbed(Gate(replace(TINY, reads_padding=published), stride))
    x = torch.randn(T, C, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    mask = torch.arange(T) < n
    half = mask[::stride]

    def projected(norm: nn.LayerNorm, projection: nn.Module) -> Tensor:
        read = [layer_norm(x[t], norm) if published or t < n else torch.zeros(C, dtype=x.dtype) for t in range(T)]
        rows = []
        for i in range(T // stride):
            y = torch.zeros(C, dtype=x.dtype)
            for k in range(3):
                t = i * stride + k - 1
                if half[i] and 0 <= t < T:
                    y = y + projection.conv.weight[:, 0, k] * read[t]
            rows.append(projection.project.weight @ layer_norm(y, projection.norm) + projection.project.bias)
        return torch.stack(rows)

    a = gate.attention
    Q, K, V = (
        projected(norm, p)
        for norm, p in ((gate.norm_query, a.query), (gate.norm_stream, a.key), (gate.norm_stream, a.value))
    )
    expected = []
    for i in range(T // stride):
        if not half[i]:
            expected.append(torch.tensor(0.5, dtype=x.dtype))
            continue
        keys = [j for j in range(T // stride) if half[j] or (published and stride > 1)]
        heads = []
        for h in range(H):
            part = slice(h * C // H, (h + 1) * C // H)
            weights = torch.softmax(torch.stack([Q[i, part] @ K[j, part] / math.sqrt(C / H) for j in keys]), 0)
            heads.append(sum(w * V[j, part] * half[j] for w, j in zip(weights, keys, strict=True)))
        said = a.out.weight @ torch.cat(heads) + a.out.bias
        expected.append(torch.sigmoid(gate.open.weight[0] @ said + gate.open.bias[0]))
    torch.testing.assert_close(gate(x[None], mask[None])[0, :, 0], torch.stack(expected))


@torch.no_grad()
def test_what_layers_along_time_say_is_read_on_with_classes_before_channels() -> None:
    T, K, E = 8, TINY.classes, TINY.dependency_width
    layers = perturbed(TimeLayers(TINY, T))
    assert layers.block.ffn[0].out_features == E
    x = torch.randn(2, T, E, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    got = layers(x)
    assert got.shape == (2, T, K, E)
    for b in range(2):
        rows, _ = layers.block(x[b].T[None], torch.ones(1, E, dtype=torch.bool))
        for c in range(K):
            for j in range(E):
                channel, block = divmod(c * E + j, K)
                for t in range(T):
                    out = block * T + t
                    wanted = layers.spread.weight[out] @ rows[0, channel] + layers.spread.bias[out]
                    torch.testing.assert_close(got[b, t, c, j], wanted.clamp(min=0))


@torch.no_grad()
@pytest.mark.parametrize("published", [True, False])
def test_levels_ask_the_coarser_one_before_and_the_finer_one_behind(published: bool) -> None:
    config = replace(TINY, reads_padding=published)
    module = perturbed(Granularities(config))
    generator = torch.Generator().manual_seed(1)
    levels = [torch.randn(1, 16 >> i, 16, generator=generator, dtype=torch.float64) for i in range(3)]
    masks = [(torch.arange(16) < 10)[None, :: 2**i] for i in range(3)]
    levels = [x * m[..., None] for x, m in zip(levels, masks, strict=True)]
    asked = module._ask_coarser(levels, masks)
    for i in (0, 1):
        linear, coarser = module.stretch[i], levels[i + 1][0]
        question = torch.stack([linear.weight @ coarser[:, c] + linear.bias for c in range(16)], dim=1).clamp(min=0)
        wanted = module.to_finer(levels[i], masks[i], question[None])[0]
        torch.testing.assert_close(asked[i], wanted)
    assert torch.equal(asked[2], levels[2])

    done = module._ask_finer(levels, masks)
    assert torch.equal(done[0], levels[0])
    for i in (0, 1):
        fine, inside = done[i][0], masks[i][0]
        pooled = torch.zeros(len(fine) // 2, 16, dtype=fine.dtype)
        for s in range(len(pooled)):
            near = [t for t in (2 * s - 1, 2 * s, 2 * s + 1) if 0 <= t < len(fine) and (published or inside[t])]
            if near and (published or inside[2 * s]):
                pooled[s] = torch.stack([fine[t] for t in near]).amax(0)
        bears = module.to_coarser[i](pooled[None], masks[i + 1], levels[i + 1])[0]
        torch.testing.assert_close(done[i + 1], levels[i + 1] + bears)


@torch.no_grad()
def test_gates_strengthen_the_other_stream() -> None:
    built = network(TINY)
    generator = torch.Generator().manual_seed(3)
    seen, heard = torch.randn(2, 1, 16, 8, generator=generator)
    mask = torch.ones(1, 16, dtype=torch.bool)
    level = built.streams.levels[1]
    visual, audio, half = level(seen, heard, mask)
    assert half.shape == (1, 8)
    torch.testing.assert_close(visual, level.visual(seen, mask, heard)[0] * (1 + level.from_audio(heard, mask)))
    torch.testing.assert_close(audio, level.audio(heard, mask, seen)[0] * (1 + level.from_visual(seen, mask)))


@torch.no_grad()
def test_padding_is_a_part_of_what_it_sees() -> None:
    """A shorter video is what it is followed by, up to its own length."""
    built = network(TINY)
    generator = torch.Generator().manual_seed(3)
    visual, audio = torch.randn(1, 8, 7, generator=generator), torch.randn(1, 8, 5, generator=generator)
    mask = torch.ones(1, 8, dtype=torch.bool)
    padded = built(F.pad(visual, (0, 0, 0, 8)), F.pad(audio, (0, 0, 0, 8)), F.pad(mask, (0, 8)))
    torch.testing.assert_close(built(visual, audio, mask).logits[0], padded.logits[0][padded.mask[0]])


def test_longer_videos_are_refused() -> None:
    built = network(TINY)
    visual, audio = torch.zeros(1, 20, 7), torch.zeros(1, 20, 5)
    with pytest.raises(ModelError, match="ccnet reads at most 16 steps"):
        built(visual, audio, torch.ones(1, 20, dtype=torch.bool))


def test_so_are_longer_crops() -> None:
    run = ccnet_small()
    with pytest.raises(ConfigError, match="at most 256, the network's own length"):
        replace(run, train=replace(run.train, longest_steps=512))
    assert isinstance(replace(run, network=replace(run.network, steps=512)), RunConfig)


def test_settings() -> None:
    with pytest.raises(ConfigError, match="steps"):
        replace(CONFIG, steps=60)
    assert CONFIG.longest == CONFIG.steps == 64


@pytest.mark.parametrize("method", ["unav", "ccnet"])
@pytest.mark.parametrize("reads_padding", [True, False])
@pytest.mark.parametrize("room", [0, 100_000, 10**9])
def test_what_is_made_anew_for_the_gradient_is_what_was_kept(
    method: str, reads_padding: bool, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where padding is cut."""
    for kind in (Dependency, TimedDependency):
        monkeypatch.setattr(kind, "room", room)
    config = replace(SMALL[method], reads_padding=reads_padding, drop_path=0.0)  # type: ignore[call-arg]
    found = []
    for training in (False, True):
        built = small(config).train(training)
        generator = torch.Generator().manual_seed(3)
        visual, audio = torch.randn(3, 40, 7, generator=generator), torch.randn(3, 40, 5, generator=generator)
        outputs = built(visual, audio, torch.arange(40)[None] < torch.tensor([[29], [0], [13]]))
        (outputs.logits.square().sum() + outputs.offsets.sum()).backward()
        found.append((outputs.logits.detach(), {name: p.grad for name, p in built.named_parameters()}))
    torch.testing.assert_close(found[0][0], found[1][0], atol=1e-5, rtol=1e-5)
    for name, wanted in found[0][1].items():
        torch.testing.assert_close(found[1][1][name], wanted, atol=1e-4, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}")
