"""Model folders from the torch side: there and back in half precision, one line where they are broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from avloc import zoo
from avloc.config import FeatureConfig, LocoConfig, ModelConfig, to_dict
from avloc.errors import ModelError, OutputError
from avloc.models.loco.network import Loco
from avloc.training.checkpoint import load_model, save_model

NETWORK = LocoConfig(
    classes=2, visual_width=6, audio_width=5, width=8, heads=2, ffn_ratio=1.0, unimodal_blocks=1, levels=3
)
CONFIG = ModelConfig("tiny", ("a", "b"), FeatureConfig(), NETWORK, window_steps=32)


def network() -> Loco:
    torch.manual_seed(0)
    return Loco(NETWORK)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path / "deep" / "model", network(), CONFIG)
    return tmp_path / "deep" / "model"


def test_there_and_back_in_half_precision(folder: Path) -> None:
    model, config = load_model(folder)
    assert config == CONFIG and not model.training
    before, after = network().state_dict(), model.state_dict()
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert after[name].dtype == torch.float32
        assert torch.equal(after[name], tensor.half().float()), name


def test_a_second_pass_loses_nothing(folder: Path, tmp_path: Path) -> None:
    model, config = load_model(folder)
    save_model(tmp_path / "again", model, config)
    assert (tmp_path / "again" / zoo.WEIGHTS).read_bytes() == (folder / zoo.WEIGHTS).read_bytes()
    assert (tmp_path / "again" / zoo.CONFIG).read_bytes() == (folder / zoo.CONFIG).read_bytes()


def test_the_folder_holds_weights_and_config_alone(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == [zoo.CONFIG, zoo.WEIGHTS]
    size = sum(t.numel() * 2 for t in network().state_dict().values())
    assert size < (folder / zoo.WEIGHTS).stat().st_size < size + 20_000


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut", "pickle", "folder"])
def test_weights_that_cannot_be_read(folder: Path, kind: str) -> None:
    path = folder / zoo.WEIGHTS
    content = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pickle":
        torch.save(network().state_dict(), path)
    elif kind != "missing":
        path.write_bytes({"empty": b"", "text": b"no weights\n" * 99, "cut": content[:-9]}[kind])
    assert "cannot be read as weights" in refused(folder)


@pytest.mark.parametrize("kind", ["one missing", "one more", "another shape", "another network"])
def test_weights_that_do_not_fit(folder: Path, kind: str) -> None:
    state = {name: t.half() for name, t in network().state_dict().items()}
    name = next(iter(state))
    if kind == "one missing":
        del state[name]
    elif kind == "one more":
        state["more"] = torch.zeros(3)
    elif kind == "another shape":
        state[name] = torch.zeros(3, 3, 3)
    else:
        state = {"a": torch.zeros(1)}
    (folder / zoo.WEIGHTS).write_bytes(save(state))
    assert "does not fit its config" in refused(folder)


def test_weights_that_are_not_finite(folder: Path) -> None:
    state = {name: t.half() for name, t in network().state_dict().items()}
    name = next(iter(state))
    state[name].view(-1)[0] = float("nan")
    (folder / zoo.WEIGHTS).write_bytes(save(state))
    assert name in refused(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"heads": 3},
        {"width": -8},
        {"levels": 0},
        {"classes": -1},
        {"class_prior": 0.0},
    ],
    ids=str,
)
def test_a_config_of_which_no_network_can_be_made(folder: Path, changes: dict[str, object]) -> None:
    data = to_dict(CONFIG)
    data["network"] |= changes
    (folder / zoo.CONFIG).write_text(json.dumps(data))
    refused(folder)


def test_a_config_that_is_no_config(folder: Path) -> None:
    (folder / zoo.CONFIG).write_text(json.dumps({"name": "x"}))
    assert "lacks the setting" in refused(folder)


def test_a_value_beyond_half_precision_is_refused_before_the_old_file_is_lost(folder: Path) -> None:
    before = (folder / zoo.WEIGHTS).read_bytes()
    model = network()
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] = 1e6
    with pytest.raises(ModelError, match="beyond 16-bit floats"):
        save_model(folder, model, CONFIG)
    assert (folder / zoo.WEIGHTS).read_bytes() == before


def test_nowhere_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        save_model(tmp_path / "file", network(), CONFIG)
    with pytest.raises(OutputError):
        save_model(tmp_path / "file" / "model", network(), CONFIG)
