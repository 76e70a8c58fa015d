"""A loss that is no number ends the training in one line; what was saved before stays usable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny import Task, method, network

from avloc.config import TrainConfig
from avloc.errors import TrainingError
from avloc.training.batches import CroppedBatches
from avloc.training.fit import fit
from avloc.training.state import read_place

CONFIG = TrainConfig(
    epochs=2, warmup_epochs=0, batch=4, learning_rate=1e-3, save_every_minutes=0, precision="32-true"
)


def batches(task: Task, config: TrainConfig) -> CroppedBatches:
    return CroppedBatches(task, config, network().multiple)


def test_a_loss_that_is_no_number_names_its_step_and_spares_the_state(tmp_path: Path) -> None:
    task, state = Task(), tmp_path / "state.safetensors"
    settled = replace(CONFIG, epochs=1)
    fit(method(network()), batches(task, settled), settled, state=state)
    task.samples[5].visual[:] = np.nan
    with pytest.raises(TrainingError) as caught:
        fit(method(network()), batches(task, CONFIG), CONFIG, state=state, resume=True)
    place = read_place(state)
    assert place.epoch == 1
    expected = f"epoch 2, step {place.step + 1}: the loss or its gradient is nan; look for odd features"
    assert str(caught.value).startswith(expected) and "\n" not in str(caught.value)
    assert all(torch.isfinite(tensor).all() for tensor in load_file(state).values())


def test_a_rate_far_too_high_is_named() -> None:
    config = replace(CONFIG, learning_rate=1e25)
    with pytest.raises(TrainingError, match=r"below 1e\+25"):
        fit(method(network()), batches(Task(), config), config)
