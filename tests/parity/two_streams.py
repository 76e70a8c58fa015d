"""Fixtures of methods with a stream for each modality: UnAV, UniAV, CCNet. The layout is that of `published`.

The authors' dependency block gives the videos of a batch one another's masks: its results are well defined for
one video at a time (eval/single, train_single). Those of their batches are met by giving ours the same wrong masks
(`mix_masks`), which also shows that nothing else differs.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import torch
from comparing import assert_gradient_norms, assert_gradients, assert_losses, by_level, keep
from safetensors.torch import load_file
from torch import Tensor

from avloc.config import DecodingConfig, DenseLossConfig, TwoStreamConfig
from avloc.learning.dense import DenseCriterion
from avloc.learning.losses import Truth
from avloc.learning.targets import Targets, assign_targets
from avloc.models.build import build_network
from avloc.models.dependency import Branches
from avloc.models.network import Network
from avloc.models.two_streams import TwoStreams
from avloc.training.official import take_official


@dataclass(frozen=True)
class Batch:
    """Features (B, T, D) of both modalities, mask (B, T) and truth, as the authors' code pads them."""

    visual: Tensor
    audio: Tensor
    mask: Tensor
    truth: Truth


class TwoStreamFixture(ABC):
    """One fixture, or one task of it: what the authors' code was given and what it said."""

    def __init__(self, path: Path, task: str = "") -> None:
        self.about = json.loads(path.read_text())
        self.options: dict[str, Any] = self.about["constructor"]
        noted = self.about["scalars"].items()
        self.scalars: dict[str, float] = {k: v["value"] if isinstance(v, dict) else v for k, v in noted}
        self.task, self.beginning = task, f"{task}/" if task else ""
        self.tensors = load_file(path.with_suffix(".safetensors"))
        self.config = self.network_config()

    @abstractmethod
    def network_config(self) -> TwoStreamConfig:
        """Ours for the authors' constructor."""

    @property
    def videos(self) -> list[dict[str, Any]]:
        return self.about["videos"]["main"]  # type: ignore[no-any-return]

    @property
    def train_options(self) -> dict[str, Any]:
        return self.options["train_cfg"]  # type: ignore[no-any-return]

    @property
    def test_options(self) -> dict[str, Any]:
        return self.options["test_cfg"]  # type: ignore[no-any-return]

    @property
    def class_aware(self) -> bool:
        return bool(self.options["class_aware"])

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name if name.startswith("nms/") else self.beginning + name]

    def __contains__(self, name: str) -> bool:
        return self.beginning + name in self.tensors

    def named(self, beginning: str, *, of_task: bool = False) -> dict[str, Tensor]:
        """All tensors whose names begin so, by the rest of the name."""
        beginning = (self.beginning if of_task else "") + beginning
        return {k.removeprefix(beginning): t for k, t in self.tensors.items() if k.startswith(beginning)}

    def take(self, network: Network) -> None:
        """Give a network the published weights."""
        take_official(network, {k: t.float() for k, t in self.named("weights/").items()}, "fixture")

    def network(self, config: TwoStreamConfig | None = None) -> Network:
        """Ours, with the published weights; in evaluation mode, without drop path, as the numbers are."""
        network = build_network(config or self.config)
        self.take(network)
        return network.eval()

    def criterion(self) -> DenseCriterion:
        t = self.train_options
        return DenseCriterion(
            DenseLossConfig(
                assignment="class-aware" if self.class_aware else "class-agnostic",
                centre_radius=None,
                ranges=tuple((float(low), float(high)) for low, high in self.options["regression_range"]),
                same_class="last",
                smoothing=t["label_smoothing"],
                regression_weight=t["loss_weight"],
                normalizer_start=t["init_loss_norm"],
            )
        )

    @cached_property
    def decoding(self) -> DecodingConfig:
        t = self.test_options
        each = t["multiclass_nms"]
        return DecodingConfig(
            before_nms=t["pre_nms_topk"],
            keep=t["max_seg_num"],
            min_score=t["pre_nms_thresh"],
            min_length_steps=t["duration_thresh"],
            clip="after",
            nms="gaussian" if t["nms_method"] == "soft" else "hard",
            nms_sigma=t["nms_sigma"],
            nms_iou=t["iou_threshold"],
            nms_classes="each" if each else "all",
            voting_iou=0.0 if each else t["voting_thresh"],
        )

    def batch(self, kind: str) -> Batch:
        """`batch`: the first two videos at the length of training; `single/0`: one of them; `long`: a longer one."""
        videos = {"batch": (0, 1), "long": (2,)}.get(kind) or (int(kind.removeprefix("single/")),)
        lengths = [self[f"in/{v}/visual"].shape[1] for v in videos]
        steps = self[f"eval/{kind}/mask/0"].shape[1] if f"eval/{kind}/mask/0" in self else self.config.steps
        visual, audio = (torch.zeros(len(videos), steps, w) for w in self._widths)
        most = max(len(self[f"in/{v}/labels"]) for v in videos)
        segments, labels = torch.zeros(len(videos), most, 2), torch.full((len(videos), most), -1)
        for i, v in enumerate(videos):
            visual[i, : lengths[i]], audio[i, : lengths[i]] = self[f"in/{v}/visual"].T, self[f"in/{v}/audio"].T
            n = len(self[f"in/{v}/labels"])
            segments[i, :n], labels[i, :n] = self[f"in/{v}/segments"], self[f"in/{v}/labels"]
        mask = torch.arange(steps)[None] < torch.tensor(lengths)[:, None]
        return Batch(visual, audio, mask, Truth(segments, labels))

    @property
    def _widths(self) -> tuple[int, int]:
        return self.config.visual_width, self.config.audio_width

    def targets(self, outputs: Any, batch: Batch) -> Targets:
        c = self.criterion().config
        return assign_targets(
            outputs.points,
            batch.truth,
            outputs.mask,
            self.config.classes,
            class_aware=self.class_aware,
            ranges=c.ranges,
            inclusive=c.inclusive,
            same_class=c.same_class,
        )


def run(network: Network, batch: Batch) -> Any:
    """Outputs."""
    return network(batch.visual, batch.audio, batch.mask)


def shared_options(options: dict[str, Any], stem_blocks: int) -> dict[str, Any]:
    """Settings of ours that the three methods share; a test is skipped for what no shipped setting has."""
    o, t = options, options["train_cfg"]
    only = {"backbone_type": "convTransformer", "scale_factor": 2, "dependency_type": "DependencyBlock"}
    for name, value in only.items():
        if o.get(name, value) != value:
            pytest.skip(f"{name} is {o[name]!r}; {value!r} alone is built")
    return {
        "visual_width": o["input_dim_V"],
        "audio_width": o["input_dim_A"],
        "width": o["embd_dim"],
        "heads": o["n_head"],
        "levels": o["backbone_arch"][2] + 1,
        "embedding_blocks": o["backbone_arch"][0],
        "embedding_kernel": o["embd_kernel_size"],
        "embedding_norm": o["embd_with_ln"],
        "stem_blocks": stem_blocks,
        "head_width": o["head_dim"],
        "head_blocks": o["head_num_layers"] - 1,
        "head_kernel": o["head_kernel_size"],
        "head_norm": o["head_with_ln"],
        "position": o.get("use_abs_pe", True),
        "drop_path": t["droppath"],
        "class_prior": t["cls_prior_prob"],
    }


def mix_masks(branches: Branches, classes: int) -> None:
    """Give the temporal branch masks in the authors' order: those of all videos, as often as there are classes."""
    branches.by_parts = lambda x, mask, *_: branches(x, mask)  # type: ignore[method-assign]
    branches.temporal.register_forward_pre_hook(lambda _, given: (given[0], given[1][::classes].repeat(classes, 1)))


def watch_streams(streams: TwoStreams, stages: dict[str, list[Tensor]]) -> None:
    """stem_in, stem_out and feat of either stream."""
    for letter, stream in (("V", streams.visual), ("A", streams.audio)):
        keep(stages, f"stem_in_{letter}", stream.embedding)
        keep(stages, f"stem_out_{letter}", stream)
    for level in streams.levels:
        keep(stages, "feat_V", level, 0)
        keep(stages, "feat_A", level, 1)


def assert_stages(fixture: TwoStreamFixture, kind: str, stages: dict[str, list[Tensor]]) -> int:
    """All that the fixture has of these stages, level by level or once; how many there were."""
    compared = 0
    for name, own in stages.items():
        if f"eval/{kind}/{name}" in fixture:
            torch.testing.assert_close(own[0].transpose(1, 2), fixture[f"eval/{kind}/{name}"], atol=1e-4, rtol=1e-4)
            compared += 1
        for level, wanted in fixture.named(f"eval/{kind}/{name}/", of_task=True).items():
            torch.testing.assert_close(own[int(level)].transpose(1, 2), wanted, atol=1e-4, rtol=1e-4)
            compared += 1
    return compared


def assert_outputs(fixture: TwoStreamFixture, kind: str, outputs: Any) -> None:
    """Masks where the fixture has them, logits and offsets of all levels."""
    steps = outputs.points.stride
    masks = [outputs.mask[:, steps == 2**level] for level in range(fixture.config.levels)]
    for level, wanted in fixture.named(f"eval/{kind}/mask/", of_task=True).items():
        assert torch.equal(masks[int(level)], wanted)
    offsets = outputs.offsets if fixture.class_aware else outputs.offsets[:, :, 0]
    for name, rows in (("cls_logits", outputs.logits), ("offsets", offsets)):
        for level, own in enumerate(by_level(rows, masks)):
            torch.testing.assert_close(own, fixture[f"eval/{kind}/{name}/{level}"], atol=1e-4, rtol=1e-4)


def assert_targets(fixture: TwoStreamFixture, outputs: Any, batch: Batch) -> None:
    """Of the training batch: classes, distances, and how many points are positive."""
    targets = fixture.targets(outputs, batch)
    valid = outputs.mask
    assert torch.equal(targets.positive[valid].float(), fixture["train/targets/cls"][valid])
    positive = targets.positive.any(dim=2) & valid
    assert int(positive.sum()) == fixture.scalars[f"{fixture.beginning}train/num_pos"]
    own = targets.offsets if fixture.class_aware else targets.offsets[:, :, 0]
    torch.testing.assert_close(own[positive], fixture["train/targets/reg"][positive])


def assert_training(fixture: TwoStreamFixture, network: Network, kind: str, beginning: str) -> None:
    """Losses, their normaliser before and after, and gradients."""
    batch, criterion, scalars = fixture.batch(kind), fixture.criterion(), fixture.scalars
    assert float(criterion.normalizer) == pytest.approx(scalars[f"{beginning}/loss_normalizer_before"])
    losses = criterion(run(network, batch), batch.truth)
    assert float(criterion.normalizer) == pytest.approx(scalars[f"{beginning}/loss_normalizer_after"], rel=1e-6)
    assert_losses(losses, scalars, beginning)
    losses.total.backward()
    if kind == "single/1":
        assert_gradient_norms(network, fixture.about["grad_norms_single"])
        return
    total = assert_gradient_norms(network, fixture.about["grad_norms"])
    assert total == pytest.approx(scalars["grad_norm_total"], rel=1e-4)
    assert_gradients(network, fixture.named("train/grad/"))
