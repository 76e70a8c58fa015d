"""Reads a TensorFlow Lite file: operators in order, tensors with shape and constant content. numpy alone.

A TFLite file is a FlatBuffer; field numbers are those of TensorFlow's public schema.fbs.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES = {0: np.dtype("<f4"), 1: np.dtype("<f2"), 2: np.dtype("<i4")}
_OPERATORS = {
    0: "ADD",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    17: "MAX_POOL_2D",
    19: "RELU",
    22: "RESHAPE",
    23: "RESIZE_BILINEAR",
    34: "PAD",
}


@dataclass(frozen=True)
class Operator:
    """Inputs and outputs are numbers of tensors; options are the table of the operator's own settings."""

    kind: str
    inputs: list[int]
    outputs: list[int]
    options: Table | None


@dataclass(frozen=True)
class Network:
    """The first subgraph of a file."""

    operators: list[Operator]
    shapes: list[tuple[int, ...]]
    constants: dict[int, NDArray[Any]]
    inputs: list[int]
    outputs: list[int]


@dataclass(frozen=True)
class Table:
    """A FlatBuffer table: fields by number, absent ones at their default."""

    data: bytes
    at: int

    def _field(self, number: int) -> int:
        table = self.at - _int(self.data, self.at)
        size = struct.unpack_from("<H", self.data, table)[0]
        place = 4 + 2 * number
        offset = struct.unpack_from("<H", self.data, table + place)[0] if place < size else 0
        return self.at + int(offset) if offset else 0

    def number(self, field: int, form: str, default: int = 0) -> int:
        at = self._field(field)
        return int(struct.unpack_from("<" + form, self.data, at)[0]) if at else default

    def table(self, field: int) -> Table | None:
        at = self._field(field)
        return Table(self.data, at + _int(self.data, at)) if at else None

    def tables(self, field: int) -> list[Table]:
        first, count = self._vector(field)
        places = range(first, first + 4 * count, 4)
        return [Table(self.data, p + _int(self.data, p)) for p in places]

    def numbers(self, field: int) -> list[int]:
        first, count = self._vector(field)
        return np.frombuffer(self.data, "<i4", count, first).tolist() if count else []

    def content(self, field: int) -> bytes:
        first, count = self._vector(field)
        return self.data[first : first + count]

    def _vector(self, field: int) -> tuple[int, int]:
        at = self._field(field)
        if not at:
            return 0, 0
        first = at + _int(self.data, at)
        return first + 4, _int(self.data, first)


def _int(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<i", data, at)[0])


def read_network(data: bytes) -> Network:
    """The network of a file's content.

    Raises:
        SystemExit: this is no TFLite file, or it has operators that this reader does not know.
    """
    if data[4:8] != b"TFL3":
        raise SystemExit("this is no TensorFlow Lite file")
    model = Table(data, _int(data, 0))
    codes = [max(c.number(0, "b"), c.number(3, "i")) for c in model.tables(1)]
    graph = model.tables(2)[0]
    buffers = [b.content(0) for b in model.tables(4)]
    shapes: list[tuple[int, ...]] = []
    constants: dict[int, NDArray[Any]] = {}
    for number, tensor in enumerate(graph.tables(0)):
        shapes.append(tuple(tensor.numbers(0)))
        content = buffers[tensor.number(2, "I")]
        if content:
            constants[number] = np.frombuffer(content, _TYPES[tensor.number(1, "b")]).reshape(shapes[-1])
    operators = []
    for row in graph.tables(3):
        code = codes[row.number(0, "I")]
        if code not in _OPERATORS:
            raise SystemExit(f"operator {code} of the file is not known here")
        operators.append(Operator(_OPERATORS[code], row.numbers(1), row.numbers(2), row.table(4)))
    return Network(operators, shapes, constants, graph.numbers(1), graph.numbers(2))
