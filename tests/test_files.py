"""A file appears whole or not at all, and nothing else is left behind."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from avloc.errors import OutputError
from avloc.files import replace_file


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("content", [b"", b"new", b"x" * 3_000_000])
def test_new_and_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    for _ in range(2):
        replace_file(path, content)
        assert path.read_bytes() == content and names(tmp_path) == ["a.bin"]
    replace_file(str(path), b"again")
    assert path.read_bytes() == b"again"


def test_a_name_as_long_as_the_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".txt")
    replace_file(path, b"x")
    assert path.read_bytes() == b"x"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def half(self: Path, content: bytes) -> int:
        with self.open("wb") as f:
            f.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OutputError, match=r"no space left on device.*; make room") as caught:
        replace_file(path, b"new content")
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a.bin"]


def test_a_stopped_run_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def stop(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere/a.bin", "there is no folder"),
        ("folder", "directory"),
        ("file/a.bin", "not a directory"),
        ("zero\0byte", "null"),
        ("n" * 300, "too long"),
    ],
)
def test_a_place_that_cannot_be_written(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    before = names(tmp_path)
    with pytest.raises(OutputError) as caught:
        replace_file(tmp_path / name, b"x")
    assert reason in str(caught.value) and "\n" not in str(caught.value) and ".tmp" not in str(caught.value)
    assert names(tmp_path) == before
