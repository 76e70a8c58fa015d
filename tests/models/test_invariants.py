"""What holds for the network of every method, whatever its weights: padding, companions, gradients, export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import FLAT, PUBLISHED, SMALL, STEPS, VARIANTS, losses_of, small
from torch import Tensor

from avloc import zoo
from avloc.config import DecodingConfig, FeatureConfig, ModelConfig, NetworkConfig
from avloc.detector import Detector
from avloc.features.sequence import FeatureSequence
from avloc.learning.build import build_criterion
from avloc.learning.losses import Truth
from avloc.models.build import METHODS, build_network
from avloc.models.network import Network
from avloc.runner import OnnxRunner
from avloc.streams import Streams
from avloc.training.checkpoint import load_model, save_model
from avloc.training.export import export_model
from avloc.training.runner import TorchRunner
from avloc.training.start import take_weights

MADE_UP = Streams.all("made up")
NEAR = {"atol": 2e-5, "rtol": 2e-5}
ALL = {**VARIANTS, **{f"{name}, published": config for name, config in PUBLISHED.items()}}
FIXED = ("grounded",)
"""Methods whose finer levels read the biases that coarser ones leave in padding: the padded length matters."""
PADDED = ("vsgn", "ccnet")
"""Methods that pad to one length inside: padding is a part of what they see, and longer inputs are padded further or
refused."""
FREE = {name: config for name, config in VARIANTS.items() if config.method not in (*FIXED, *PADDED)}
every = pytest.mark.parametrize("config", ALL.values(), ids=ALL)


def test_no_method_is_left_out() -> None:
    assert set(SMALL) == set(METHODS)


def inputs(config: NetworkConfig, lengths: list[int], steps: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    visual = torch.rand(len(lengths), steps, config.visual_width, generator=generator) * 2
    audio = torch.rand(len(lengths), steps, config.audio_width, generator=generator) * 2
    return visual, audio, torch.arange(steps)[None] < torch.tensor(lengths)[:, None]


def same(one: Any, other: Any, row: int = 0) -> None:
    """Outputs of a video in two batches agree at all its points."""
    here, there = one.mask[row], other.mask[0]
    assert int(here.sum()) == int(there.sum()) > 0
    torch.testing.assert_close(one.scores[row, here], other.scores[0, there], **NEAR)
    torch.testing.assert_close(one.segments[row, here], other.segments[0, there], **NEAR)


@torch.no_grad()
@every
@pytest.mark.parametrize("length", [1, 7, 16, 23])
def test_a_video_does_not_depend_on_padding_or_companions(config: NetworkConfig, length: int) -> None:
    network = small(config)
    visual, audio, mask = inputs(config, [length, 40, 17], 40, seed=length)
    together = network(visual, audio, mask)
    steps = 40 if config.method in FIXED else -(-length // network.multiple) * network.multiple
    same(together, network(visual[:1, :steps], audio[:1, :steps], mask[:1, :steps]))


@torch.no_grad()
@pytest.mark.parametrize("config", FREE.values(), ids=FREE)
def test_nor_does_a_long_one(config: NetworkConfig) -> None:
    """Longer than what networks are padded to."""
    visual, audio, mask = inputs(config, [STEPS + 9, STEPS + 40], STEPS + 40)
    network, steps = small(config), STEPS + 16
    same(network(visual, audio, mask), network(visual[:1, :steps], audio[:1, :steps], mask[:1, :steps]))


@torch.no_grad()
@every
def test_what_stands_in_padding_does_not_matter(config: NetworkConfig) -> None:
    network = small(config)
    visual, audio, mask = inputs(config, [13], 24)
    outputs = network(visual, audio, mask)
    visual[:, 13:], audio[:, 13:] = 1e3, -1e3
    same(outputs, network(visual, audio, mask))


@torch.no_grad()
@every
def test_outputs_are_what_the_house_expects(config: NetworkConfig) -> None:
    network = small(config)
    outputs = network(*inputs(config, [40, 0, 1], 40))
    points = outputs.mask.shape[1]
    assert outputs.scores.shape == (3, points, 3) and outputs.segments.shape[:2] == (3, points)
    assert outputs.segments.shape[2] in (1, 3) and outputs.place.shape[-1] == points
    assert torch.isfinite(outputs.scores).all() and torch.isfinite(outputs.segments).all()
    assert (outputs.scores >= 0).all() and (outputs.scores <= 1).all()
    assert (outputs.segments[..., 1] >= outputs.segments[..., 0]).all()
    assert outputs.mask[0].any() and outputs.mask[2].any() and not outputs.mask[1].any()
    assert not torch.allclose(outputs.scores[0, :-1], outputs.scores[0, 1:], atol=1e-4)


TRUTHS = {
    "several": (
        [[[1.0, 9.0], [2.0, 30.0], [2.0, 9.5]], [[0.2, 4.1], [0.0, 0.0], [0.0, 0.0]]],
        [[0, 1, 0], [2, -1, -1]],
    ),
    "one": ([[[5.0, 21.5]], [[0.0, 0.0]]], [[1], [-1]]),
    "none": ([[], []], [[], []]),
}


@every
@pytest.mark.parametrize(
    ("events", "lengths"), [("several", [40, 17]), ("several", [1, 0]), ("one", [40, 0]), ("none", [40, 17])]
)
def test_gradients_are_finite(config: NetworkConfig, events: str, lengths: list[int]) -> None:
    network = small(config).train()
    segments, labels = TRUTHS[events]
    truth = Truth(torch.tensor(segments).reshape(2, -1, 2), torch.tensor(labels, dtype=torch.long).reshape(2, -1))
    losses = build_criterion(losses_of(config), config)(network(*inputs(config, lengths, 40)), truth)
    assert torch.isfinite(losses.total)
    losses.total.backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.requires_grad}
    assert [name for name, g in gradients.items() if g is not None and not torch.isfinite(g).all()] == []


@every
def test_gradients_reach_every_parameter(config: NetworkConfig) -> None:
    network = small(config)
    truth = Truth(torch.tensor([[[1.0, 9.0], [2.0, 50.0], [3.0, 19.5]]]), torch.tensor([[0, 1, 2]]))
    losses = build_criterion(losses_of(config), config)(network(*inputs(config, [STEPS], STEPS)), truth)
    losses.total.backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.requires_grad}
    assert [name for name, g in gradients.items() if g is None or not g.abs().sum() > 0] == []


@pytest.mark.parametrize("config", FLAT.values(), ids=FLAT)
def test_the_exported_network_says_the_same_and_detects(config: NetworkConfig, tmp_path: Path) -> None:
    features = FeatureConfig(MADE_UP, stride_s=0.5, window_s=0.5, offset_s=0.0, scores=False)
    decoding = DecodingConfig(min_score=0.0)
    model = ModelConfig("small", ("a", "b", "c"), features, config, decoding, window_steps=32)
    save_model(tmp_path, small(config), model)
    exported = export_model(tmp_path)
    assert exported.path == tmp_path / zoo.ONNX
    assert max(exported.score_difference, exported.segment_difference) <= 1e-4
    assert str(Path(__file__).parents[2]).encode() not in exported.path.read_bytes()  # nothing of this machine
    _agree_at_every_length(tmp_path, config, model.window_steps)

    visual, audio, _ = inputs(config, [50], 50)
    none = np.zeros((50, 0), np.float32)
    given = FeatureSequence(
        Detector(model, _unused).grid, 25.0, visual[0].numpy(), audio[0].numpy(), none, none, MADE_UP
    )
    found = Detector.load(tmp_path, threads=1).detect_features(given).all_events
    expected = Detector(model, TorchRunner(_loaded(tmp_path))).detect_features(given).all_events
    assert len(found) == len(expected) > 4
    np.testing.assert_allclose(found.score, expected.score, atol=1e-4)


def _agree_at_every_length(folder: Path, config: NetworkConfig, window: int) -> None:
    network = _loaded(folder)
    onnx, plain = OnnxRunner(folder / zoo.ONNX, threads=1), TorchRunner(network)
    assert onnx.window_steps == window and onnx.widths == (config.visual_width, config.audio_width)
    spread = []
    for length in range(1, window + 1):
        visual, audio, mask = inputs(config, [length], window, seed=length)
        with torch.no_grad():
            inside = network(3 * visual, 3 * audio, mask).mask[0].numpy()
        given = (3 * visual[0].numpy(), 3 * audio[0].numpy(), mask[0].numpy())
        got, expected = onnx(*given), plain(*given)
        for a, b in zip(got, expected, strict=True):
            assert a.shape == b.shape
            assert (np.abs(a - b) / np.maximum(1, np.abs(b)))[inside].max() <= 1e-4, length
        spread.append(float(expected[1][inside].std()))
    assert max(spread) > 1e-2  # there was something to compare


def _unused(*_: Any) -> Any:
    raise AssertionError("this detector runs no network")


def _loaded(folder: Path) -> Network:
    return load_model(folder)[0]


def test_other_lengths_are_padded_inside_as_published() -> None:
    """The same video at any length up to `steps` is one video."""
    for config in PUBLISHED.values():
        network = small(config)
        visual, audio, mask = inputs(config, [20], 24)
        with torch.no_grad():
            short = network(visual, audio, mask)
            longer = torch.nn.functional.pad
            whole = network(
                *(longer(x, (0, 0, 0, STEPS - 24)) for x in (visual, audio)), longer(mask, (0, STEPS - 24))
            )
            other = small(replace(config, reads_padding=False))(visual, audio, mask)  # type: ignore[call-arg]
        same(short, whole)
        assert not torch.allclose(short.scores[short.mask], other.scores[other.mask], atol=1e-4)


@pytest.mark.parametrize("config", [c for name, c in SMALL.items() if name != "grounded"], ids=lambda c: c.method)
def test_training_starts_from_another_s_weights(config: NetworkConfig, tmp_path: Path) -> None:
    """The same classes take all; other classes take what they can, whichever dimension of a tensor they stand in."""
    source = small(config)
    features = FeatureConfig(MADE_UP, stride_s=0.5, window_s=0.5, offset_s=0.0, scores=False)
    save_model(tmp_path, source, ModelConfig("small", ("a", "b", "c"), features, config, window_steps=32))
    same = build_network(config)
    assert take_weights(same, ("a", "b", "c"), tmp_path).left == ()
    for name, kept in _loaded(tmp_path).state_dict().items():
        assert torch.equal(same.state_dict()[name], kept), name
    more = build_network(config.for_other_classes(4))
    assert len(take_weights(more, ("b", "c", "d", "a"), tmp_path).taken) > len(more.state_dict()) / 2
