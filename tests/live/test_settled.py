"""A file counts as whole once it has not changed for a while, and not before."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from avloc.live.settled import Settling, stamp_of


class Clock:
    """A clock that a test turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def settling(folder: Path) -> Settling:
    return Settling(folder, 5.0, lambda path: path.suffix == ".mp4")


def test_what_grows_is_not_whole(tmp_path: Path, clock: Clock) -> None:
    looked = settling(tmp_path)
    path = tmp_path / "deep" / "a.mp4"
    path.parent.mkdir()
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "empty.mp4").touch()
    for size in (1, 2, 3):
        path.write_bytes(bytes(size))
        assert looked.look() == {} and looked.growing == 1
        clock.now += 4.9
    assert looked.look() == {}
    clock.now += 0.2
    assert looked.look() == {path: stamp_of(path)} and looked.growing == 0
    path.write_bytes(bytes(3))
    os.utime(path, ns=(5, 5))  # as long as before, and yet another
    assert looked.look() == {}


def test_what_is_renamed_into_place_waits_for_its_time_too(tmp_path: Path, clock: Clock) -> None:
    looked = settling(tmp_path)
    (tmp_path / "a.part").write_bytes(b"whole")
    looked.look()
    clock.now += 100
    (tmp_path / "a.part").rename(tmp_path / "a.mp4")
    assert looked.look() == {}
    clock.now += 5
    assert list(looked.look()) == [tmp_path / "a.mp4"]


def test_a_folder_that_vanishes_is_waited_for(tmp_path: Path, clock: Clock) -> None:
    folder = tmp_path / "camera"
    looked = settling(folder)
    assert looked.look() == {} and looked.vanished
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"x")
    assert looked.look() == {} and not looked.vanished
    clock.now += 5
    assert list(looked.look()) == [folder / "a.mp4"]
    (folder / "a.mp4").unlink()
    folder.rmdir()
    assert looked.look() == {} and looked.vanished
