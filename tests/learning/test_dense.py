"""Losses of points under every option, against the formulas written out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from avloc.config import DenseLossConfig, LocoConfig, LocoLossConfig
from avloc.errors import ConfigError
from avloc.learning.build import build_criterion
from avloc.learning.dense import DenseCriterion
from avloc.learning.losses import Truth
from avloc.learning.targets import assign_targets
from avloc.models.outputs import DenseOutputs, pyramid_points

K = 3
TRUTH = Truth(
    torch.tensor([[[1.0, 9.0], [2.0, 14.0], [1.0, 9.0]], [[3.0, 5.5], [0.0, 0.0], [0.0, 0.0]]]),
    torch.tensor([[0, 1, 2], [1, -1, -1]]),
)


def outputs(segments: int, seed: int = 0) -> DenseOutputs:
    torch.manual_seed(seed)
    points = pyramid_points(16, 3)
    mask = points.step < torch.tensor([[16.0], [9.0]])
    logits = torch.randn(2, len(points), K, requires_grad=True)
    return DenseOutputs(logits, (3 * torch.rand(2, len(points), segments, 2)).requires_grad_(), mask, points)


def focal(logit: float, target: float) -> float:
    p = 1 / (1 + math.exp(-logit))
    cross_entropy = -target * math.log(p) - (1 - target) * math.log(1 - p)
    p_t = p * target + (1 - p) * (1 - target)
    return (0.25 * target + 0.75 * (1 - target)) * (1 - p_t) ** 2 * cross_entropy


def iou_and_diou(predicted: list[float], target: list[float]) -> tuple[float, float]:
    shared = sum(min(a, b) for a, b in zip(predicted, target, strict=True))
    iou = shared / (sum(predicted) + sum(target) - shared)
    hull = sum(max(a, b) for a, b in zip(predicted, target, strict=True))
    centres = (predicted[1] - predicted[0] - target[1] + target[0]) / 2
    return iou, 1 - iou + (centres / hull) ** 2


@pytest.mark.parametrize("segments", [1, K])
@pytest.mark.parametrize("count", ["points", "pairs"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("power", [None, 0.2, 1.0])
def test_losses_are_the_formulas(segments: int, count: str, smoothing: float, power: float | None) -> None:
    """Class-agnostic targets, for networks with one segment a point and for those with one a class."""
    config = DenseLossConfig(
        count=count,  # type: ignore[arg-type]
        smoothing=smoothing,
        iou_weight_power=power,
        regression_weight=2.0,
        normalizer_start=10.0,
        normalizer_momentum=0.9,
    )
    said = outputs(segments)
    targets = assign_targets(said.points, TRUTH, said.mask, K, class_aware=False, centre_radius=1.5, inclusive=True)
    criterion = DenseCriterion(config)
    losses = criterion(said, TRUTH)
    points = [tuple(at) for at in targets.positive.any(dim=2).nonzero().tolist()]
    pairs = [tuple(at) for at in targets.positive.nonzero().tolist()]
    assert 0 < len(points) < len(pairs)  # two classes share a point
    normalizer = 9.0 + 0.1 * len(points if count == "points" else pairs)
    assert float(criterion.normalizer) == pytest.approx(normalizer)

    def of(b: int, p: int, k: int) -> tuple[float, float]:
        return iou_and_diou(said.offsets[b, p, k % segments].tolist(), targets.offsets[b, p, 0].tolist())

    regressed = pairs if segments > 1 else [(*at, 0) for at in points]
    regression = sum(of(*at)[1] for at in regressed) / normalizer
    classification = 0.0
    for b, p in said.mask.nonzero().tolist():
        for k in range(K):
            is_positive = bool(targets.positive[b, p, k])
            target = is_positive * (1 - smoothing) + (smoothing / (K + 1) if smoothing else 0.0)
            weight = of(b, p, k)[0] ** power if power is not None and is_positive else 1.0
            classification += weight * focal(float(said.logits[b, p, k].detach()), target) / normalizer
    assert float(losses.parts["regression"].detach()) == pytest.approx(regression, rel=1e-5)
    assert float(losses.parts["classification"].detach()) == pytest.approx(classification, rel=1e-5)
    assert float(losses.total.detach()) == pytest.approx(classification + 2 * regression, rel=1e-5)


def test_the_weight_by_iou_teaches_boundaries() -> None:
    said = outputs(K)
    criterion = DenseCriterion(DenseLossConfig(iou_weight_power=0.2))
    (gradient,) = torch.autograd.grad(criterion(said, TRUTH).parts["classification"], said.offsets)
    assert gradient.abs().sum() > 0
    plain = DenseCriterion(DenseLossConfig())(said, TRUTH).parts["classification"]
    assert torch.autograd.grad(plain, said.offsets, allow_unused=True) == (None,)


def test_a_segment_that_misses_gives_a_finite_gradient() -> None:
    said = outputs(K)
    with torch.no_grad():
        said.offsets.zero_()
    DenseCriterion(DenseLossConfig(iou_weight_power=0.2))(said, TRUTH).total.backward()
    assert said.offsets.grad is not None and torch.isfinite(said.offsets.grad).all()


def test_class_aware_targets_need_a_segment_a_class() -> None:
    criterion = DenseCriterion(DenseLossConfig(assignment="class-aware", centre_radius=None))
    assert torch.isfinite(criterion(outputs(K), TRUTH).total)
    with pytest.raises(ConfigError, match="class-agnostic"):
        criterion(outputs(1), TRUTH)


def test_losses_of_another_method_are_refused() -> None:
    assert isinstance(build_criterion(DenseLossConfig(), LocoConfig()), DenseCriterion)
    with pytest.raises(ConfigError, match="actionformer"):
        from avloc.config import ActionFormerConfig

        build_criterion(LocoLossConfig(), ActionFormerConfig())


@pytest.mark.parametrize("ranges", [((4.0, 2.0),), ((-1.0, 4.0),), ((0.0, float("nan")),)])
def test_ranges_are_in_order(ranges: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ConfigError, match=r"loss\.ranges"):
        replace(DenseLossConfig(), ranges=ranges)
