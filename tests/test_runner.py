"""The network on onnxruntime: what is no network of avloc is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avloc import load, zoo
from avloc.config import FeatureConfig, LocoConfig, ModelConfig, to_dict
from avloc.errors import ModelError
from avloc.runner import OUTPUTS, OnnxRunner

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
    path: Path,
    inputs: dict[str, tuple[int, list[int | str]]],
    outputs: tuple[str, ...] = OUTPUTS,
) -> Path:
    """A network that gives its first inputs back."""
    pairs = list(zip((list(inputs) * 2)[: len(outputs)], outputs, strict=True))
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], [output]) for name, output in pairs],
        "tiny",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(output, *inputs[name]) for name, output in pairs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_runs_and_tells_its_sizes(tmp_path: Path) -> None:
    runner = OnnxRunner(write(tmp_path / "m.onnx", INPUTS), threads=1)
    assert runner.window_steps == T and runner.widths == (DV, DA)
    visual, audio = np.random.default_rng(0).random((T, DV), np.float32), np.ones((T, DA), np.float32)
    scores, segments, place = runner(visual, audio, np.ones(T, bool))
    assert np.array_equal(scores, visual) and np.array_equal(segments, audio) and place.all()


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
    with pytest.raises(ModelError, match="gives logits, boxes, not scores, segments, place"):
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
    ],
)
def test_a_config_that_does_not_fit_its_network(tmp_path: Path, config: ModelConfig, reason: str) -> None:
    write(tmp_path / zoo.ONNX, INPUTS)
    zoo.write_config(tmp_path, config)
    with pytest.raises(ModelError, match=reason) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("stride_s", 0.0), ("offset_s", float("nan")), ("cues", -1)])
def test_a_config_with_a_number_that_cannot_be(tmp_path: Path, name: str, value: float) -> None:
    write(tmp_path / zoo.ONNX, INPUTS)
    data = to_dict(CONFIG)
    data["features"][name] = value
    (tmp_path / zoo.CONFIG).write_text(json.dumps(data))
    with pytest.raises(ModelError, match=f"{name} is {value}"):
        load(tmp_path)


def test_a_config_that_fits(tmp_path: Path) -> None:
    write(tmp_path / zoo.ONNX, INPUTS)
    zoo.write_config(tmp_path, CONFIG)
    assert load(tmp_path).labels == ("a", "b")
