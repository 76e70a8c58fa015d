"""Comparisons that the tests of several methods share: what a network says, against what the authors' code said."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avloc.config import DecodingConfig
from avloc.decoding.candidates import Candidates, find_candidates
from avloc.decoding.soft_nms import soft_nms, vote
from avloc.learning.losses import Losses
from avloc.models.network import Network
from avloc.timegrid import TimeGrid
from avloc.training.official import own_name

NEAR = {"atol": 1e-4, "rtol": 1e-4}
STEPS = TimeGrid(1.0, 1.0, -0.5)  # seconds are steps
Columns = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]


class Fixture(Protocol):
    """What a fixture offers."""

    about: dict[str, Any]

    @property
    def decoding(self) -> DecodingConfig: ...

    def __getitem__(self, name: str) -> Tensor: ...

    def named(self, beginning: str) -> dict[str, Tensor]: ...


def columns(fixture: Fixture, name: str) -> Columns:
    """Segments (N, 2), scores (N,) and labels (N,)."""
    segments, scores, labels = (fixture[f"{name}/{part}"].numpy() for part in ("segments", "scores", "labels"))
    return segments.astype(np.float64), scores.astype(np.float64), labels.astype(np.intp)


def by_level(rows: Tensor, masks: Sequence[Tensor]) -> list[Tensor]:
    """(B, P, ...) as one tensor a level."""
    return list(rows.split([mask.shape[1] for mask in masks], dim=1))


def keep(stages: dict[str, list[Tensor]], name: str, module: nn.Module, part: int = 0) -> None:
    """Put what the module gives, or that part of it, behind `stages[name]`."""

    def hook(_: nn.Module, __: Any, given: Any) -> None:
        stages.setdefault(name, []).append(given[part] if isinstance(given, tuple) else given)

    module.register_forward_hook(hook)


def assert_losses(losses: Losses, scalars: Mapping[str, float], beginning: str) -> None:
    """Each part and the total."""
    named = {"cls_loss": losses.parts["classification"], "reg_loss": losses.parts["regression"]}
    for name, loss in (*named.items(), ("final_loss", losses.total)):
        assert float(loss.detach()) == pytest.approx(scalars[f"{beginning}/{name}"], rel=1e-4), name


def gradient_of(network: Network) -> Callable[[str], Tensor | None]:
    """Official name > our gradient."""
    gradients = {name: p.grad for name, p in network.named_parameters()}

    def gradient(official: str) -> Tensor | None:
        name, entry = own_name(official, network)
        found = None if network.leaves(name) else gradients[name]
        return found if found is None or entry is None else found[entry]

    return gradient


def assert_gradient_norms(network: Network, norms: Mapping[str, float | None]) -> float:
    """Of every official parameter; the norm of all."""
    gradient = gradient_of(network)
    total = 0.0
    for official, norm in norms.items():
        found = gradient(official)
        assert (found is None) == (norm is None), official
        if found is not None:
            # Some are zero but for rounding, such as those of a key's bias.
            assert float(found.norm()) == pytest.approx(norm, rel=1e-3, abs=1e-6), official
            total += float(found.norm()) ** 2
    return total**0.5


def assert_gradients(network: Network, wanted: Mapping[str, Tensor]) -> None:
    """Entry by entry."""
    gradient = gradient_of(network)
    for official, tensor in wanted.items():
        found = gradient(official)
        assert found is not None
        torch.testing.assert_close(found.reshape(tensor.shape), tensor, atol=1e-5, rtol=1e-3)


def candidates_of(outputs: Any, row: int, decoding: DecodingConfig) -> Candidates:
    """As the authors collect them: the best of each level, level by level, highest score first; in steps."""
    scores, segments = outputs.scores[row].numpy(), outputs.segments[row].numpy()
    stride, inside = outputs.points.stride.numpy(), outputs.mask[row].numpy()
    levels = []
    for one in np.unique(stride):
        found = find_candidates(scores, segments, STEPS, inside & (stride == one), decoding)
        best = np.argsort(-found.score, kind="stable")
        levels.append(Candidates(found.start_s[best], found.end_s[best], found.score[best], found.label[best]))
    return Candidates.join(levels)


def suppressed(found: Candidates, config: DecodingConfig, min_score: float) -> Columns:
    """Segments, scores and labels after the authors' suppression and voting."""
    rivals = found.label if config.nms_classes == "each" else np.zeros_like(found.label)
    given = found.start_s, found.end_s, found.score, rivals
    index, score = soft_nms(
        *given,
        sigma=config.nms_sigma,
        min_score=min_score,
        decay=config.nms,
        iou=config.nms_iou,
        keep=config.keep,
        spare_best=config.nms == "gaussian",
    )
    segments = np.stack([found.start_s[index], found.end_s[index]], axis=1)
    if config.voting_iou > 0:
        segments = np.stack(vote(*given, index, iou=config.voting_iou, weight=config.voting), axis=1)
    return segments, score, found.label[index]


def assert_candidates_and_result(
    fixture: Fixture, name: str, found: Candidates, about: Mapping[str, float], min_score: float
) -> None:
    """What was found in a video against NAME/cand, and after suppression against NAME/result, in seconds."""
    segments, scores, labels = columns(fixture, f"{name}/cand")
    assert np.array_equal(found.label, labels)
    np.testing.assert_allclose(found.score, scores, **NEAR)
    np.testing.assert_allclose(np.stack([found.start_s, found.end_s], axis=1), segments, atol=1e-3, rtol=1e-4)

    own, own_scores, own_labels = suppressed(found, fixture.decoding, min_score)
    grid = TimeGrid(about["feat_stride"] / about["fps"], about["feat_num_frames"] / about["fps"])
    segments, scores, labels = columns(fixture, f"{name}/result")
    assert np.array_equal(own_labels, labels)
    np.testing.assert_allclose(own_scores, scores, **NEAR)
    np.testing.assert_allclose(grid.to_seconds(own).clip(0, about["duration"]), segments, atol=1e-3, rtol=1e-4)


def assert_suppression_under_other_settings(fixture: Fixture, candidates: str) -> None:
    """Each nms/NAME, made from the fixture's own candidates."""
    segments, scores, labels = columns(fixture, candidates)
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
        own, own_scores, own_labels = suppressed(found, config, number["min_score"])
        segments, scores, labels = columns(fixture, f"nms/{name}")
        assert np.array_equal(own_labels, labels), name
        np.testing.assert_allclose(own_scores, scores, **NEAR)
        np.testing.assert_allclose(own, segments, atol=1e-3, rtol=1e-4)
