"""Qt resource bundles (.rcc): a tree of names over blobs, plain, zlib or zstd.

Layout (qtbase, src/tools/rcc): "qres", then big-endian u32 version, offsets of tree, data and names. A tree
record is u32 name offset, u16 flags, then for a folder u32 count and u32 first child, for a file u16 territory,
u16 language, u32 data offset; versions from 2 on add an u64 time.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import zstandard

COMPRESSED, FOLDER, COMPRESSED_ZSTD = 1, 2, 4


def unpack(bundle: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file in the bundle. Raises ValueError if it is not one."""
    data = bundle.read_bytes()
    if data[:4] != b"qres":
        raise ValueError(f"{bundle} is not a Qt resource bundle")
    version, tree, blobs, names = struct.unpack(">IIII", data[4:20])
    size = 22 if version >= 2 else 14

    def walk(number: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        at = tree + number * size
        name_offset, flags = struct.unpack(">IH", data[at : at + 6])
        name = _name(data, names + name_offset) if number else ""
        path = f"{prefix}/{name}" if prefix else name
        if flags & FOLDER:
            count, first = struct.unpack(">II", data[at + 6 : at + 14])
            for child in range(first, first + count):
                yield from walk(child, path)
        else:
            (offset,) = struct.unpack(">I", data[at + 10 : at + 14])
            (length,) = struct.unpack(">I", data[blobs + offset : blobs + offset + 4])
            yield path, _content(data[blobs + offset + 4 : blobs + offset + 4 + length], flags)

    yield from walk(0, "")


def _name(data: bytes, at: int) -> str:
    (length,) = struct.unpack(">H", data[at : at + 2])
    return data[at + 6 : at + 6 + 2 * length].decode("utf-16-be")


def _content(blob: bytes, flags: int) -> bytes:
    if flags & COMPRESSED_ZSTD:
        return bytes(zstandard.ZstdDecompressor().decompress(blob, max_output_size=1 << 28))
    return zlib.decompress(blob[4:]) if flags & COMPRESSED else blob
