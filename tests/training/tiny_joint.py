"""Two tiny tasks in turn, for the tests of training on several data sets; also in processes of their own."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from tiny import Task

from avloc.config import DenseLossConfig, RestConfig, TrainConfig, UniavConfig
from avloc.learning.build import build_criterion
from avloc.learning.joint import JointCriterion
from avloc.models.uniav import Uniav
from avloc.training.batches import CroppedBatches
from avloc.training.fit import fit, make_fabric
from avloc.training.joint import JointBatches
from avloc.training.method import Method
from avloc.training.watch import Epoch, Step, Watch

REST = RestConfig()
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


def main(file: Path, processes: int) -> None:
    """Train without drop path, which is by process; write the losses of every step and who rested."""
    config = replace(CONFIG, devices=processes)
    fabric = make_fabric(config, "cpu", in_turn=True)
    fabric.launch()
    torch.set_num_threads(1)
    made, steps, resting, validated = method(), list[float](), list[tuple[str, ...]](), iter(range(99))
    for module in made.network.modules():
        if hasattr(module, "rate"):
            module.rate = 0.0

    def on_step(step: Step) -> None:
        steps.append(step.total)

    def on_epoch(epoch: Epoch, average: torch.nn.Module) -> None:
        resting.append(epoch.resting)

    def validate(average: torch.nn.Module) -> dict[str, float]:
        return {"AVEL": 0.1 + 0.01 * next(validated), "TAL": 0.2}

    fit(made, batches(), config, watch=Watch(on_step, on_epoch, validate), fabric=fabric)
    if fabric.is_global_zero:
        file.write_text(json.dumps({"steps": steps, "resting": resting}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
