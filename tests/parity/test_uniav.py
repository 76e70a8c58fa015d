"""UniAV against its authors' code, task by task: stages, targets, losses, gradients, candidates, results.

Theirs squeezes the position code of a task with short videos when it evaluates, and cuts it when it trains: the first
is the setting of what is compared in evaluation, the second of what is compared in training.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
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
)
from published import parameters
from torch import Tensor
from two_streams import (
    TwoStreamFixture,
    assert_outputs,
    assert_stages,
    assert_targets,
    run,
    shared_options,
    watch_streams,
)

from avloc.config import TwoStreamConfig, UniavConfig
from avloc.features.resize import resized_grid, stretched
from avloc.learning.joint import JointCriterion
from avloc.learning.losses import Losses
from avloc.models.build import build_network
from avloc.models.network import Network
from avloc.models.uniav import Uniav
from avloc.timegrid import TimeGrid
from avloc.training.official import take_official


class UniavFixture(TwoStreamFixture):
    def __init__(self, path: Path, task: str) -> None:
        super().__init__(path, task)
        self.options = {**self.options, "class_aware": self.own["dataset"]["class_aware"]}

    @property
    def number(self) -> str:
        """TASK1, TASK2 or TASK3."""
        return next(n for n, own in self.options["task_cfg"].items() if own["task_type"] == self.task)

    @property
    def own(self) -> dict[str, Any]:
        return self.options["task_cfg"][self.number]  # type: ignore[no-any-return]

    @property
    def train_options(self) -> dict[str, Any]:
        return {**self.options["train_cfg"], **self.own["train_cfg"]}

    @property
    def test_options(self) -> dict[str, Any]:
        return {**self.options["test_cfg"], **self.own["test_cfg"]}

    @property
    def videos(self) -> list[dict[str, Any]]:
        return self.about["videos"][self.number]  # type: ignore[no-any-return]

    def network_config(self) -> UniavConfig:
        o, data = self.options, self.own["dataset"]
        return UniavConfig(
            **shared_options(o, stem_blocks=o["backbone_arch"][1] - 1),
            task=self.task,  # type: ignore[arg-type]
            classes=data["num_classes"],
            class_aware=data["class_aware"],
            class_embeddings="given",
            steps=data["max_seq_len"],
            position_steps=max(other["dataset"]["max_seq_len"] for other in o["task_cfg"].values()),
            squeezed_position=True,
        )

    def network(self, config: TwoStreamConfig | None = None) -> Network:
        network = super().network(config)
        assert isinstance(network, Uniav)
        network.classify.texts(self.task).copy_(self.tensors[f"in/prompts/{self.number}"])
        return network

    def network_in_training(self) -> Network:
        return self.network(replace(self.config, squeezed_position=False))  # type: ignore[call-arg]

    @property
    def grad_norms(self) -> dict[str, float | None]:
        other = self.about["grad_norms_other_tasks"]
        return other[self.task] if self.task in other else self.about["grad_norms"]  # type: ignore[no-any-return]


@cache
def opened(path: Path, task: str) -> UniavFixture:
    return UniavFixture(path, task)


@pytest.fixture(params=parameters("uniav"))
def path(request: pytest.FixtureRequest) -> Path:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=["AVEL", "TAL", "SED"])
def fixture(path: Path, request: pytest.FixtureRequest) -> UniavFixture:
    return opened(path, request.param)


@cache
def said(fixture: UniavFixture, kind: str) -> tuple[Any, dict[str, list[Tensor]]]:
    """Outputs, and what stages gave on the way, level by level, as (B, T, C)."""
    network = fixture.network()
    assert isinstance(network, Uniav)
    stages: dict[str, list[Tensor]] = {}
    watch_streams(network.streams, stages)
    with torch.no_grad():
        return run(network, fixture.batch(kind)), stages


@pytest.mark.parametrize("kind", ["batch", "long"])
def test_stages(fixture: UniavFixture, kind: str) -> None:
    if f"eval/{kind}/cls_logits/0" not in fixture:
        pytest.skip(f"the fixture has no {kind} of {fixture.task}")
    outputs, stages = said(fixture, kind)
    full = 4 + 2 * fixture.config.levels if (kind, fixture.task) == ("batch", "AVEL") else 1
    assert assert_stages(fixture, kind, stages) >= full
    assert_outputs(fixture, kind, outputs)


def test_targets(fixture: UniavFixture) -> None:
    assert_targets(fixture, said(fixture, "batch")[0], fixture.batch("batch"))


def test_losses_and_gradients(fixture: UniavFixture) -> None:
    network, criterion, scalars = fixture.network_in_training(), fixture.criterion(), fixture.scalars
    batch, of_task = fixture.batch("batch"), fixture.beginning
    assert float(criterion.normalizer) == pytest.approx(scalars[f"{of_task}train/loss_normalizer_before"])
    outputs = run(network, batch)
    levels = [batch.mask[:, :: 2**level] for level in range(fixture.config.levels)]
    for name, rows in (("cls_logits", outputs.logits), ("offsets_raw", outputs.offsets.flatten(2))):
        for level, wanted in fixture.named(f"train/{name}/", of_task=True).items():
            own = by_level(rows, levels)[int(level)]
            own = own.transpose(1, 2) if name == "offsets_raw" else own
            torch.testing.assert_close(own, wanted, **NEAR)
    losses = criterion(outputs, batch.truth)
    assert float(criterion.normalizer) == pytest.approx(scalars[f"{of_task}train/loss_normalizer_after"], rel=1e-6)
    assert_losses(losses, scalars, f"{of_task}train")
    losses.total.backward()
    total = assert_gradient_norms(network, fixture.grad_norms)
    if fixture.task == "AVEL":
        assert total == pytest.approx(scalars["grad_norm_total"], rel=1e-4)
        assert_gradients(network, fixture.named("train/grad/"))


def test_a_round_of_all_tasks_by_one_network(path: Path) -> None:
    """Every tensor of theirs has its place; each task moves its own experts alone, and has losses of its own."""
    fixtures = {task: opened(path, task) for task in ("TAL", "AVEL", "SED")}
    own = fixtures["AVEL"]
    others = tuple(
        (task, f.config.classes, "given", f.config.steps) for task, f in fixtures.items() if task != "AVEL"
    )
    network = build_network(replace(own.config, others=others, squeezed_position=False)).eval()  # type: ignore[call-arg]
    assert isinstance(network, Uniav)
    state = {name: tensor.float() for name, tensor in own.named("weights/").items()}
    assert take_official(network, state, "fixture") == ()
    for task, fixture in fixtures.items():
        with torch.no_grad():
            network.classify.texts(task).copy_(fixture.tensors[f"in/prompts/{fixture.number}"])
    criterion = JointCriterion({task: fixture.criterion() for task, fixture in fixtures.items()})
    for task, fixture in fixtures.items():
        network.zero_grad()
        batch = fixture.batch("batch")
        outputs = network(batch.visual, batch.audio, batch.mask, task)
        losses = criterion(outputs, replace(batch.truth, task=task))
        parts = {name.removeprefix(f"{task} "): loss for name, loss in losses.parts.items()}
        assert_losses(Losses(losses.total, parts), fixture.scalars, f"{task}/train")
        losses.total.backward()
        assert_gradient_norms(network, fixture.grad_norms)


@pytest.mark.parametrize("video", [0, 1, 2])
def test_candidates_and_results(fixture: UniavFixture, video: int) -> None:
    if f"eval/{video}/cand/scores" not in fixture:
        pytest.skip(f"the fixture has no candidates of video {video} of {fixture.task}")
    kind, row = ("long", 0) if video == 2 else ("batch", video)
    found = candidates_of(said(fixture, kind)[0], row, fixture.decoding)
    about, min_score = fixture.videos[video], fixture.test_options["min_score"]
    assert_candidates_and_result(fixture, f"eval/{video}", found, about, min_score)


@pytest.mark.parametrize("video", [0, 1])
def test_features_stretched_to_a_length(path: Path, video: int) -> None:
    """Of TAL alone; and the grid on which its events then lie."""
    fixture = opened(path, "TAL")
    about, steps = fixture.videos[video], fixture.config.steps
    for name in ("visual", "audio"):
        raw, wanted = (fixture.tensors[f"TAL/in/{video}/{kind}{name}"].T.numpy() for kind in ("raw_", ""))
        np.testing.assert_allclose(stretched(np.ascontiguousarray(raw), steps), wanted, atol=1e-4)
    stride_s = 4 / about["fps"]
    grid = resized_grid(TimeGrid(stride_s, 16 / about["fps"]), len(raw), steps)
    assert grid.stride_s == pytest.approx(about["feat_stride"] / about["fps"])
    seconds, segments = (fixture.tensors[f"TAL/in/{video}/{name}"].numpy() for name in ("seconds", "segments"))
    np.testing.assert_allclose(grid.to_steps(seconds), segments, atol=1e-4)


def test_suppression_under_other_settings(path: Path) -> None:
    assert_suppression_under_other_settings(opened(path, "AVEL"), "eval/0/cand")
