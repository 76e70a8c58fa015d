"""Plain arrays in files: what is read, and what is refused before a value is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avloc.errors import FeatureError, OutputError
from avloc.features.npy import read_npy, read_npy_header, write_npy


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_float_becomes_32_bit(tmp_path: Path, dtype: str, order: str) -> None:
    array = np.arange(12).reshape(4, 3) / 4
    np.save(tmp_path / "a.npy", np.asarray(array.astype(dtype), order=order))  # type: ignore[call-overload]
    got = read_npy(tmp_path / "a.npy")
    assert got.dtype == np.float32 and got.flags.c_contiguous and np.array_equal(got, array)
    header = read_npy_header(tmp_path / "a.npy")
    assert (header.steps, header.width, header.dtype, header.by_columns) == (4, 3, np.dtype(dtype), order == "F")


def test_what_is_written_is_read_in_half_precision(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(0, 3, (50, 7)).astype(np.float32)
    write_npy(tmp_path / "a.npy", array)
    assert np.load(tmp_path / "a.npy").dtype == np.float16
    assert np.array_equal(read_npy(tmp_path / "a.npy"), array.astype(np.float16))
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_what_does_not_fit_half_precision_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="65504"):
        write_npy(tmp_path / "a.npy", np.full((1, 1), 1e5))
    with pytest.raises(OutputError, match="there is no folder"):
        write_npy(tmp_path / "b" / "a.npy", np.zeros((1, 1)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((3, 4), np.int32), r"type int32; 16-, 32- or 64-bit floats are needed"),
        (np.zeros((3, 4), np.complex64), "type complex64"),
        (np.array([[{}]], object), "type object"),
        (np.zeros(4), r"shape \(4,\); \(steps, width\) is needed"),
        (np.zeros((1, 4, 5)), r"shape \(1, 4, 5\)"),
        (np.zeros((0, 4)), "holds 0 steps of width 4"),
        (np.zeros((4, 0)), "holds 4 steps of width 0"),
        (np.zeros((1, 70000), np.float16), "width 70000"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray, said: str) -> None:  # type: ignore[type-arg]
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    for read in (read_npy_header, read_npy):
        with pytest.raises(FeatureError, match=said) as error:
            read(tmp_path / "a.npy")
        assert "a.npy" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x93NUMPY", b"\x93NUMPY\x09\x00aaaaaaaa", b"PK\x03\x04" * 40])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(FeatureError, match=r"a\.npy: is not a \.npy file"):
        read_npy(tmp_path / "a.npy")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 127), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_header_is_one_line(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    path = tmp_path / "a.npy"
    write_npy(path, np.ones((5, 3)))
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place] = value
    path.write_bytes(content)
    try:
        assert read_npy(path).size <= 15
    except FeatureError as error:
        assert "\n" not in str(error)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="there is no such file"):
        read_npy(tmp_path / "a.npy")
    with pytest.raises(FeatureError, match=r"is not a \.npy file"):
        read_npy(tmp_path)


def test_a_file_of_another_size_than_its_header_says(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    write_npy(path, np.ones((5, 3)))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(FeatureError, match="was cut off"):
        read_npy_header(path)
    path.write_bytes(whole + b"x")
    with pytest.raises(FeatureError, match="something behind its array"):
        read_npy_header(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_named(tmp_path: Path, bad: float) -> None:
    array = np.zeros((6, 4), np.float32)
    array[3, 1] = array[5, 0] = bad
    np.save(tmp_path / "a.npy", array)
    assert read_npy_header(tmp_path / "a.npy").steps == 6
    with pytest.raises(FeatureError, match="2 of 24 values are not finite numbers, the first at step 3"):
        read_npy(tmp_path / "a.npy")


def test_a_64_bit_value_beyond_32_bits_is_not_finite(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((1, 1), 1e300))
    with pytest.raises(FeatureError, match="1 of 1 values"):
        read_npy(tmp_path / "a.npy")
