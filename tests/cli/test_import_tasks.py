"""`avloc import` of a network of three tasks, from published weights of a narrow one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from avloc.cli.main import main
from avloc.training.checkpoint import load_model
from avloc.training.export import take_task
from avloc.zoo import read_config

FIXTURE = Path(__file__).parents[3] / "shared" / "parity" / "uniav.safetensors"
CLASSES = {"tal": ("TASK1", 5), "avel": ("TASK2", 4), "sed": ("TASK3", 3)}
NETWORK = {
    "visual_width": 20, "audio_width": 12, "width": 32, "head_width": 32, "levels": 4, "stem_blocks": 1,
    "head_blocks": 2,
}  # fmt: skip

pytestmark = pytest.mark.skipif(not FIXTURE.is_file(), reason="needs the published weights of a narrow network")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Checkpoint, annotations and class embeddings as a user has them, and a file that names these."""
    tensors = load_file(FIXTURE)
    state = {
        f"module.{k.removeprefix('weights/')}": t.float() for k, t in tensors.items() if k.startswith("weights/")
    }
    torch.save({"epoch": 6, "state_dict_ema": state}, tmp_path / "at.pth.tar")
    sets = {}
    for name, (task, classes) in CLASSES.items():
        labels = [f"{name} {k}" for k in range(classes)]
        truth, prompts = tmp_path / f"{name}.json", tmp_path / f"{name}.npy"
        truth.write_text(json.dumps({"labels": labels, "database": {}}))
        np.save(prompts, tensors[f"in/prompts/{task}"].numpy())
        sets[name] = {"annotations": str(truth), "class_embeddings": str(prompts)}
    path = tmp_path / "at.json"
    path.write_text(json.dumps({"network": NETWORK, "sets": sets}))
    return path


def run(settings: Path, *more: str) -> int:
    given = ["import", "uniav", str(settings.with_name("at.pth.tar")), "--like", "uniav-at-onepeace"]
    return main([*given, "--config", str(settings), "--out", str(settings.parent / "at"), *more])


def test_three_tasks_of_one_checkpoint(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(settings) == 0
    assert "uniav as uniav-at-onepeace" in capsys.readouterr().out
    out = settings.parent / "at"
    config = read_config(out)
    assert config.labels == ("avel 0", "avel 1", "avel 2", "avel 3") and len(config.others) == 2
    tal = config.of_task("tal")
    assert len(tal.labels) == 5 and tal.features.resize_steps == 256 and tal.features.streams.visual.endswith("net")
    tensors = load_file(FIXTURE)
    for name, (task, _) in CLASSES.items():
        network, own = load_model(out, name)
        texts = network.state_dict()[f"classify.texts.{name.upper()}"]
        assert torch.equal(texts, tensors[f"in/prompts/{task}"]) and own.network.tasks[0] == name.upper()
    again = settings.parent / "sed"
    take_task(out, "sed", again)
    assert next(iter(load_model(again)[0].state_dict().values())).dtype == torch.float32
    assert (again / "model.safetensors").stat().st_size < (out / "model.safetensors").stat().st_size


def test_what_is_missing_is_one_line(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = settings.with_name("labels.txt")
    labels.write_text("a\n")
    assert run(settings, "--labels", str(labels)) == 1
    assert "--labels is of one task" in capsys.readouterr().err
    told = json.loads(settings.read_text())
    told["sets"]["tal"]["annotations"] = told["sets"]["sed"]["annotations"]
    settings.write_text(json.dumps(told))
    assert run(settings) == 1
    assert "tal.npy: holds 5 rows of 1536; 3 of 1536 are needed" in capsys.readouterr().err
    del told["sets"]["tal"]["annotations"]
    settings.write_text(json.dumps(told))
    assert run(settings) == 1
    error = capsys.readouterr().err
    assert "sets.tal.annotations is not set" in error and error.count("\n") == 1
    assert not (settings.parent / "at").exists()
