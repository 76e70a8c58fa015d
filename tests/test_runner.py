"""The network on onnxruntime: what is no network of avloc is refused in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avloc import load, zoo
from avloc.config import FeatureConfig, LocoConfig, ModelConfig
from avloc.errors import ModelError
from avloc.runner import OnnxRunner

onnx = pytest.importorskip("onnx")
helper = onnx.helper
FLOAT, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.BOOL

T, DV, DA = 32, 3, 2
INPUTS: dict[str, tuple[int, list[int | str]]] = {
    "visual": (FLOAT, [1, T, DV]),
    "audio": (FLOAT, [1, T, DA]),
    "mask": (BOOL, [1, T]),
}


def write(
    path: Path, inputs: dict[str, tuple[int, list[int | str]]], outputs: tuple[str, str] = ("scores", "offsets")
) -> Path:
    """A network that gives its two first inputs back."""
    first, second = list(inputs)[:2]
    graph = helper.make_graph(
        [helper.make_node("Identity", [first], [outputs[0]]), helper.make_node("Identity", [second], [outputs[1]])],
        "tiny",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(outputs[i], *inputs[n]) for i, n in enumerate((first, second))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_runs_and_tells_its_sizes(tmp_path: Path) -> None:
    runner = OnnxRunner(write(tmp_path / "m.onnx", INPUTS), threads=1)
    assert runner.window_steps == T and runner.widths == (DV, DA)
    visual, audio = np.random.default_rng(0).random((T, DV), np.float32), np.ones((T, DA), np.float32)
    scores, offsets = runner(visual, audio, np.ones(T, bool))
    assert np.array_equal(scores, visual) and np.array_equal(offsets, audio)


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x08" * 100])
def test_a_file_that_is_no_network(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="export the model anew") as caught:
        OnnxRunner(path)
    assert "\n" not in str(caught.value)


def test_a_network_cut_short(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx", INPUTS)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelError, match="export the model anew"):
        OnnxRunner(path)


@pytest.mark.parametrize("name", ["m.onnx", "."])
def test_a_file_that_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="avloc export"):
        OnnxRunner(tmp_path / name)


@pytest.mark.parametrize(
    "inputs",
    [
        {"pictures": INPUTS["visual"], "audio": INPUTS["audio"], "mask": INPUTS["mask"]},
        {"visual": INPUTS["visual"], "audio": INPUTS["audio"]},
        {**INPUTS, "visual": (FLOAT, [1, "T", DV])},
        {**INPUTS, "visual": (FLOAT, [1, T])},
        {**INPUTS, "audio": (FLOAT, [1, T + 1, DA])},
    ],
    ids=["other names", "no mask", "no fixed length", "no width", "two lengths"],
)
def test_a_network_of_something_else(tmp_path: Path, inputs: dict[str, tuple[int, list[int | str]]]) -> None:
    path = write(tmp_path / "m.onnx", inputs)
    with pytest.raises(ModelError, match="export the model anew") as caught:
        OnnxRunner(path)
    assert "\n" not in str(caught.value)


def test_a_network_with_other_outputs(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx", INPUTS, ("logits", "boxes"))
    with pytest.raises(ModelError, match="gives logits, boxes, not scores and offsets"):
        OnnxRunner(path)


CONFIG = ModelConfig(
    "tiny", ("a", "b"), FeatureConfig(), LocoConfig(classes=2, visual_width=DV, audio_width=DA), window_steps=T
)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (replace(CONFIG, window_steps=64), "its config says 64"),
        (replace(CONFIG, network=replace(CONFIG.network, audio_width=9)), "its config says"),
        (replace(CONFIG, labels=("a",)), "1 labels for 2 classes"),
        (replace(CONFIG, features=FeatureConfig(stride_s=0.0)), "stride_s is 0.0"),
        (replace(CONFIG, features=FeatureConfig(offset_s=float("nan"))), "offset_s is nan"),
        (replace(CONFIG, network=replace(CONFIG.network, levels=7)), "multiple of 64"),
    ],
)
def test_a_config_that_does_not_fit_its_network(tmp_path: Path, config: ModelConfig, reason: str) -> None:
    write(tmp_path / zoo.ONNX, INPUTS)
    zoo.write_config(tmp_path, config)
    with pytest.raises(ModelError, match=reason) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


def test_a_config_that_fits(tmp_path: Path) -> None:
    write(tmp_path / zoo.ONNX, INPUTS)
    zoo.write_config(tmp_path, CONFIG)
    assert load(tmp_path).labels == ("a", "b")
