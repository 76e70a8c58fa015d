"""ActionFormer and TriDet against their authors' code: stages, targets, losses, gradients, candidates, results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from comparing import (
    NEAR,
    assert_candidates_and_result,
    assert_gradient_norms,
    assert_gradients,
    assert_losses,
    assert_suppression_under_other_settings,
    by_level,
    candidates_of,
    keep,
)
from published import Published, parameters, published
from torch import Tensor

from avloc.learning.targets import assign_targets, regression_ranges
from avloc.models.network import Network


@pytest.fixture(params=parameters("actionformer", "tridet"))
def fixture(request: pytest.FixtureRequest) -> Published:
    return published(request.param)


@cache
def said(fixture: Published, kind: str) -> tuple[Any, dict[str, list[Tensor]]]:
    """Outputs on a batch, and what stages gave on the way, level by level, as (B, T, C)."""
    network = fixture.network()
    stages: dict[str, list[Tensor]] = {}

    keep(stages, "stem_in", network.embedding)
    levels = [network.stem[-1] if len(network.stem) else network.embedding, *network.branch]
    for level in levels:
        keep(stages, "backbone", level)
    for norm in network.neck.norms:
        keep(stages, "neck", norm)
    with torch.no_grad():
        return fixture.run(network, fixture.batch(kind)), stages


def masks_of(fixture: Published, kind: str) -> list[Tensor]:
    return [fixture[f"eval/{kind}/mask/{level}"] for level in range(fixture.config.levels)]


@pytest.mark.parametrize("kind", ["batch", "long"])
def test_stages(fixture: Published, kind: str) -> None:
    outputs, stages = said(fixture, kind)
    if f"eval/{kind}/stem_in" in fixture.tensors:
        torch.testing.assert_close(stages["stem_in"][0].transpose(1, 2), fixture[f"eval/{kind}/stem_in"], **NEAR)
    for name in ("backbone", "neck"):
        given = fixture.named(f"eval/{kind}/{name}/")
        assert len(given) == len(stages[name]) or (kind == "long" and not given)
        for level, wanted in given.items():
            torch.testing.assert_close(stages[name][int(level)].transpose(1, 2), wanted, **NEAR)
    masks = masks_of(fixture, kind)
    assert torch.equal(outputs.mask, torch.cat(masks, dim=1))
    for level, own in enumerate(by_level(outputs.logits, masks)):
        torch.testing.assert_close(own, fixture[f"eval/{kind}/cls_logits/{level}"], **NEAR)
    for name, rows in said_of_boundaries(outputs):
        for level, own in enumerate(by_level(rows, masks)):
            torch.testing.assert_close(own, fixture[f"eval/{kind}/{name}/{level}"], **NEAR)


def said_of_boundaries(outputs: Any) -> Iterator[tuple[str, Tensor]]:
    """What stands for offsets in the fixture, by its name there."""
    if not hasattr(outputs, "start"):
        yield "offsets", outputs.offsets[:, :, 0]
        return
    yield "offsets", torch.cat([outputs.start.bins, outputs.end.bins], dim=2)


@pytest.mark.parametrize("kind", ["batch", "long"])
def test_boundaries_of_tridet(fixture: Published, kind: str) -> None:
    if fixture.method != "tridet":
        pytest.skip(f"{fixture.method} has no boundary heads")
    outputs, _ = said(fixture, kind)
    masks = masks_of(fixture, kind)
    for name, rows in (("start_logits", outputs.start.logits), ("end_logits", outputs.end.logits)):
        for level, own in enumerate(by_level(rows, masks)):
            torch.testing.assert_close(own.transpose(1, 2), fixture[f"eval/{kind}/{name}/{level}"], **NEAR)
    for level, own in enumerate(by_level(outputs.offsets, masks)):
        torch.testing.assert_close(own.transpose(1, 2), fixture[f"eval/{kind}/decoded/{level}"], **NEAR)


def test_points(fixture: Published) -> None:
    outputs, _ = said(fixture, "long")
    wanted = torch.cat([fixture[f"eval/long/points/{level}"] for level in range(fixture.config.levels)])
    low, high = regression_ranges(outputs.points, fixture.criterion().config.ranges)
    assert torch.equal(torch.stack([outputs.points.step, low, high, outputs.points.stride], dim=1), wanted)


def test_targets(fixture: Published) -> None:
    outputs, _ = said(fixture, "batch")
    c = fixture.criterion().config
    targets = assign_targets(
        outputs.points,
        fixture.batch("batch").truth,
        outputs.mask,
        fixture.config.classes,
        class_aware=False,
        centre_radius=c.centre_radius,
        ranges=c.ranges,
        inclusive=c.inclusive,
    )
    valid = fixture["train/valid"]
    assert torch.equal(valid, outputs.mask)
    assert torch.equal(targets.positive[valid].float(), fixture["train/targets/cls"][valid])
    positive = targets.positive.any(dim=2)
    assert int(positive.sum()) == fixture.scalars["train/num_pos"]["value"]
    torch.testing.assert_close(targets.offsets[positive][:, 0], fixture["train/targets/reg"][positive])


def test_losses_and_gradients(fixture: Published) -> None:
    network, criterion = fixture.network(), fixture.criterion()
    batch, scalars = fixture.batch("batch"), fixture.scalars
    assert float(criterion.normalizer) == pytest.approx(scalars["train/loss_normalizer_before"])
    losses = criterion(fixture.run(network, batch), batch.truth)
    assert float(criterion.normalizer) == pytest.approx(scalars["train/loss_normalizer_after"], rel=1e-6)
    assert_losses(losses, scalars, "train")
    losses.total.backward()
    assert assert_gradient_norms(network, fixture.grad_norms) == pytest.approx(scalars["grad_norm_total"], rel=1e-4)
    assert_gradients(network, fixture.named("train/grad/"))


@pytest.mark.parametrize("video", [0, 1, 2])
def test_candidates_and_results(fixture: Published, video: int) -> None:
    if f"eval/{video}/cand/scores" not in fixture.tensors:
        pytest.skip(f"the fixture has no candidates of video {video}")
    kind, row = ("batch", video) if video < 2 else ("long", 0)
    found = candidates_of(said(fixture, kind)[0], row, fixture.decoding)
    min_score = fixture.options["test_cfg"]["min_score"]
    assert_candidates_and_result(fixture, f"eval/{video}", found, fixture.videos[video], min_score)


def test_suppression_under_other_settings(fixture: Published) -> None:
    assert_suppression_under_other_settings(fixture, "eval/0/cand")


def test_a_long_video_is_padded_as_published(fixture: Published) -> None:
    # The mask of the fixture is at the authors' padded length; from the shortest possible one the network gets there.
    batch, config = fixture.batch("long"), fixture.config
    network: Network = fixture.network()
    steps = int(batch.mask.sum())
    short = -(-steps // network.multiple) * network.multiple
    if short <= config.steps:
        pytest.skip("the third video is no longer than the length of training")
    outputs = fixture.run(network, replace(batch, features=batch.features[:, :short], mask=batch.mask[:, :short]))
    wanted, _ = said(fixture, "long")
    at = wanted.mask & (wanted.points.step < short)
    torch.testing.assert_close(outputs.logits[outputs.mask], wanted.logits[at], **NEAR)
    torch.testing.assert_close(outputs.offsets[outputs.mask], wanted.offsets[at], **NEAR)
