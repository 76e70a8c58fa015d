"""The training loop on tiny videos whose events can be learned."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from avloc.config import LocoConfig, LocoLossConfig, TrainConfig
from avloc.datasets.batch import Sample
from avloc.errors import ConfigError
from avloc.learning.build import build_criterion
from avloc.learning.losses import Criterion, Losses, Truth
from avloc.models.loco.network import Loco, LocoOutputs
from avloc.training.batches import CroppedBatches
from avloc.training.fit import fit
from avloc.training.method import Method
from avloc.training.optimizer import learning_rate, make_optimizer
from avloc.training.watch import Epoch, Watch

CLASSES = 3
NETWORK = LocoConfig(
    classes=CLASSES,
    visual_width=6,
    audio_width=5,
    width=16,
    heads=2,
    ffn_ratio=1.0,
    unimodal_blocks=1,
    levels=3,
    dropout=0.1,
)
CONFIG = TrainConfig(
    epochs=6, warmup_epochs=1, batch=4, learning_rate=3e-3, ema_decay=0.9, longest_steps=24, precision="32-true"
)
LOSS = LocoLossConfig(normalizer_start=20.0)

State = dict[str, torch.Tensor]


@dataclass
class Videos:
    """Events are seen and heard: their class's channel is loud in both modalities while they last."""

    samples: list[Sample]

    @classmethod
    def some(cls, count: int, events: int = 2) -> Videos:
        rng = np.random.default_rng(0)
        return cls([cls._one(rng, events) for _ in range(count)])

    @staticmethod
    def _one(rng: np.random.Generator, events: int) -> Sample:
        steps = int(rng.integers(20, 31))
        visual, audio = (0.1 * rng.standard_normal((steps, w)).astype(np.float32) for w in (6, 5))
        start = rng.integers(0, steps - 8, events)
        end = start + rng.integers(3, 9, events)
        labels = rng.integers(0, CLASSES, events)
        for a, b, k in zip(start, end, labels, strict=True):
            visual[a : b + 1, k] += 2
            audio[a : b + 1, k] += 2
        return Sample(visual, audio, np.stack([start, end], axis=1).astype(np.float32), labels.astype(np.int64))

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def lengths(self) -> NDArray[np.int_]:
        return np.array([len(sample.visual) for sample in self.samples], np.int_)

    def sample(self, index: int) -> Sample:
        return self.samples[index]


@dataclass
class Run:
    """What a training came to: the result, and weights, averages and losses after each epoch."""

    average: Loco
    begun_with: State
    weights: list[State] = field(default_factory=list)
    averages: list[State] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)


def copied(network: Loco) -> State:
    return {name: p.detach().clone() for name, p in network.named_parameters()}


def train(videos: Videos, config: TrainConfig) -> Run:
    torch.manual_seed(1)
    network = Loco(NETWORK)
    run = Run(network, copied(network))

    def on_epoch(epoch: Epoch, average: Loco) -> None:
        run.epochs.append(epoch)
        run.weights.append(copied(network))
        run.averages.append(copied(average))

    run.average = fit(
        Method(network, build_criterion(LOSS, NETWORK)),
        CroppedBatches(videos, config, network.multiple),
        config,
        watch=Watch(on_epoch=on_epoch),
    )
    return run


def equal(a: State, b: State) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_losses_fall() -> None:
    epochs = train(Videos.some(16), replace(CONFIG, epochs=16)).epochs
    assert [e.number for e in epochs] == list(range(1, 17))
    first, last = epochs[0], epochs[-1]
    assert last.losses["classification"] < 0.5 * first.losses["classification"]
    assert last.losses["regression"] < 0.7 * first.losses["regression"]
    assert last.losses["correspondence"] < first.losses["correspondence"]
    for e in epochs:
        parts = e.losses["classification"] + e.losses["regression"] + LOSS.lcc_weight * e.losses["correspondence"]
        learned = {"lcc_video", "lcc_moment", "lcc_video_guess", "lcc_moment_guess"}
        assert set(e.watched) == {"temperature", "sigma_steps", "visual_inside", "audio_inside", *learned}
        assert e.watched["lcc_video"] + e.watched["lcc_moment"] == pytest.approx(e.losses["correspondence"], rel=1e-5)
        assert 0 < e.watched["visual_inside"] < 1 and set(e.losses) == set(first.losses)
        assert e.total == pytest.approx(parts, rel=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    runs = [train(Videos.some(10), replace(CONFIG, epochs=3, seed=seed)) for seed in (5, 5, 6)]
    for name in ("weights", "averages"):
        one, same, other = (getattr(run, name)[-1] for run in runs)
        assert equal(one, same) and not equal(one, other)
    assert [e.total for e in runs[0].epochs] == [e.total for e in runs[1].epochs]


def test_the_seed_does_not_hang_on_what_was_drawn_before() -> None:
    one = train(Videos.some(6), replace(CONFIG, epochs=2))
    torch.rand(17)
    np.random.default_rng().random(3)
    assert equal(one.averages[-1], train(Videos.some(6), replace(CONFIG, epochs=2)).averages[-1])


@pytest.mark.parametrize("ema_decay", [0.0, 0.25, 0.999])
def test_the_result_is_the_moving_average_of_the_weights(ema_decay: float) -> None:
    """One step an epoch; while few steps are done the average forgets faster, (1 + n) / (10 + n) after n steps."""
    run = train(Videos.some(4), replace(CONFIG, epochs=5, ema_decay=ema_decay))
    expected = {name: w.double() for name, w in run.begun_with.items()}
    for n, (weights, average) in enumerate(zip(run.weights, run.averages, strict=True), 1):
        decay = min(ema_decay, (1 + n) / (10 + n))
        for name, w in weights.items():
            expected[name] = decay * expected[name] + (1 - decay) * w.double()
            assert torch.allclose(average[name].double(), expected[name], atol=1e-6), (n, name)
    assert equal(copied(run.average), run.averages[-1])
    assert not run.average.training


def test_every_weight_learns() -> None:
    run = train(Videos.some(12), replace(CONFIG, epochs=4))
    still = [name for name, w in run.begun_with.items() if torch.equal(w, run.weights[-1][name])]
    assert still == []


def test_videos_without_events_are_learned_from() -> None:
    run = train(Videos.some(6, events=0), replace(CONFIG, epochs=3))
    assert all(math.isfinite(e.total) and e.losses["regression"] == 0 for e in run.epochs)
    assert all(torch.isfinite(w).all() for w in run.averages[-1].values())


def factor(epoch: float, config: TrainConfig) -> float:
    return learning_rate(round(10 * epoch), 10, config) / config.learning_rate


def test_the_learning_rate_rises_in_a_line_and_falls_in_half_a_cosine() -> None:
    config = replace(CONFIG, epochs=12, warmup_epochs=2)
    factors = [factor(epoch, config) for epoch in (0, 1, 2, 4.5, 7, 9.5, 12)]
    cosine = [0.5 * (1 + math.cos(math.pi * share)) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert 0 < factors[0] < 0.01
    assert factors[1] == pytest.approx(0.5, abs=0.01)
    assert factors[2:] == pytest.approx(cosine, abs=1e-9)
    assert factor(13, config) == pytest.approx(0, abs=1e-9)
    assert factor(0, replace(config, warmup_epochs=0)) == 1.0


def test_the_learning_rate_falls_in_steps_or_not_at_all() -> None:
    steps = replace(CONFIG, epochs=9, warmup_epochs=0, schedule="steps", drop_epochs=(3, 6), drop_factor=0.5)
    assert [factor(e, steps) for e in (0, 2.9, 3, 5.9, 6, 8)] == pytest.approx([1, 1, 0.5, 0.5, 0.25, 0.25])
    constant = replace(CONFIG, warmup_epochs=0, schedule="constant")
    assert [factor(e, constant) for e in (0, 3, 99)] == [1, 1, 1]
    floor = replace(CONFIG, epochs=10, warmup_epochs=0, least_rate=CONFIG.learning_rate / 4)
    assert [factor(e, floor) for e in (0, 5, 10)] == pytest.approx([1, 0.625, 0.25])
    by_steps = replace(CONFIG, epochs=10, warmup_epochs=5, warmup_steps=20)
    assert factor(1, by_steps) == pytest.approx(0.5, abs=0.01) and factor(2, by_steps) == pytest.approx(1, abs=1e-9)


def test_parameters_learn_and_decay_as_their_names_and_shapes_say() -> None:
    network = Loco(NETWORK)
    config = replace(CONFIG, weight_decay=0.1, rate_factors=(("pyramid.", 0.1),))
    optimizer = make_optimizer(network, config)
    of = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    for name, p in network.named_parameters():
        assert of[id(p)]["weight_decay"] == (0.1 if p.ndim > 1 else 0.0), name
        assert of[id(p)]["factor"] == (0.1 if "pyramid." in name else 1.0), name
    all_decay = make_optimizer(network, replace(config, decay="all", optimizer="adam"))
    assert type(all_decay) is torch.optim.Adam
    assert {group["weight_decay"] for group in all_decay.param_groups} == {0.1}


def test_validation_comes_when_it_is_due_and_at_the_end() -> None:
    config = replace(CONFIG, epochs=5, validate_every=2)
    network, seen = Loco(NETWORK), []
    fit(
        Method(network, build_criterion(LOSS, NETWORK)),
        CroppedBatches(Videos.some(4), config, network.multiple),
        config,
        watch=Watch(on_epoch=lambda e, _: seen.append(e.validation_map), validate=lambda _: 0.5),
    )
    assert seen == [None, 0.5, None, 0.5, 0.5]


def test_without_an_average_the_result_is_the_weights() -> None:
    run = train(Videos.some(4), replace(CONFIG, epochs=2, ema_decay=None))
    assert equal(copied(run.average), run.weights[-1])


def test_a_criterion_of_ones_own() -> None:
    class Loudness(Criterion):
        def forward(self, outputs: LocoOutputs, truth: Truth) -> Losses:
            loud = outputs.logits[outputs.mask].exp().mean()
            return Losses(loud, {"loudness": loud})

    network = Loco(NETWORK)
    epochs: list[Epoch] = []
    config = replace(CONFIG, epochs=3)
    fit(
        Method(network, Loudness()),
        CroppedBatches(Videos.some(8), config, network.multiple),
        config,
        watch=Watch(on_epoch=lambda e, _: epochs.append(e)),
    )
    assert [set(e.losses) for e in epochs] == [{"loudness"}] * 3
    assert epochs[-1].losses["loudness"] < epochs[0].losses["loudness"]


def test_a_criterion_with_parameters_is_refused() -> None:
    class Weighing(Criterion):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

    network = Loco(NETWORK)
    with pytest.raises(ConfigError, match="the criterion has the parameter weight"):
        fit(Method(network, Weighing()), CroppedBatches(Videos.some(2), CONFIG, network.multiple), CONFIG)


def test_statistics_of_a_norm_are_kept() -> None:
    class Normed(Loco):
        def __init__(self) -> None:
            super().__init__(NETWORK)
            self.batch_norm = torch.nn.BatchNorm1d(NETWORK.visual_width)

        def forward(self, visual: torch.Tensor, audio: torch.Tensor, mask: torch.Tensor) -> LocoOutputs:
            return super().forward(self.batch_norm(visual.transpose(1, 2)).transpose(1, 2), audio, mask)

    network = Normed()
    config = replace(CONFIG, epochs=1)
    batches = CroppedBatches(Videos.some(4), config, network.multiple)
    average = fit(Method(network, build_criterion(LOSS, NETWORK)), batches, config)
    assert int(average.batch_norm.num_batches_tracked) == int(network.batch_norm.num_batches_tracked) > 0
    assert torch.equal(average.batch_norm.running_mean, network.batch_norm.running_mean)


def test_a_rate_factor_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="names 'clasify', which is in the name of no parameter"):
        make_optimizer(Loco(NETWORK), replace(CONFIG, rate_factors=(("clasify", 0.1),)))


def test_any_seed_trains() -> None:
    assert train(Videos.some(2), replace(CONFIG, epochs=1, seed=20261127062000)).epochs
