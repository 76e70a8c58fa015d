"""Several data sets in turn: slots of a round, who rests, and a run that was stopped anywhere goes on exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import Task

from avloc.config import DenseLossConfig, RestConfig, TrainConfig, UniavConfig
from avloc.datasets.batch import Batch
from avloc.learning.build import build_criterion
from avloc.learning.joint import JointCriterion
from avloc.learning.losses import Ranks, Truth
from avloc.models.uniav import Uniav
from avloc.training.batches import CroppedBatches
from avloc.training.fit import fit
from avloc.training.joint import JointBatches, is_resting
from avloc.training.method import Method
from avloc.training.watch import Epoch, Step, Watch

REST = RestConfig()


class Counted:
    """Batches that say which of which epoch they are."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def epoch(self, number: int, first_step: int, rank: int, world: int) -> Iterator[Batch]:
        for step in range(first_step, self.steps):
            yield Batch(*[np.array([[[number, step]]], np.float32)] * 2, *[np.zeros((1, 0))] * 3)  # type: ignore[arg-type]


def told(data: JointBatches, epoch: int, first: int = 0) -> list[tuple[str, int, int] | None]:
    return [
        None if batch is None else (batch.task, *batch.visual[0, 0].astype(int).tolist())
        for batch in data.epoch(epoch, first, 0, 1)
    ]


def test_a_slot_for_each_task_and_smaller_sets_begin_anew() -> None:
    data = JointBatches({"TAL": Counted(3), "SED": Counted(2)}, REST)
    assert data.steps == 6 and data.rounds == 3
    first, second = told(data, 1), told(data, 2)
    assert [slot and slot[0] for slot in first] == ["TAL", "SED"] * 3
    assert [slot and slot[1:] for slot in first if slot and slot[0] == "TAL"] == [(1, 0), (1, 1), (1, 2)]
    # Its own epochs 1 and 2, then 3 and 4: no batch comes twice under one shuffle.
    assert [slot and slot[1:] for slot in first + second if slot and slot[0] == "SED"] == [
        (1, 0), (1, 1), (2, 0), (3, 0), (3, 1), (4, 0)]  # fmt: skip
    for at in range(6):
        assert told(data, 1, at) == first[at:]


def test_a_resting_task_still_has_every_fourth_round() -> None:
    data = JointBatches({"TAL": Counted(6), "SED": Counted(6)}, REST)
    assert data.hear([{"TAL": 0.1 * k, "SED": 0.3} for k in range(4)]) == ("SED",)
    slots = told(data, 1) + told(data, 2)
    assert [k for k in range(12) if slots[2 * k + 1] is not None] == [0, 4, 8]
    assert all(slots[2 * k] is not None for k in range(12))
    assert JointBatches(data.sets, replace(REST, rests=False)).hear([{"TAL": 0.1, "SED": 0.1}] * 9) == ()


@pytest.mark.parametrize(
    ("scores", "rests"),
    [
        ([], []),
        ([0.0, 0.0, 0.0], [0, 0, 1]),
        ([0.1, 0.2, 0.3, 0.4], [0, 0, 0, 0]),
        # Once without an improvement is waited for; 0.1 % is none.
        ([0.2, 0.2001, 0.21], [0, 0, 0]),
        ([0.2, 0.2001, 0.2002], [0, 0, 1]),
        # The validation after a change does not count; a fall below the best by more than 0.5 % ends the rest.
        ([0.2, 0.2, 0.2, 0.1995, 0.1], [0, 0, 1, 1, 0]),
        ([0.2, 0.2, 0.2, 0.1], [0, 0, 1, 0]),
        ([0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1], [0, 0, 1, 0, 0, 0, 1]),
    ],
)
def test_who_rests(scores: list[float], rests: list[int]) -> None:
    assert [is_resting(scores[: k + 1], REST) for k in range(len(scores))] == [bool(r) for r in rests]


class PlateauWatch:
    """The rule as UniAV's own training tells it, validation by validation."""

    def __init__(self) -> None:
        self.best, self.bad, self.wait, self.stopped = -np.inf, 0, 0, False

    def see(self, score: float) -> bool:
        improved = score > self.best * 1.001
        self.bad = 0 if improved else self.bad + 1
        self.best = score if improved else self.best
        if self.wait > 0:
            self.wait -= 1
            self.bad = 0
        if self.bad > 1:
            self.stopped, self.wait, self.bad = True, 1, 0
        elif self.stopped and score < self.best * 0.995:
            self.stopped, self.wait, self.bad = False, 1, 0
        return self.stopped


@given(st.lists(st.sampled_from([0.0, 0.1, 0.199, 0.1995, 0.2, 0.2001, 0.201, 0.3]), max_size=12))
def test_who_rests_step_by_step(scores: list[float]) -> None:
    watch = PlateauWatch()
    assert [watch.see(score) for score in scores] == [is_resting(scores[: k + 1], REST) for k in range(len(scores))]


NETWORK = UniavConfig(
    classes=3, visual_width=8, audio_width=6, steps=64, width=16, head_width=16, stem_blocks=1, levels=3,
    text_width=8, heads=2, others=(("TAL", 3, "", 64),),
)  # fmt: skip
CONFIG = TrainConfig(epochs=5, warmup_epochs=1, batch=4, learning_rate=1e-2, ema_decay=0.9, longest_steps=64)


def method() -> Method:
    torch.manual_seed(3)
    loss = DenseLossConfig(assignment="class-aware", centre_radius=None, normalizer_start=30.0)
    criteria = {
        "AVEL": build_criterion(loss, NETWORK),
        "TAL": build_criterion(replace(loss, assignment="class-agnostic", normalizer_start=60.0), NETWORK),
    }
    return Method(Uniav(NETWORK), JointCriterion(criteria))


def batches() -> JointBatches:
    sets = {"AVEL": CroppedBatches(Task(12), CONFIG, 4), "TAL": CroppedBatches(Task(6), CONFIG, 4)}
    return JointBatches(sets, REST)


def test_each_task_is_judged_by_its_own_criterion() -> None:
    made = method()
    batch = next(iter(batches().epoch(1, 0, 0, 1)))
    assert batch is not None and batch.task == "AVEL"
    arrays = (batch.visual, batch.audio, batch.mask, batch.segments, batch.labels)
    visual, audio, mask, segments, labels = map(torch.from_numpy, arrays)
    for task, width in (("AVEL", 3), ("TAL", 1)):
        made.network.zero_grad()
        outputs = made.network(visual, audio, mask, task)
        assert outputs.offsets.shape[2] == width
        losses = made.criterion(outputs, Truth(segments, labels, task))
        assert set(losses.parts) == {f"{task} classification", f"{task} regression"}
        losses.total.backward()
        others = [n for n, p in made.network.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
        other = {"AVEL": "TAL", "TAL": "AVEL"}[task]
        assert any(f".{task}." in n for n in others) and not any(f".{other}." in n for n in others)
    kept = made.criterion.state_dict()
    assert 30 != float(kept["each.AVEL.normalizer"]) != float(kept["each.TAL.normalizer"]) != 60
    ranks = Ranks(2)
    made.criterion.ranks = ranks
    assert made.criterion.ranks is ranks and all(c.ranks is ranks for c in made.criterion.each.values())


def test_a_run_that_was_stopped_goes_on_exactly_with_a_task_at_rest(tmp_path: Path) -> None:
    def run(stop: int | None, state: Path | None) -> tuple[list[Step], list[Epoch], dict[str, torch.Tensor]]:
        steps: list[Step] = []
        epochs: list[Epoch] = []

        def on_step(step: Step) -> None:
            steps.append(step)
            if stop is not None and len(steps) == stop:
                raise RuntimeError

        validated = iter(range(len(kept), 99))

        def validate(average: torch.nn.Module) -> dict[str, float]:
            kept.append({"AVEL": 0.1 + 0.01 * next(validated), "TAL": 0.2})
            return kept[-1]

        made = method()
        watch = Watch(on_step, lambda epoch, _: epochs.append(epoch), validate)
        try:
            average = fit(
                made, batches(), config, watch=watch, state=state, resume=state is not None and state.is_file()
            )
        except RuntimeError:
            return steps, epochs, {}
        return steps, epochs, {k: v.clone() for k, v in average.state_dict().items()}

    config = replace(CONFIG, save_every_minutes=0)
    kept: list[dict[str, float]] = []
    steps, epochs, whole = run(None, None)
    # Three rounds an epoch; from the third validation on TAL rests, but for the rounds 12 of 0, 4, 8, 12.
    assert [e.resting for e in epochs] == [(), (), (), ("TAL",), ("TAL",)]
    assert len(steps) == 3 * 6 + 3 + (3 + 1) and epochs[0].by_task == {"AVEL": 0.1, "TAL": 0.2}
    assert epochs[0].validation_map == pytest.approx(0.15)
    assert set(epochs[0].losses) == {f"{t} {n}" for t in ("AVEL", "TAL") for n in ("classification", "regression")}
    for part in ("AVEL classification", "TAL regression"):
        mean = np.mean([step.losses[part] for step in steps[:6] if part in step.losses])
        assert epochs[0].losses[part] == pytest.approx(mean)
    kept.clear()
    state = tmp_path / "state.safetensors"
    run(20, state)
    more, last, resumed = run(None, state)
    assert [e.number for e in last] == [4, 5] and more[-1].total == steps[-1].total
    assert [e.resting for e in last] == [("TAL",), ("TAL",)]
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
