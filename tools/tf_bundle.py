"""Reads the tensors of a TensorFlow checkpoint ("bundle") without TensorFlow.

The index file is a sorted table in LevelDB's format: blocks of prefix-compressed keys, a footer of 48 bytes with
the position of the index block and a magic number. Each value is a BundleEntryProto: dtype, shape, shard, offset,
size, masked CRC-32C of the bytes in the data file. Written from the format descriptions in LevelDB's
`doc/table_format.md` and TensorFlow's `tensor_bundle.proto`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

TABLE_MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
FLOAT = 1  # DT_FLOAT


def read_bundle(index: bytes, data: bytes) -> dict[str, NDArray[np.float32]]:
    """All float32 tensors by name, from the bytes of `*.index` and of its single `*.data-00000-of-00001`.

    Raises:
        ValueError: not such a table, a compressed block, or a tensor that lies outside the data or fails its sum.
    """
    if len(index) < FOOTER_BYTES or struct.unpack("<Q", index[-8:])[0] != TABLE_MAGIC:
        raise ValueError("not a checkpoint index: the table's magic number is missing")
    footer = index[-FOOTER_BYTES:]
    _, at = _varint(footer, 0)
    _, at = _varint(footer, at)
    tensors: dict[str, NDArray[np.float32]] = {}
    for _, handle in _entries(index, *_handle(footer, at)):
        for key, value in _entries(index, *_handle(handle, 0)):
            entry = dict(_fields(value))
            if not key or entry.get(1) != FLOAT:  # the empty key holds the header
                continue
            tensors[key.decode()] = _tensor(key.decode(), entry, data)
    return tensors


def _tensor(name: str, entry: dict[int, int | bytes], data: bytes) -> NDArray[np.float32]:
    offset, size, crc = (_int(entry.get(field, 0)) for field in (4, 5, 6))
    raw = data[offset : offset + size]
    if entry.get(3, 0) != 0 or len(raw) != size:
        raise ValueError(f"tensor {name} lies outside the data file")
    if _masked(_crc32c(raw)) != crc:
        raise ValueError(f"tensor {name} does not have the CRC-32C that the index states")
    dims = [dict(_fields(dim)) for field, dim in _fields(_bytes(entry.get(2, b""))) if field == 2]
    return np.frombuffer(raw, "<f4").reshape([_int(dim.get(1, 0)) for dim in dims])


def _entries(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block; its end is a list of restart points that a full read does not need."""
    if table[offset + size] != 0:
        raise ValueError("the checkpoint index is compressed; only uncompressed ones are read")
    block = table[offset : offset + size]
    end = size - 4 * struct.unpack("<I", block[-4:])[0] - 4
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _handle(raw: bytes, at: int) -> tuple[int, int]:
    offset, at = _varint(raw, at)
    size, _ = _varint(raw, at)
    return offset, size


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(raw: int | bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of a protocol-buffer message: varint, length-delimited and 32-bit ones."""
    raw = _bytes(raw)
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        if tag & 7 == 0:
            value, at = _varint(raw, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            length, at = _varint(raw, at)
            yield tag >> 3, raw[at : at + length]
            at += length
        elif tag & 7 == 5:
            yield tag >> 3, struct.unpack("<I", raw[at : at + 4])[0]
            at += 4
        else:
            raise ValueError(f"unexpected wire type {tag & 7} in the checkpoint index")


def _int(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("a number was expected in the checkpoint index")
    return value


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a message was expected in the checkpoint index")
    return value


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = _crc_table()


def _crc32c(raw: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in raw:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _masked(crc: int) -> int:
    """LevelDB stores rotated sums plus a constant, so that sums of sums stay useful."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
