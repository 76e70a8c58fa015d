"""ActionFormer and TriDet against their authors' code: stages, targets, losses, gradients, candidates, results."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from published import Published, parameters, published
from torch import Tensor, nn

from avloc.config import DecodingConfig
from avloc.decoding.candidates import Candidates, find_candidates
from avloc.decoding.soft_nms import soft_nms, vote
from avloc.learning.targets import assign_targets, regression_ranges
from avloc.models.network import Network
from avloc.timegrid import TimeGrid

NEAR = {"atol": 1e-4, "rtol": 1e-4}
STEPS = TimeGrid(1.0, 1.0, -0.5)  # seconds are steps


@pytest.fixture(params=parameters("actionformer", "tridet"))
def fixture(request: pytest.FixtureRequest) -> Published:
    return published(request.param)


@cache
def said(fixture: Published, kind: str) -> tuple[Any, dict[str, list[Tensor]]]:
    """Outputs on a batch, and what stages gave on the way, level by level, as (B, T, C)."""
    network = fixture.network()
    stages: dict[str, list[Tensor]] = {}

    def keep(name: str, module: nn.Module) -> None:
        def hook(_: nn.Module, __: Any, given: Any) -> None:
            stages.setdefault(name, []).append(given[0] if isinstance(given, tuple) else given)

        module.register_forward_hook(hook)

    keep("stem_in", network.embedding)
    levels = [network.stem[-1] if len(network.stem) else network.embedding, *network.branch]
    for level in levels:
        keep("backbone", level)
    for norm in network.neck.norms:
        keep("neck", norm)
    with torch.no_grad():
        return fixture.run(network, fixture.batch(kind)), stages


def by_level(rows: Tensor, masks: list[Tensor]) -> list[Tensor]:
    """(B, P, ...) as one tensor a level."""
    return list(rows.split([mask.shape[1] for mask in masks], dim=1))


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
    named = {"cls_loss": losses.parts["classification"], "reg_loss": losses.parts["regression"]}
    for name, loss in (*named.items(), ("final_loss", losses.total)):
        assert float(loss.detach()) == pytest.approx(scalars[f"train/{name}"], rel=1e-4), name
    losses.total.backward()
    gradients = {name: p.grad for name, p in network.named_parameters()}

    def gradient(official: str) -> Tensor | None:
        name, entry = fixture.own(official, network)
        found = gradients[name]
        return found if found is None or entry is None else found[entry]

    total = 0.0
    for official, norm in fixture.grad_norms.items():
        found = gradient(official)
        assert (found is None) == (norm is None), official
        if found is not None:
            assert float(found.norm()) == pytest.approx(norm, rel=1e-3, abs=1e-6), official
            total += float(found.norm()) ** 2
    assert total**0.5 == pytest.approx(scalars["grad_norm_total"], rel=1e-4)
    for official, wanted in fixture.named("train/grad/").items():
        found = gradient(official)
        assert found is not None
        torch.testing.assert_close(found.reshape(wanted.shape), wanted, atol=1e-5, rtol=1e-3)


def candidates_of(fixture: Published, video: int) -> Candidates:
    """As the authors collect them: the best of each level, level by level, highest score first; in steps."""
    kind, row = ("batch", video) if video < 2 else ("long", 0)
    outputs, _ = said(fixture, kind)
    scores, segments = outputs.scores[row].numpy(), outputs.segments[row].numpy()
    stride, inside = outputs.points.stride.numpy(), outputs.mask[row].numpy()
    levels = []
    for one in np.unique(stride):
        found = find_candidates(scores, segments, STEPS, inside & (stride == one), fixture.decoding)
        best = np.argsort(-found.score, kind="stable")
        levels.append(Candidates(found.start_s[best], found.end_s[best], found.score[best], found.label[best]))
    return Candidates.join(levels)


def suppressed(
    fixture: Published, found: Candidates, config: DecodingConfig, min_score: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Segments, scores and labels after the authors' suppression and voting."""
    rivals = found.label if config.nms_classes == "each" else np.zeros_like(found.label)
    columns = found.start_s, found.end_s, found.score, rivals
    index, score = soft_nms(
        *columns,
        sigma=config.nms_sigma,
        min_score=min_score,
        decay=config.nms,
        iou=config.nms_iou,
        keep=config.keep,
        spare_best=config.nms == "gaussian",
    )
    segments = np.stack([found.start_s[index], found.end_s[index]], axis=1)
    if config.voting_iou > 0:
        segments = np.stack(vote(*columns, index, iou=config.voting_iou, weight=config.voting), axis=1)
    return segments, score, found.label[index]


@pytest.mark.parametrize("video", [0, 1, 2])
def test_candidates_and_results(fixture: Published, video: int) -> None:
    if f"eval/{video}/cand/scores" not in fixture.tensors:
        pytest.skip(f"the fixture has no candidates of video {video}")
    found = candidates_of(fixture, video)
    segments, scores, labels = fixture.columns(f"eval/{video}/cand")
    assert np.array_equal(found.label, labels)
    np.testing.assert_allclose(found.score, scores, **NEAR)
    np.testing.assert_allclose(np.stack([found.start_s, found.end_s], axis=1), segments, atol=1e-3, rtol=1e-4)

    about = fixture.videos[video]
    own, own_scores, own_labels = suppressed(
        fixture, found, fixture.decoding, fixture.options["test_cfg"]["min_score"]
    )
    grid = TimeGrid(about["feat_stride"] / about["fps"], about["feat_num_frames"] / about["fps"])
    segments, scores, labels = fixture.columns(f"eval/{video}/result")
    assert np.array_equal(own_labels, labels)
    np.testing.assert_allclose(own_scores, scores, **NEAR)
    np.testing.assert_allclose(grid.to_seconds(own).clip(0, about["duration"]), segments, atol=1e-3, rtol=1e-4)


def test_suppression_under_other_settings(fixture: Published) -> None:
    segments, scores, labels = fixture.columns("eval/0/cand")
    found = Candidates(segments[:, 0], segments[:, 1], scores, labels)
    names = sorted({name.split("/")[0] for name in fixture.named("nms/")})
    assert names
    for name in names:
        meaning = fixture.about["tensors"][f"nms/{name}/scores"]["meaning"]
        options = ast.literal_eval(re.search(r"\{.*\}", meaning)[0])  # type: ignore[index]
        number = {key: float(value) for key, value in re.findall(r"(\w+) ([\d.]+)(?=,| \(|$)", meaning)}
        config = replace(
            fixture.decoding,
            keep=int(number["max_seg_num"]),
            nms="gaussian" if options["use_soft_nms"] else "hard",
            nms_sigma=number["sigma"],
            nms_iou=number["iou_threshold"],
            nms_classes="each" if options["multiclass"] else "all",
            voting_iou=0.0 if options["multiclass"] else float(options["voting_thresh"]),
        )
        own, own_scores, own_labels = suppressed(fixture, found, config, number["min_score"])
        segments, scores, labels = fixture.columns(f"nms/{name}")
        assert np.array_equal(own_labels, labels), name
        np.testing.assert_allclose(own_scores, scores, **NEAR)
        np.testing.assert_allclose(own, segments, atol=1e-3, rtol=1e-4)


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
