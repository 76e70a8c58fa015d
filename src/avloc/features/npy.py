"""Plain .npy files of one array (steps, width): header checked before a value is read, written as a whole."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FeatureError
from avloc.features.sequence import Array
from avloc.files import replace_file

MOST_STEPS = 10_000_000
MOST_WIDTH = 65_536
_PARSING = threading.Lock()
"""Headers are Python literals, and two threads that parse at once can end in a SystemError in Python 3.11 (its issue
106905)."""


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """What the header of a file says: `steps` rows of `width` floats of `dtype`, from byte `begin` on."""

    steps: int
    width: int
    dtype: np.dtype[np.generic]
    begin: int
    by_columns: bool


def read_npy_header(path: Path) -> NpyHeader:
    """Header of a file of floats (steps, width); no value is read.

    Raises:
        FeatureError: the file is missing, is no .npy file, holds something else than a two-dimensional array of 16-,
            32- or 64-bit floats, or has not the size that its header says.
    """
    shape, by_columns, dtype, begin, size = _header(path)
    if dtype.kind != "f" or dtype.itemsize not in (2, 4, 8):
        raise FeatureError(f"{path}: holds values of type {dtype}; 16-, 32- or 64-bit floats are needed")
    if len(shape) != 2:
        raise FeatureError(f"{path}: holds an array of shape {shape}; (steps, width) is needed")
    steps, width = shape
    if not (0 < steps <= MOST_STEPS and 0 < width <= MOST_WIDTH):
        raise FeatureError(
            f"{path}: holds {steps} steps of width {width}; "
            f"1 to {MOST_STEPS} steps of width 1 to {MOST_WIDTH} are needed"
        )
    needed = begin + steps * width * dtype.itemsize
    if size != needed:
        state = "was cut off" if size < needed else "has something behind its array"
        raise FeatureError(f"{path}: has {size} bytes and its header asks for {needed}: it {state}; fetch it anew")
    return NpyHeader(steps, width, dtype, begin, by_columns)


def read_npy(path: Path) -> Array:
    """The array (steps, width) of a file, as 32-bit floats.

    Raises:
        FeatureError: as `read_npy_header`, or a value is not finite (the first such step is named).
    """
    header = read_npy_header(path)
    shape = header.steps, header.width
    try:
        values = np.fromfile(path, header.dtype, header.steps * header.width, offset=header.begin)
        loaded = values.reshape(shape, order="F" if header.by_columns else "C")
    except (OSError, ValueError) as error:
        raise FeatureError(f"{path}: cannot be read ({_reason(error)}); fetch it anew") from None
    with np.errstate(over="ignore"):  # a 64-bit value beyond the 32-bit range becomes infinite, and is named below
        array: Array = loaded.astype(np.float32, order="C", copy=False)
    finite = np.isfinite(array)
    if not finite.all():
        step = int(np.flatnonzero(~finite.all(axis=1))[0])
        raise FeatureError(
            f"{path}: {array.size - int(finite.sum())} of {array.size} values are not finite numbers, "
            f"the first at step {step}; extract this video anew or leave it out"
        )
    return array


def write_npy(path: Path, array: NDArray[np.floating], dtype: type[np.floating] = np.float16) -> None:
    """Write `array` (steps, width) as floats of this kind.

    Raises:
        FeatureError: a value is not finite, or beyond the range of such floats.
        OutputError: the file cannot be written.
    """
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(array, dtype)
    if not np.isfinite(values).all():
        most = np.finfo(dtype)
        raise FeatureError(f"{path}: a value does not fit a {most.bits}-bit float ({float(most.max):g} at most)")
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, values, allow_pickle=False)
    replace_file(path, buffer.getvalue())


def _header(path: Path) -> tuple[tuple[int, ...], bool, np.dtype[np.generic], int, int]:
    """Shape, whether by columns, type, where the values begin, size of the file."""
    try:
        with path.open("rb") as f, _PARSING:
            version = np.lib.format.read_magic(f)
            reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            if version not in reader:
                raise ValueError(f"version {version[0]}.{version[1]} of the format")
            shape, by_columns, dtype = reader[version](f)
            return shape, by_columns, dtype, f.tell(), path.stat().st_size
    except FileNotFoundError:
        raise FeatureError(f"{path}: there is no such file; fetch it, or leave the video out") from None
    except Exception as error:  # numpy hands on whatever Python's tokenizer and parser raise at a damaged header
        raise FeatureError(f"{path}: is not a .npy file ({_reason(error)}); fetch it anew") from None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).splitlines()[0][:100] if str(error) else type(error).__name__
