"""Arrays in other programs' files: read as numbers, refused in one line, never executed."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from avloc.errors import FeatureError
from avloc.features.arrays import read_array

ARRAY = np.arange(12, dtype=np.float64).reshape(4, 3) / 7


def test_every_kind_of_file_gives_the_same(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ARRAY)
    np.savez(tmp_path / "a.npz", only=ARRAY)
    np.savez_compressed(tmp_path / "b.npz", feat=ARRAY, more=ARRAY[:1])
    save_file({"feat": ARRAY, "more": ARRAY[:1].copy()}, tmp_path / "a.safetensors")
    np.save(tmp_path / "turned.npy", ARRAY.T)
    got = [
        read_array(tmp_path / "a.npy"),
        read_array(tmp_path / "a.npz"),
        read_array(tmp_path / "b.npz", "feat"),
        read_array(tmp_path / "a.safetensors", "feat"),
        read_array(tmp_path / "turned.npy", transposed=True),
    ]
    for array in got:
        assert array.dtype == np.float32 and array.flags.c_contiguous
        np.testing.assert_array_equal(array, ARRAY.astype(np.float32))


def test_what_is_odd_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", a=ARRAY, b=ARRAY)
    np.savez(tmp_path / "deep.npz", a=np.zeros((2, 3, 4)))
    np.savez(tmp_path / "whole.npz", a=np.zeros((2, 3), int))
    np.savez(tmp_path / "nan.npz", a=np.full((2, 3), np.nan))
    (tmp_path / "broken.npz").write_bytes((tmp_path / "two.npz").read_bytes()[:-40])
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 20)
    (tmp_path / "a.pkl").write_bytes(b"")
    for name, words in {
        "two.npz": "holds a, b; name the array",
        "deep.npz": r"shape \(2, 3, 4\)",
        "whole.npz": "values of type int64",
        "nan.npz": "not finite",
        "gone.npz": "there is no such file",
        "broken.npz": "cannot be read as .npz",
        "broken.safetensors": "cannot be read as .safetensors",
        "a.pkl": "is none of .npy, .npz, .safetensors",
    }.items():
        with pytest.raises(FeatureError, match=words) as raised:
            read_array(tmp_path / name)
        assert name in str(raised.value) and "\n" not in str(raised.value)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_pickle_inside_is_not_run(tmp_path: Path) -> None:
    trap = np.array([[Trap(tmp_path / "sprung")]], object)
    np.save(tmp_path / "a.npy", trap, allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.write(tmp_path / "a.npy", "a.npy")
    for name in ("a.npy", "a.npz"):
        with pytest.raises(FeatureError):
            read_array(tmp_path / name)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").exists()
