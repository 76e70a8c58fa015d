"""A trainer's state: what may go on from it, and what is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny import Task, method, network

from avloc.config import TrainConfig, to_dict
from avloc.errors import ModelError
from avloc.training.batches import CroppedBatches
from avloc.training.fit import fit
from avloc.training.state import _FORMAT, read_place, require_same

CONSTANT = TrainConfig(
    epochs=2, warmup_epochs=0, batch=8, learning_rate=1e-3, schedule="constant", precision="32-true"
)


def train(config: TrainConfig, state: Path, *, resume: bool = False) -> dict[str, torch.Tensor]:
    model = network()
    batches = CroppedBatches(Task(), config, model.multiple)
    settings = json.dumps({"train": to_dict(config)})
    return fit(method(model), batches, config, state=state, resume=resume, settings=settings).state_dict()


def test_a_run_begun_before_a_setting_came_goes_on(tmp_path: Path) -> None:
    def begun(path: Path) -> None:
        save_file(
            {},
            path,
            {"format": _FORMAT, "place": "{}", "settings": json.dumps({"data": {}, "loss": {}, "decoding": {}})},
        )

    begun(tmp_path / "state")
    now = {"data": {"lenient": False, "test_split": "test", "thresholds": []}, "loss": {"first_reach": 4.0}}
    now |= {"decoding": {"rivals": [], "clip": "before"}}
    require_same(tmp_path / "state", json.dumps(now), CONSTANT)
    now["data"]["lenient"] = True
    with pytest.raises(ModelError, match=r"other settings \(data\.lenient was None, is True\)"):
        require_same(tmp_path / "state", json.dumps(now), CONSTANT)


def test_more_epochs_where_the_schedule_allows_them(tmp_path: Path) -> None:
    longer = replace(CONSTANT, epochs=4)
    whole = train(longer, tmp_path / "whole")
    train(CONSTANT, tmp_path / "grown")
    grown = train(longer, tmp_path / "grown", resume=True)
    assert read_place(tmp_path / "grown").epoch == 4
    assert all(torch.equal(whole[name], grown[name]) for name in whole)


def refused(config: TrainConfig, state: Path) -> str:
    before = state.read_bytes()
    with pytest.raises(ModelError) as caught:
        train(config, state, resume=True)
    assert "\n" not in str(caught.value) and str(state) in str(caught.value)
    assert state.read_bytes() == before
    return str(caught.value)


def test_a_cosine_ends_with_its_epochs(tmp_path: Path) -> None:
    cosine = replace(CONSTANT, schedule="cosine")
    train(cosine, tmp_path / "state")
    said = refused(replace(cosine, epochs=4), tmp_path / "state")
    assert "begun for 2 epochs, and a cosine schedule ends with them" in said and "--init" in said


def test_other_settings_are_named(tmp_path: Path) -> None:
    train(CONSTANT, tmp_path / "state")
    assert "train.batch was 8, is 4" in refused(replace(CONSTANT, batch=4), tmp_path / "state")
    assert "train.epochs was 2, is 1" in refused(replace(CONSTANT, epochs=1), tmp_path / "state")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"format": "avloc-trainer/1", "settings": "{}", "place": "{}"}, "begun by an older avloc"),
        ({"format": "other"}, "is no trainer state"),
        (None, "is no trainer state"),
        ("no file", "cannot be read as a trainer's state"),
    ],
)
def test_a_file_that_is_no_state_of_this_version(tmp_path: Path, header: object, reason: str) -> None:
    path = tmp_path / "state"
    if isinstance(header, str):
        path.write_bytes(b"no state")
    else:
        save_file({"x": torch.zeros(1)}, path, header)  # type: ignore[arg-type]
    assert reason in refused(CONSTANT, path)
