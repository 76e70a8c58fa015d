"""Files of one array (steps, width) that any program wrote: .npy, .npz, .safetensors. Nothing in them is executed."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from avloc.errors import FeatureError
from avloc.features.npy import MOST_STEPS, MOST_WIDTH, read_npy
from avloc.features.sequence import Array

ENDINGS = (".npy", ".npz", ".safetensors")
_MOST_BYTES = 4 << 30
"""Of one array in a .npz file, which says how large it is before it is unpacked."""


def read_array(path: Path, name: str = "", *, transposed: bool = False) -> Array:
    """The array of a file, as 32-bit floats; of several in a file the one of this name.

    transposed: the file holds (width, steps).

    Raises:
        FeatureError: the file is missing, is of no such kind, holds no such array, or one that is not
            two-dimensional, not of floats, or not finite.
    """
    if path.suffix == ".npy":
        array = read_npy(path)
    elif path.suffix in ENDINGS:
        if not path.is_file():
            raise FeatureError(f"{path}: there is no such file; fetch it, or leave the video out")
        array = _checked(path, _of_npz(path, name) if path.suffix == ".npz" else _of_safetensors(path, name))
    else:
        raise FeatureError(
            f"{path}: is none of {', '.join(ENDINGS)}; save it as one, as numpy.save does, with shape (steps, width)"
        )
    return np.ascontiguousarray(array.T) if transposed else array


def _of_npz(path: Path, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [inside.removesuffix(".npy") for inside in archive.namelist()]
            wanted = _only(path, names, name)
            size = archive.getinfo(f"{wanted}.npy").file_size
            if size > _MOST_BYTES:
                raise FeatureError(f"{path}: its array {wanted!r} has {size} bytes; {_MOST_BYTES} at most are read")
            held = archive.read(f"{wanted}.npy")
        return np.asarray(np.lib.format.read_array(io.BytesIO(held), allow_pickle=False))
    except FeatureError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise what they like at a damaged file
        raise FeatureError(f"{path}: cannot be read as .npz ({_reason(error)}); fetch it anew") from None


def _of_safetensors(path: Path, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    try:
        with safe_open(path, framework="numpy") as file:
            return np.asarray(file.get_tensor(_only(path, list(file.keys()), name)))
    except (OSError, SafetensorError, TypeError) as error:  # TypeError: a kind of number that numpy has not
        raise FeatureError(f"{path}: cannot be read as .safetensors ({_reason(error)}); fetch it anew") from None


def _only(path: Path, names: list[str], name: str) -> str:
    if name in names:
        return name
    if not name and len(names) == 1:
        return names[0]
    held = ", ".join(sorted(names)[:8]) or "nothing"
    raise FeatureError(f"{path}: holds {held}; name the array that is meant with `array: NAME` of the layout")


def _checked(path: Path, held: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Array:
    if held.dtype.kind != "f" or held.dtype.itemsize not in (2, 4, 8):
        raise FeatureError(f"{path}: holds values of type {held.dtype}; 16-, 32- or 64-bit floats are needed")
    if held.ndim != 2 or not (0 < held.shape[0] <= MOST_STEPS and 0 < held.shape[1] <= MOST_WIDTH):
        raise FeatureError(f"{path}: holds an array of shape {held.shape}; (steps, width) is needed")
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(held, np.float32)
    if not np.isfinite(array).all():
        raise FeatureError(f"{path}: holds values that are not finite; extract this video anew or leave it out")
    return array


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:100] if str(error) else type(error).__name__
