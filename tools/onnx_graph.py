"""A small writer of ONNX graphs for convolutional networks whose weights are kept in half precision.

A weight is stored as float16 and cast to float32 in the graph. onnxruntime folds the casts while it loads, so
the file is half as large and every multiplication still runs in single precision.

Legend: N images or patches, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]
Pads = tuple[int, int, int, int]  # top, left, bottom, right

OPSET = 17
NONE: Mapping[str, int | list[int]] = MappingProxyType({})


def fold_batch_norm(
    kernel: Array, mean: Array, variance: Array, beta: Array, epsilon: float, gamma: Array | None = None
) -> tuple[Array, Array]:
    """Kernel (Cout, Cin, H, W) and bias (Cout,) of one convolution equal to convolution, then batch norm."""
    scale = 1.0 / np.sqrt(variance.astype(np.float64) + epsilon)
    if gamma is not None:
        scale = scale * gamma
    folded = kernel.astype(np.float64) * scale[:, None, None, None]
    return folded.astype(np.float32), (beta - mean * scale).astype(np.float32)


def same_pads(size: int, kernel: int, stride: int) -> Pads:
    """TensorFlow's 'SAME' padding of a square-padded axis: the odd row or column goes to bottom and right."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return (total // 2, total // 2, total - total // 2, total - total // 2)


class Graph:
    """Collects nodes in order; every method returns the name of what it computes."""

    def __init__(self, half: bool = True) -> None:
        self.half = half
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def add(self, op: str, *inputs: str, name: str = "", attributes: Mapping[str, int | list[int]] = NONE) -> str:
        """One node of one output, named `name` or by its number."""
        output = name or f"{op.lower()}_{len(self.nodes)}"
        node = helper.make_node(op, list(inputs), [output])
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return output

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        """A constant kept in its own type."""
        self.initializers.append(numpy_helper.from_array(values, name))
        return name

    def weight(self, name: str, values: Array) -> str:
        """A float32 weight, stored as float16 with a cast if the graph is in half precision."""
        if not self.half:
            return self.constant(name, values)
        stored = values.astype(np.float16)
        if not np.isfinite(stored).all():
            raise SystemExit(f"weight {name} leaves the range of float16")
        return self.add("Cast", self.constant(f"{name}_f16", stored), name=name, attributes={"to": TensorProto.FLOAT})

    def small_weight(self, name: str, values: Array) -> str:
        """A float32 weight (Cout, ...), stored as 8-bit integers and a scale for each output channel."""
        scale = np.abs(values).reshape(len(values), -1).max(axis=1) / 127
        scale = np.where(scale > 0, scale, 1).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
        stored = self.constant(f"{name}_i8", np.round(values / scale).astype(np.int8))
        whole = self.add("Cast", stored, attributes={"to": TensorProto.FLOAT})
        return self.add("Mul", whole, self.constant(f"{name}_scale", scale), name=name)

    def conv(
        self,
        x: str,
        name: str,
        kernel: Array,
        bias: Array,
        stride: int = 1,
        pads: Pads = (0, 0, 0, 0),
        groups: int = 1,
    ) -> str:
        """Convolution of x (N, Cin, H, W); biases are few and stay float32."""
        weight, offset = self.weight(f"{name}_w", kernel), self.constant(f"{name}_b", bias)
        shape: dict[str, int | list[int]] = {"strides": [stride, stride], "pads": list(pads), "group": groups}
        return self.add("Conv", x, weight, offset, attributes=shape)

    def relu(self, x: str) -> str:
        """max(x, 0)."""
        return self.add("Relu", x)

    def relu6(self, x: str) -> str:
        """min(max(x, 0), 6), in the form that onnxruntime fuses into the convolution before it."""
        if not any(tensor.name == "zero" for tensor in self.initializers):
            self.constant("zero", np.array(0, np.float32))
            self.constant("six", np.array(6, np.float32))
        return self.add("Clip", x, "zero", "six")

    def leaky_relu(self, x: str, slope: float) -> str:
        """x where it is positive, else slope * x."""
        y = self.add("LeakyRelu", x)
        self.nodes[-1].attribute.append(helper.make_attribute("alpha", slope))
        return y

    def resize(self, x: str, name: str, scales: tuple[float, float], mode: bytes, rule: bytes) -> str:
        """Height and width times `scales`; `rule` is the name of ONNX for where the pixels lie."""
        y = self.add("Resize", x, "", self.constant(f"{name}_scales", np.array([1, 1, *scales], np.float32)))
        rows = {"mode": mode, "coordinate_transformation_mode": rule}
        if mode == b"nearest":
            rows["nearest_mode"] = b"floor"
        self.nodes[-1].attribute.extend(helper.make_attribute(key, value) for key, value in rows.items())
        return y

    def pooled_dense(self, x: str, kernel: Array, bias: Array, name: str) -> str:
        """Mean over space as output `embedding` (N, C), then x @ kernel.T + bias; kernel (K, C)."""
        pooled = self.add("GlobalAveragePool", x)
        embedding = self.add("Flatten", pooled, name="embedding")
        weight, offset = self.weight("dense_w", kernel), self.constant("dense_b", bias)
        return self.add("Gemm", embedding, weight, offset, name=name, attributes={"transB": 1})

    def save(
        self, path: Path, source: str, inputs: dict[str, tuple[int, tuple[int | str, ...]]], outputs: dict[str, int]
    ) -> None:
        """Checks and writes the model; inputs: name -> (element type, shape without N), outputs: name -> width."""
        graph = helper.make_graph(
            self.nodes,
            path.stem,
            [helper.make_tensor_value_info(n, kind, ["N", *shape]) for n, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", width]) for n, width in outputs.items()],
            self.initializers,
        )
        model = helper.make_model(
            graph, producer_name="avloc", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8
        )
        model.doc_string = source
        onnx.checker.check_model(model, full_check=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(model.SerializeToString())
        temporary.replace(path)


def write_classes(path: Path, names: list[str]) -> None:
    """Class names, one a line, in index order."""
    if len(set(names)) != len(names) or any("\n" in name or not name.strip() for name in names):
        raise SystemExit(f"{path.name}: class names must be unique, non-empty lines")
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    temporary.replace(path)
