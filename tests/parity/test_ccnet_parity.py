"""CCNet against its authors' code: stages, targets, losses, gradients, candidates, results.

One video at a time, which is where their code is well defined; their batches with their mixed-up masks.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from comparing import (
    assert_candidates_and_result,
    assert_suppression_under_other_settings,
    candidates_of,
    keep,
)
from published import parameters
from torch import Tensor
from two_streams import (
    TwoStreamFixture,
    assert_outputs,
    assert_stages,
    assert_targets,
    assert_training,
    mix_masks,
    run,
    shared_options,
    watch_streams,
)

from avloc.config import CcnetConfig
from avloc.models import wide_conv
from avloc.models.ccnet import Ccnet, TimedDependency
from avloc.models.family import Row

KINDS = ("single/0", "single/1", "batch")


class CcnetFixture(TwoStreamFixture):
    def network_config(self) -> CcnetConfig:
        o = self.options
        return CcnetConfig(
            **shared_options(o, stem_blocks=o["backbone_arch"][1]),
            classes=o["num_classes"],
            steps=o["max_seq_len"],
            class_aware=o["class_aware"],
        )

    def as_published(self, kind: str) -> Ccnet:
        """The network, with mixed-up masks where the numbers are a batch's."""
        network = self.network()
        assert isinstance(network, Ccnet)
        if kind == "batch":
            mix_masks(network.granularities.dependency.branches, self.config.classes)
        return network


@cache
def opened(path: Any) -> CcnetFixture:
    return CcnetFixture(path)


@pytest.fixture(params=parameters("ccnet"))
def fixture(request: pytest.FixtureRequest) -> CcnetFixture:
    return opened(request.param)


@cache
def said(fixture: CcnetFixture, kind: str) -> tuple[Any, dict[str, list[Tensor]]]:
    """Outputs, and what stages gave on the way, level by level, as (B, T, C)."""
    network = fixture.as_published(kind)
    stages: dict[str, list[Tensor]] = {}
    watch_streams(network.streams, stages)
    for level in network.streams.levels:
        keep(stages, "gate_v", level.from_visual)
        keep(stages, "gate_a", level.from_audio)

    def fused(_: Any, __: Any, row: Row) -> None:
        stages["fused"] = row.levels(row.x)

    network.granularities.register_forward_hook(fused)
    with torch.no_grad():
        return run(network, fixture.batch(kind)), stages


@pytest.mark.parametrize("kind", KINDS)
def test_stages(fixture: CcnetFixture, kind: str) -> None:
    outputs, stages = said(fixture, kind)
    compared = assert_stages(fixture, kind, stages)
    assert compared >= (4 + 3 * fixture.config.levels if kind == "batch" else 0)
    assert_outputs(fixture, kind, outputs)


def test_targets(fixture: CcnetFixture) -> None:
    assert_targets(fixture, said(fixture, "batch")[0], fixture.batch("batch"))


@pytest.mark.parametrize("thrifty", [False, True])
@pytest.mark.parametrize(("kind", "beginning"), [("single/1", "train_single"), ("batch", "train")])
def test_losses_and_gradients(
    fixture: CcnetFixture, kind: str, beginning: str, thrifty: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`thrifty`: with what saves memory and time at full width."""
    monkeypatch.setattr(wide_conv, "_LEAST", 1 if thrifty else 1 << 30)
    monkeypatch.setattr(TimedDependency, "room", 10_000)
    network = fixture.as_published(kind)
    network.granularities.dependency.branches.training = thrifty  # alone: nothing drops a path
    assert_training(fixture, network, kind, beginning)


@pytest.mark.parametrize("name", ["single/0", "single/1", "0", "1"])
def test_candidates_and_results(fixture: CcnetFixture, name: str) -> None:
    video = int(name[-1])
    kind, row = (name, 0) if "single" in name else ("batch", video)
    found = candidates_of(said(fixture, kind)[0], row, fixture.decoding)
    about, min_score = fixture.videos[video], fixture.test_options["min_score"]
    assert_candidates_and_result(fixture, f"eval/{name}", found, about, min_score)


def test_suppression_under_other_settings(fixture: CcnetFixture) -> None:
    assert_suppression_under_other_settings(fixture, "eval/0/cand")


def test_a_batch_says_what_its_videos_say_alone(fixture: CcnetFixture) -> None:
    """Which the authors' code does not."""
    network = fixture.network()
    with torch.no_grad():
        together = run(network, fixture.batch("batch"))
    for video in (0, 1):
        alone, _ = said(fixture, f"single/{video}")
        for own, wanted in ((together.logits, alone.logits), (together.offsets, alone.offsets)):
            torch.testing.assert_close(own[video], wanted[0], atol=1e-4, rtol=1e-4)
