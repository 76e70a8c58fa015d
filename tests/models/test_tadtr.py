"""TadTR: what holds whatever the weights are, its parts against plain loops, the authors' names, the export."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from avloc.config import QueryLossConfig, TadTrConfig
from avloc.errors import ModelError
from avloc.learning.losses import Truth
from avloc.learning.queries import QueryCriterion
from avloc.models.deformable import DeformableAttention
from avloc.models.outputs import QueryOutputs
from avloc.models.tadtr import StepGroupNorm, TadTr, position
from avloc.recipes.tadtr import tadtr_thumos
from avloc.training.describe import count_parameters
from avloc.training.official import own_name, take_official

SMALL = TadTrConfig(
    classes=5,
    visual_width=12,
    audio_width=10,
    width=32,
    heads=4,
    groups=8,
    queries=6,
    encoder_layers=2,
    decoder_layers=3,
    encoder_points=4,
    decoder_points=3,
    ffn_width=24,
)
KEYS = Path(__file__).parents[3] / "shared" / "methods" / "keys" / "tadtr_thumos.json"


def network(config: TadTrConfig = SMALL) -> TadTr:
    """Nothing in it as it starts: offsets, segments and norms that differ from head to head and layer to layer."""
    torch.manual_seed(0)
    model = TadTr(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn(p.shape) * 0.1)
    return model


def run(model: TadTr, lengths: list[int], T: int, seed: int = 0) -> tuple[QueryOutputs, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    visual = torch.randn(len(lengths), T, 12, generator=generator)
    audio = torch.randn(len(lengths), T, 10, generator=generator)
    mask = torch.arange(T)[None] < torch.tensor(lengths)[:, None]
    with torch.no_grad():
        return model(visual, audio, mask), visual, audio


@given(length=st.integers(1, 40), more=st.integers(0, 30), seed=st.integers(0, 1000))
def test_a_video_does_not_depend_on_padding_or_companions(length: int, more: int, seed: int) -> None:
    model = network()
    together, visual, audio = run(model, [length, 40, 17, 0], 40, seed)
    T = length + more
    visual, audio = (torch.nn.functional.pad(x[:1, :length], (0, 0, 0, more)) for x in (visual, audio))
    with torch.no_grad():
        alone = model(visual, audio, torch.arange(T)[None] < length)
    for name in ("scores", "segments", "place", "actionness"):
        assert torch.allclose(getattr(together, name)[0], getattr(alone, name)[0], atol=1e-4), name


def test_what_stands_in_the_padding_does_not_matter() -> None:
    for reads in (False, True):
        model = network(replace(SMALL, reads_padding=reads))
        outputs, visual, audio = run(model, [13], 24)
        visual[:, 13:], audio[:, 13:] = 1e4, -1e4
        with torch.no_grad():
            other = model(visual, audio, torch.arange(24)[None] < 13)
        assert torch.equal(outputs.logits, other.logits) and torch.equal(outputs.actionness, other.actionness)


def test_read_padding_matters_where_there_is_some() -> None:
    unread, read = network(), network(replace(SMALL, reads_padding=True))
    one, other = run(unread, [24, 13], 24)[0], run(read, [24, 13], 24)[0]
    assert torch.allclose(one.scores[0], other.scores[0], atol=1e-6)
    assert not torch.allclose(one.logits[-1, 1], other.logits[-1, 1], atol=1e-3)
    assert not torch.allclose(one.actionness[1], other.actionness[1], atol=1e-3)


@pytest.mark.parametrize("length", [0, 1, 2, 16])
def test_short_and_empty_videos_give_numbers(length: int) -> None:
    outputs, _, _ = run(network(), [length, 16], 16)
    assert all(torch.isfinite(x).all() for x in (outputs.logits, outputs.spans, outputs.actionness, outputs.place))
    assert outputs.mask.any(dim=1).tolist() == [length > 0, True]
    assert outputs.scores.shape == (2, 6, 5) and outputs.segments.shape == (2, 6, 1, 2)


def test_segments_are_shares_of_the_video_s_own_steps() -> None:
    spans = torch.tensor([[[[0.5, 1.0], [0.1, 0.2]]] * 2])  # (1, 2, 2, 2): all of it, its first fifth
    outputs = QueryOutputs(torch.zeros(1, 2, 2, 3), spans, torch.full((2, 2), 0.5), torch.tensor([10.0, 40.0]))
    assert outputs.segments[0, :, 0].flatten().tolist() == pytest.approx([-0.5, 9.5, -0.5, 1.5])
    assert outputs.segments[1, :, 0].flatten().tolist() == pytest.approx([-0.5, 39.5, -0.5, 7.5])
    assert outputs.place.flatten().tolist() == pytest.approx([4.5, 0.5, 19.5, 3.5])
    assert outputs.scores.unique().tolist() == [0.25]


def test_every_place_is_a_step_that_the_video_has() -> None:
    spans = torch.tensor([1e-6, 1 - 1e-6])[None, None, :, None].expand(1, 1, 2, 2)
    outputs = QueryOutputs(torch.zeros(1, 1, 2, 3), spans, torch.ones(1, 2), torch.tensor([7.0]))
    assert outputs.place.tolist() == [[0.0, 6.0]]


def test_it_starts_from_the_class_prior_and_short_segments() -> None:
    torch.manual_seed(1)
    model = TadTr(replace(SMALL, width=64))
    outputs, _, _ = run(model.eval(), [16], 16)
    assert float(outputs.logits.sigmoid().mean()) == pytest.approx(0.01, rel=0.5)
    assert torch.allclose(outputs.spans[..., 1], torch.sigmoid(torch.tensor(-2.0)), atol=1e-5)
    centres = outputs.spans[..., 0]
    assert torch.allclose(centres, centres[:1].expand_as(centres), atol=1e-4)  # no layer moves a segment yet
    offsets = model.encoder[0].attention.sampling_offsets.bias.reshape(4, 4)  # type: ignore[union-attr, operator]
    assert torch.allclose(offsets[:, 0], torch.tensor([1.0, -1.0, 1.0, -1.0]), atol=1e-6)
    assert torch.allclose(offsets[0], torch.tensor([1.0, 2.0, 3.0, 4.0]))


def test_gradients_reach_every_parameter() -> None:
    model = network().train()
    outputs = model(torch.randn(2, 30, 12), torch.randn(2, 30, 10), torch.ones(2, 30, dtype=torch.bool))
    truth = Truth(
        torch.tensor([[[2.0, 9.0], [4.0, 20.0]], [[0.0, 29.0], [3.0, 5.0]]]), torch.tensor([[0, 1], [2, 3]])
    )
    QueryCriterion(QueryLossConfig())(outputs, truth).total.backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


def test_the_norm_is_torch_s_where_all_steps_count() -> None:
    own, theirs = StepGroupNorm(4, 12), torch.nn.GroupNorm(4, 12)
    torch.nn.init.normal_(own.weight), torch.nn.init.normal_(own.bias)
    theirs.load_state_dict(own.state_dict())
    x, counted = torch.randn(2, 9, 12), torch.arange(9)[None] < torch.tensor([[9], [5]])
    got = own(x, counted)
    assert torch.allclose(got[0], theirs(x[:1].transpose(1, 2))[0].T, atol=1e-5)
    assert torch.allclose(got[1, :5], theirs(x[1:, :5].transpose(1, 2))[0].T, atol=1e-5)


def test_positions_go_once_round() -> None:
    code = position(torch.arange(8)[None] < torch.tensor([[8], [4]]), 6)
    for b, n in ((0, 8), (1, 4)):
        for i in range(n):
            for j in range(6):
                angle = 2 * math.pi * (i + 1) / n / 10000 ** (2 * (j // 2) / 6)
                wanted = math.cos(angle) if j % 2 else math.sin(angle)
                assert float(code[b, i, j]) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("as_segments", [False, True])
def test_deformable_attention_is_a_weighted_sum_of_what_it_samples(as_segments: bool) -> None:
    torch.manual_seed(4)
    attention = DeformableAttention(8, 2, 3).double()
    for p in attention.parameters():
        torch.nn.init.normal_(p)
    query, memory = torch.randn(1, 4, 8, dtype=torch.float64), torch.randn(1, 10, 8, dtype=torch.float64)
    mask, n = torch.arange(10)[None] < 7, 7
    centre, extent = torch.rand(2, 1, 4, dtype=torch.float64) * n
    with torch.no_grad():
        got = attention(query, centre, extent if as_segments else None, memory, mask)
        offset = attention.sampling_offsets(query)[0].reshape(4, 2, 3)
        share = attention.attention_weights(query)[0].reshape(4, 2, 3).softmax(dim=2)
        value = attention.value(memory)[0, :n].reshape(n, 2, 4)
        heads = torch.zeros(4, 2, 4, dtype=torch.float64)
        for q, h, s in torch.cartesian_prod(torch.arange(4), torch.arange(2), torch.arange(3)).tolist():
            unit = float(extent[0, q]) / 2 / 3 if as_segments else 1.0
            place = float(centre[0, q] - 0.5 + offset[q, h, s] * unit)
            for step in range(n):  # nothing beyond the video's end
                heads[q, h] += share[q, h, s] * max(0.0, 1 - abs(place - step)) * value[step, h]
        assert torch.allclose(got[0], attention.out(heads.reshape(4, 8)), atol=1e-5)


def official_state(model: TadTr) -> dict[str, Tensor]:
    """The model's weights as the authors' code names and keeps them."""
    renamed = {
        "project.": "input_proj.0.0.",
        "norm.": "input_proj.0.1.",
        "level": "transformer.level_embed",
        "reference_points.": "transformer.reference_points.",
        "queries": "query_embed.weight",
        "classify.": "class_embed.",
        "actionness.judge.": "actionness_pred.",
    }
    inside = {
        "encoder": {"attention": "self_attn", "norm_attention": "norm1", "norm_ffn": "norm2"},
        "decoder": {
            "self_attention": "self_attn",
            "norm_self": "norm2",
            "cross_attention": "cross_attn",
            "norm_cross": "norm1",
            "norm_ffn": "norm3",
        },
    }
    ends = {"ffn.0": "linear1", "ffn.3": "linear2", ".value.": ".value_proj.", ".out.": ".output_proj."}
    found = {}
    for name, tensor in model.state_dict().items():
        room, _, rest = name.partition(".")
        if room in inside:
            number, part, rest = rest.split(".", 2)
            name = f"transformer.{room}.layers.{number}.{inside[room].get(part, part)}.{rest}"
            for own, theirs in ends.items():
                name = name.replace(own, theirs)
        elif room == "refine":
            number, place, rest = rest.split(".")
            name = f"segment_embed.{number}.layers.{int(place) // 2}.{rest}"
            found[f"transformer.decoder.{name}"] = tensor.clone()
        else:
            beginning = next(start for start in renamed if name.startswith(start))
            name = renamed[beginning] + name.removeprefix(beginning)
        if name == "input_proj.0.0.weight":
            tensor = tensor[..., None]
        found[name] = tensor[None] if name == "transformer.level_embed" else tensor
    return found


def test_official_weights_are_taken_whole() -> None:
    model, fresh = network(), TadTr(SMALL)
    state = official_state(model)
    take_official(fresh, state, "here")
    for name, tensor in model.state_dict().items():
        assert torch.equal(fresh.state_dict()[name], tensor), name

    other = {**state, "transformer.decoder.segment_embed.0.layers.2.bias": torch.tensor([5.0, 5.0])}
    with pytest.raises(ModelError, match="segment_embed"):  # the two copies contradict one another
        take_official(fresh, other, "here")
    less = {name: tensor for name, tensor in state.items() if "class_embed.2" not in name}
    with pytest.raises(ModelError, match=r"classify\.2.* needed"):
        take_official(fresh, less, "here")


def test_every_name_of_the_authors_checkpoint_has_its_place() -> None:
    if not KEYS.is_file():
        pytest.skip(f"{KEYS} is not there")
    shapes = json.loads(KEYS.read_text())["keys"]
    config = tadtr_thumos().network
    with torch.device("meta"):
        assert isinstance(config, TadTrConfig)
        model = TadTr(config)
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {official: own_name(official, model)[0] for official in shapes}
    assert set(found.values()) == set(own)
    for official, shape in shapes.items():
        assert [n for n in shape if n != 1] == [n for n in own[found[official]] if n != 1], official
    twice = {name for name in found if name.startswith("transformer.decoder.segment_embed.")}
    assert len(shapes) - len(twice) == len(own) == 198


def test_the_size_is_the_published_one() -> None:
    assert count_parameters(tadtr_thumos().network) == 8_661_594
