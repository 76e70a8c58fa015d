"""The parts of the makers of the encoders: batch-norm folding, TensorFlow's padding, the checkpoint reader."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
pytest.importorskip("onnx", reason="the makers of the encoders need onnx")
from onnx_graph import fold_batch_norm, same_pads
from tf_bundle import TABLE_MAGIC, read_bundle


def test_folding_equals_convolution_then_batch_norm() -> None:
    random = np.random.default_rng(0)
    kernel, pixels = random.normal(size=(5, 3, 1, 1)).astype(np.float32), random.normal(size=(3, 7))
    mean, beta, gamma = random.normal(size=(3, 5)).astype(np.float32)
    variance = random.random(5).astype(np.float32)
    plain = kernel[:, :, 0, 0] @ pixels
    for scale in (None, gamma):
        expected = (plain - mean[:, None]) / np.sqrt(variance[:, None] + 1e-3)
        expected = expected * (1 if scale is None else scale[:, None]) + beta[:, None]
        folded, bias = fold_batch_norm(kernel, mean, variance, beta, 1e-3, scale)
        np.testing.assert_allclose(folded[:, :, 0, 0] @ pixels + bias[:, None], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads"),
    [
        (96, 3, 2, (0, 0, 1, 1)),
        (96, 3, 1, (1, 1, 1, 1)),
        (56, 5, 2, (1, 1, 2, 2)),
        (7, 5, 1, (2, 2, 2, 2)),
        (7, 3, 2, (1, 1, 1, 1)),
        (7, 1, 1, (0, 0, 0, 0)),
    ],
)
def test_same_padding(size: int, kernel: int, stride: int, pads: tuple[int, ...]) -> None:
    assert same_pads(size, kernel, stride) == pads


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """One table block without shared key prefixes, one restart point, no compression, no sum."""
    body = b"".join(bytes([0, len(key), len(value)]) + key + value for key, value in entries)
    return body + struct.pack("<II", 0, 1) + bytes(5)


def bundle(crc: int) -> bytes:
    """A checkpoint index with one float tensor of shape (1, 2) in bytes 0 to 8."""
    shape = bytes([0x12, 2, 0x08, 1, 0x12, 2, 0x08, 2])
    entry = bytes([0x08, 1, 0x12, len(shape)]) + shape + bytes([0x20, 0, 0x28, 8, 0x35]) + struct.pack("<I", crc)
    data = block([(b"", b"\x08\x01"), (b"a/b", entry)])
    index = block([(b"z", bytes([0, len(data) - 5]))])
    footer = bytes([0, 0, len(data), len(index) - 5])
    return data + index + footer + bytes(40 - len(footer)) + struct.pack("<Q", TABLE_MAGIC)


def masked_crc(raw: bytes) -> int:
    """CRC-32C bit by bit, then LevelDB's rotation and constant."""
    crc = 0xFFFFFFFF
    for byte in raw:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def test_a_checkpoint_is_read_and_its_sums_are_checked() -> None:
    data = np.array([1.5, -2.0], "<f4").tobytes()
    tensors = read_bundle(bundle(masked_crc(data)), data)
    assert list(tensors) == ["a/b"]
    np.testing.assert_array_equal(tensors["a/b"], [[1.5, -2.0]])
    with pytest.raises(ValueError, match="CRC"):
        read_bundle(bundle(masked_crc(data)), b"\x01" + data[1:])
    with pytest.raises(ValueError, match="outside the data"):
        read_bundle(bundle(masked_crc(data)), data[:4])
    with pytest.raises(ValueError, match="magic"):
        read_bundle(b"x" * 60, data)
