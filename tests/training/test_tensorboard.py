"""Curves for TensorBoard, and the error that names the extra."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from avloc.errors import TrainingError
from avloc.training.tensorboard import Board
from avloc.training.watch import Epoch, Step

THERE = find_spec("tensorboard") is not None


@pytest.mark.skipif(THERE, reason="tensorboard is installed")
def test_without_the_package_the_extra_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"pip install '.\[tensorboard\]'"):
        Board(tmp_path)


@pytest.mark.skipif(not THERE, reason="tensorboard is not installed")
def test_curves_by_step_and_epoch_and_a_resumed_run_goes_over_its_own(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for losses in ((4.0, 3.0, 2.0), (1.0, 0.5)):  # the second run goes on from step 3 of 4
        board = Board(tmp_path)
        for i, loss in enumerate(losses):
            number = i + 1 if len(losses) == 3 else i + 3
            board.on_step(Step(1, number, 4, loss, {"classification": loss}, 1e-3, 0.0))
    board.on_epoch(Epoch(1, 2.1, {"classification": 2.1}, {"sigma_steps": 1.5}, 1e-3, 3.0, 0.25, True))
    found = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in found.Scalars("step/total")] == [(1, 4.0), (2, 3.0), (3, 1.0), (4, 0.5)]
    assert found.Scalars("step/classification")[-1].value == 0.5
    assert found.Scalars("epoch/sigma_steps")[0].value == 1.5
    assert found.Scalars("epoch/validation_map")[0].value == 0.25
