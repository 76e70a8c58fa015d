"""UnAV against its authors' code: stages, targets, losses, gradients, candidates, results.

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

from avloc.config import UnavConfig
from avloc.models import wide_conv
from avloc.models.dependency import Dependency
from avloc.models.family import Row
from avloc.models.unav import Unav

KINDS = ("single/0", "single/1", "batch", "long")


class UnavFixture(TwoStreamFixture):
    def network_config(self) -> UnavConfig:
        o = self.options
        return UnavConfig(
            **shared_options(o, stem_blocks=o["backbone_arch"][1] - 1),
            classes=o["num_classes"],
            steps=o["max_seq_len"],
            class_aware=o["class_aware"],
            dependency=o["use_dependency"],
        )

    def as_published(self, kind: str) -> Unav:
        """The network, with mixed-up masks where the numbers are a batch's."""
        network = self.network()
        assert isinstance(network, Unav)
        if kind == "batch" and network.dependency is not None:
            mix_masks(network.dependency.branches, self.config.classes)
        return network


@cache
def opened(path: Any) -> UnavFixture:
    return UnavFixture(path)


@pytest.fixture(params=parameters("unav"))
def fixture(request: pytest.FixtureRequest) -> UnavFixture:
    return opened(request.param)


@cache
def said(fixture: UnavFixture, kind: str) -> tuple[Any, dict[str, list[Tensor]]]:
    """Outputs, and what stages gave on the way, level by level, as (B, T, C)."""
    network = fixture.as_published(kind)
    stages: dict[str, list[Tensor]] = {}
    watch_streams(network.streams, stages)

    def fused(_: Any, __: Any, row: Row) -> None:
        stages["fused"] = row.levels(row.x)

    if network.dependency is not None:
        network.dependency.register_forward_hook(fused)
    with torch.no_grad():
        return run(network, fixture.batch(kind)), stages


@pytest.mark.parametrize("kind", KINDS)
def test_stages(fixture: UnavFixture, kind: str) -> None:
    outputs, stages = said(fixture, kind)
    compared = assert_stages(fixture, kind, stages)
    assert compared >= (4 + 2 * fixture.config.levels if kind == "batch" else 0)
    assert_outputs(fixture, kind, outputs)


def test_targets(fixture: UnavFixture) -> None:
    assert_targets(fixture, said(fixture, "batch")[0], fixture.batch("batch"))


@pytest.mark.parametrize("thrifty", [False, True])
@pytest.mark.parametrize(("kind", "beginning"), [("single/1", "train_single"), ("batch", "train")])
def test_losses_and_gradients(
    fixture: UnavFixture, kind: str, beginning: str, thrifty: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`thrifty`: with what saves memory and time at full width."""
    monkeypatch.setattr(wide_conv, "_LEAST", 1 if thrifty else 1 << 30)
    monkeypatch.setattr(Dependency, "room", 10_000)
    network = fixture.as_published(kind)
    if network.dependency is not None:
        network.dependency.branches.training = thrifty  # alone: nothing drops a path
    assert_training(fixture, network, kind, beginning)


@pytest.mark.parametrize("name", ["single/0", "single/1", "0", "1", "2"])
def test_candidates_and_results(fixture: UnavFixture, name: str) -> None:
    if f"eval/{name}/cand/scores" not in fixture:
        pytest.skip(f"the fixture has no candidates of {name}")
    video = int(name[-1])
    kind, row = (name, 0) if "single" in name else ("long", 0) if video == 2 else ("batch", video)
    found = candidates_of(said(fixture, kind)[0], row, fixture.decoding)
    about, min_score = fixture.videos[video], fixture.test_options["min_score"]
    assert_candidates_and_result(fixture, f"eval/{name}", found, about, min_score)


def test_suppression_under_other_settings(fixture: UnavFixture) -> None:
    assert_suppression_under_other_settings(fixture, "eval/0/cand")


def test_a_batch_says_what_its_videos_say_alone(fixture: UnavFixture) -> None:
    """Which the authors' code does not."""
    network = fixture.network()
    with torch.no_grad():
        together = run(network, fixture.batch("batch"))
    for video in (0, 1):
        alone, _ = said(fixture, f"single/{video}")
        for own, wanted in ((together.logits, alone.logits), (together.offsets, alone.offsets)):
            torch.testing.assert_close(own[video], wanted[0], atol=1e-4, rtol=1e-4)
