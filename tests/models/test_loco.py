"""The whole network: what must hold whatever the weights are."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.config import AttentionConfig, LccConfig, LocoConfig
from avloc.models.loco.cdp import CdpLayer
from avloc.models.loco.network import Loco, LocoOutputs
from avloc.models.loco.pyramid import downsample
from avloc.timegrid import pyramid_moments

SMALL = LocoConfig(classes=5, visual_width=12, audio_width=10, width=16, heads=4, ffn_ratio=2.0, levels=4)


def network(kind: str = "cdp", self_window: int = 0, position: bool = True, window: int = 4) -> Loco:
    torch.manual_seed(0)
    attention = AttentionConfig(kind=kind, window=window)  # type: ignore[arg-type]
    model = Loco(replace(SMALL, attention=attention, self_window=self_window, position=position)).eval()
    for name, parameter in model.named_parameters():
        if "adaptation" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def run(model: Loco, lengths: list[int], T: int, seed: int = 0) -> tuple[LocoOutputs, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    visual = torch.randn(len(lengths), T, 12, generator=generator)
    audio = torch.randn(len(lengths), T, 10, generator=generator)
    mask = torch.arange(T)[None] < torch.tensor(lengths)[:, None]
    with torch.no_grad():
        return model(visual, audio, mask), visual, audio


@pytest.mark.parametrize(
    ("kind", "self_window", "window"),
    [("cdp", 0, 4), ("fixed", 0, 4), ("global", 0, 4), ("cdp", 6, 4), ("cdp", 0, 0), ("fixed", 0, 0)],
)
@settings(max_examples=8, deadline=None)
@given(length=st.integers(1, 24), seed=st.integers(0, 1000))
def test_a_video_does_not_depend_on_padding_or_companions(
    kind: str, self_window: int, window: int, length: int, seed: int
) -> None:
    model = network(kind, self_window, window=window)
    together, visual, audio = run(model, [length, 40, 17], 40, seed)
    T = -(-length // 8) * 8
    with torch.no_grad():
        alone = model(visual[:1, :T], audio[:1, :T], torch.arange(T)[None] < length)
    at = together.mask[0]
    assert int(at.sum()) == int(alone.mask.sum())
    assert torch.allclose(together.logits[0, at], alone.logits[0, alone.mask[0]], atol=1e-5)
    assert torch.allclose(together.offsets[0, at], alone.offsets[0, alone.mask[0]], atol=1e-5)


def test_what_stands_in_the_padding_does_not_matter() -> None:
    model = network()
    outputs, visual, audio = run(model, [13], 24)
    visual[:, 13:], audio[:, 13:] = 1e4, -1e4
    with torch.no_grad():
        other = model(visual, audio, torch.arange(24)[None] < 13)
    assert torch.equal(outputs.logits[outputs.mask], other.logits[outputs.mask])


@pytest.mark.parametrize(
    "change",
    [
        {"fusion_by_level": True},
        {"residual_scales": True},
        {"attention": AttentionConfig(window=4, residual="query")},
        {"lcc": LccConfig(projection="shared")},
        {"lcc": LccConfig(projection="none")},
    ],
    ids=["fusion by level", "residual scales", "residual of the query", "shared projection", "no projection"],
)
def test_other_readings_are_other_networks_that_ignore_padding(change: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = Loco(replace(SMALL, **change)).eval()
    outputs, visual, audio = run(model, [13], 24)
    visual[:, 13:], audio[:, 13:] = 1e4, -1e4
    with torch.no_grad():
        other = model(visual, audio, torch.arange(24)[None] < 13)
    assert torch.equal(outputs.logits[outputs.mask], other.logits[outputs.mask])
    named = dict(model.named_parameters())
    if change.get("fusion_by_level"):
        assert len(model.fusion) == SMALL.fusion_blocks * SMALL.levels
    if change.get("residual_scales"):
        scales = [p for name, p in named.items() if name.endswith("_path.scale")]
        assert len(scales) == 2 * (2 * SMALL.unimodal_blocks + 2 * SMALL.levels + SMALL.fusion_blocks)
        assert all((scale == 1e-4).all() for scale in scales)
    if "lcc" in change:
        kept = {name for name in named if name.startswith("correspondence.") and name.endswith("weight")}
        assert kept == ({"correspondence.visual.weight"} if change["lcc"].projection == "shared" else set())
        width = SMALL.width if change["lcc"].projection == "none" else SMALL.width // 2
        assert outputs.correspondence.visual.shape[-1] == width
    model.train()(visual, audio, torch.ones(1, 24, dtype=torch.bool)).logits.sum().backward()
    assert all(p.grad is not None for name, p in named.items() if name.startswith(("fusion", "pyramid", "visual")))


def test_the_residual_stream_may_come_from_the_query() -> None:
    torch.manual_seed(0)
    layers = {
        kind: CdpLayer(16, 4, 2.0, 0.0, 0.0, AttentionConfig(window=4, residual=kind)) for kind in ("key", "query")
    }
    stream, query = torch.randn(2, 1, 8, 16)
    mask = torch.ones(1, 8, dtype=torch.bool)
    for kind, layer in layers.items():
        torch.nn.init.zeros_(layer.out.weight)
        torch.nn.init.zeros_(layer.out.bias)
        x = stream if kind == "key" else query
        assert torch.allclose(layer(stream, query, mask), x + layer.ffn(layer.norm_ffn(x)), atol=1e-6)


@pytest.mark.parametrize("length", [0, 1, 8])
def test_short_and_empty_videos_give_numbers(length: int) -> None:
    outputs, _, _ = run(network(), [length, 16], 16)
    assert torch.isfinite(outputs.logits).all() and torch.isfinite(outputs.offsets).all()
    assert (outputs.offsets >= 0).all()


def test_moments_and_outputs_are_in_one_order() -> None:
    outputs, _, _ = run(network(), [16, 9], 16)
    moments = pyramid_moments(16, SMALL.levels)
    assert outputs.logits.shape == (2, len(moments), 5) and outputs.offsets.shape == (2, len(moments), 5, 2)
    for b, length in enumerate((16, 9)):
        assert torch.equal(outputs.mask[b], torch.from_numpy(moments.step) < length)


def test_gradients_reach_every_parameter() -> None:
    model = network().train()
    visual, audio = torch.randn(2, 64, 12), torch.randn(2, 64, 10)
    outputs = model(visual, audio, torch.ones(2, 64, dtype=torch.bool))
    c = outputs.correspondence
    similarity = (c.visual @ c.audio.transpose(1, 2) / c.temperature * c.sigma_steps).sum()
    (outputs.logits.sum() + outputs.offsets.sum() + similarity).backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


def test_downsampling_takes_the_maximum_of_valid_steps() -> None:
    x = torch.tensor([-5.0, -1.0, -3.0, -4.0, 9.0, 9.0])[None, :, None]
    mask = torch.tensor([[True, True, True, True, False, False]])
    assert downsample(x, mask)[0, :, 0].tolist() == [-1.0, -1.0, 0.0]


def test_the_class_prior_is_where_training_starts() -> None:
    torch.manual_seed(0)
    outputs, _, _ = run(Loco(SMALL).eval(), [16], 16)
    assert float(outputs.logits.sigmoid().mean()) == pytest.approx(SMALL.class_prior, rel=0.5)


def test_a_shift_of_the_input_shifts_the_output() -> None:
    # Windows of 4 on the coarsest of 4 levels are 32 steps; the ends see silence alone, as the middle does.
    model = network(self_window=4, position=False)
    shift, T = 32, 512
    visual, audio = torch.zeros(2, T, 12), torch.zeros(2, T, 10)
    visual[0, 232:248], audio[0, 232:248] = torch.randn(16, 12), torch.randn(16, 10)
    visual[1, 232 + shift : 248 + shift], audio[1, 232 + shift : 248 + shift] = visual[0, 232:248], audio[0, 232:248]
    with torch.no_grad():
        outputs = model(visual, audio, torch.ones(2, T, dtype=torch.bool))
    moments = pyramid_moments(T, SMALL.levels)
    for level in range(SMALL.levels):
        at = torch.from_numpy(moments.level == level)
        first, second = outputs.logits[0, at], outputs.logits[1, at]
        steps = shift >> level
        inner = slice(T >> level + 2, (T >> level) - steps - (T >> level + 2))
        assert torch.allclose(first[inner], second[steps:][inner], atol=1e-5)
    assert not torch.allclose(outputs.logits[0], outputs.logits[1], atol=1e-3)
