"""Torch network > ONNX file of one fixed window, its weights stored in half precision.

A weight is cast back to single precision in the graph (onnxruntime folds the casts at load), so that both sides
multiply the same numbers: the weights of a model folder are 16-bit floats.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import torch
from jaxtyping import Bool, Float
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from avloc import zoo
from avloc.config import ModelConfig
from avloc.errors import ModelError
from avloc.files import replace_file
from avloc.models.build import build_network
from avloc.models.network import Network
from avloc.models.wide_conv import plain_convolutions
from avloc.runner import OUTPUTS, OnnxRunner
from avloc.training.checkpoint import load_model, save_model

_SMALLEST_HALVED = 256
TOLERANCE = 1e-4
_LONG = 512  # steps from which on rounding of a step's number is more than a quarter of that


class _Deployed(nn.Module):
    """What runs at detection: scores, segments and the steps that they speak for."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, visual: Float[Tensor, "1 T Dv"], audio: Float[Tensor, "1 T Da"], mask: Bool[Tensor, "1 T"]
    ) -> tuple[Float[Tensor, "1 P K"], Float[Tensor, "1 P S 2"], Float[Tensor, "1 P"]]:
        outputs = self.network(visual, audio, mask)
        return outputs.scores, outputs.segments, outputs.place.reshape(1, -1) + 0.0 * outputs.scores[..., 0]


@dataclass(frozen=True)
class Exported:
    """The file, and how far its outputs lie from torch's at most, on random features of several lengths.

    Segments are compared in shares of their own length, or in steps where they are shorter than one; in long windows
    in shares of what single precision can tell apart at their end.
    """

    path: Path
    score_difference: float
    segment_difference: float


def export_model(folder: Path) -> Exported:
    """Write `model.onnx` beside the weights of a model folder and compare the two.

    Raises:
        OutputError: the file cannot be written.
        ModelError: the folder is broken, or the outputs differ by more than 1e-4.
    """
    return export_network(*load_model(folder), folder)


def take_task(folder: Path, task: str, out: Path) -> None:
    """Write a model folder `out` of one task of a model of several: its labels and settings, and its tensors alone.

    Raises:
        ModelError: the folder is broken, or `out` is the same folder.
        ConfigError: it has no such task.
        OutputError: `out` cannot be written.
    """
    whole, config = load_model(folder, task)
    if out.resolve() == folder.resolve():
        raise ModelError(f"{out}: is the model itself; name another folder")
    config = replace(config, name=out.name, network=config.network.alone(), others=())
    network = build_network(config.network)
    state = whole.state_dict()
    network.load_state_dict({name: state[name] for name in network.state_dict()})
    halved = all(torch.equal(t, t.half().float()) for t in network.state_dict().values())
    save_model(out, network, config, dtype=torch.float16 if halved else torch.float32)


def export_network(network: Network, config: ModelConfig, folder: Path) -> Exported:
    """Write `model.onnx` of any network into a model folder and compare it with the network's own outputs.

    Raises:
        OutputError: the file cannot be written.
        ModelError: the outputs differ by more than 1e-4.
    """
    path = folder / zoo.ONNX
    T, c = config.window_steps, config.network
    example = (
        torch.randn(1, T, c.visual_width),
        torch.randn(1, T, c.audio_width),
        torch.ones(1, T, dtype=torch.bool),
    )
    with _quiet(), plain_convolutions():
        program = torch.onnx.export(
            _Deployed(network.eval()),
            example,
            input_names=["visual", "audio", "mask"],
            output_names=list(OUTPUTS),
            dynamo=True,
            optimize=True,
        )
    assert program is not None
    model = program.model_proto
    _halve_weights(model)
    _strip(model)
    unchecked = path.with_name(f".unchecked-{path.name}")
    try:
        replace_file(unchecked, model.SerializeToString())
        exported = _compare(unchecked, network, T)
        worst = max(exported.score_difference, exported.segment_difference)
        if not worst <= TOLERANCE:
            raise ModelError(
                f"{path}: would differ from the weights' own outputs by {worst:.1e}; {TOLERANCE:.0e} is allowed"
            )
        unchecked.replace(path)
    finally:
        unchecked.unlink(missing_ok=True)
    return replace(exported, path=path)


def _halve_weights(model: onnx.ModelProto) -> None:
    graph = model.graph
    kept, casts = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16) if values.dtype == np.float32 else values
        if values.dtype == np.float32 and values.size >= _SMALLEST_HALVED and np.array_equal(half, values):
            name = f"{tensor.name}_f16"
            kept.append(numpy_helper.from_array(half, name))
            casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
        else:
            kept.append(tensor)
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend([*casts, *nodes])


def _strip(model: onnx.ModelProto) -> None:
    """Leave out what only tells of the machine and the code that exported."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:], model.metadata_props[:]
    model.producer_name = "avloc"
    onnx.checker.check_model(model)


def _compare(path: Path, network: Network, T: int) -> Exported:
    runner = OnnxRunner(path)
    generator = torch.Generator().manual_seed(0)
    score, segment = 0.0, 0.0
    for length in (T, T // 3, 1):
        mask = torch.arange(T) < length
        visual = torch.randn(T, network.config.visual_width, generator=generator)
        audio = torch.randn(T, network.config.audio_width, generator=generator)
        with torch.no_grad():
            outputs = network(visual[None], audio[None], mask[None])
            wanted_scores, wanted = outputs.scores[0].numpy(), outputs.segments[0].numpy()
        scores, segments, _ = runner(visual.numpy(), audio.numpy(), mask.numpy())
        inside = outputs.mask[0].numpy()
        length = np.maximum(wanted[..., 1:] - wanted[..., :1], max(1.0, T / _LONG))
        score = max(score, float(np.abs(scores - wanted_scores)[inside].max()))
        segment = max(segment, float((np.abs(segments - wanted) / length)[inside].max()))
    return Exported(path, score, segment)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter talks of its own steps; they help no user."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
