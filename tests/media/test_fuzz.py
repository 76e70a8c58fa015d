"""Damaged, lying and foreign files are read as far as they go, or refused with one line; nothing crashes or hangs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fuzzed import NAMES, base_files, foreign, mutated, special

from avloc.cli.inputs import find_videos
from avloc.errors import MediaError
from avloc.media.probe import probe
from avloc.media.reader import read_audio, read_frames
from avloc.scale.messages import Ended, Failed
from avloc.scale.pool import run_in_processes

resource = pytest.importorskip("resource")

LIMIT_S = 120.0  # of a whole machine that others use too; alone each takes milliseconds
LIMIT_BYTES = 4 << 30


@dataclass(frozen=True)
class Reader:
    def __call__(self) -> Callable[[Path, object], str]:
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
        return read


def read(path: Path, tell: object = None) -> str:
    try:
        info = probe(path)
        if info.video is not None:
            times_s = [0.16 + 0.32 * i for i in range(min(100, int(info.duration_s / 0.32) + 1))]
            assert all(p.shape == (64, 64, 3) for p in read_frames(path, times_s, (64, 64), threads=1))
        if info.audio is not None:
            assert all(block.ndim == 1 for block in read_audio(path))
    except MediaError as error:
        return str(error)
    return "read"


def outcomes(paths: list[Path]) -> dict[Path, str]:
    """What came of each file; a failure of another kind than MediaError fails the test."""
    said: dict[Path, str] = {}
    for report in run_in_processes(Reader(), paths, 1, LIMIT_S):
        if isinstance(report, Ended):
            path, outcome = paths[report.number], report.outcome
            assert not isinstance(outcome, Failed), f"{path.name!r}: {outcome.reason}"
            said[path] = outcome
    assert len(said) == len(paths)
    return said


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return base_files(tmp_path_factory.mktemp("bases"))


def test_damage_and_lies(bases: list[Path], tmp_path: Path) -> None:
    paths = [*bases, *(path for _, path in [*mutated(bases, tmp_path, 32, seed=3), *foreign(tmp_path)])]
    said = outcomes(paths)
    assert all(said[base] == "read" for base in bases)
    assert all("\n" not in text and len(text) < 1000 for text in said.values())
    assert {said[tmp_path / name] for name in ("text.mp4", "list.mp4", "concat.mp4", "session.mp4")}.isdisjoint(
        {"read"}
    )


def test_what_is_no_file(tmp_path: Path) -> None:
    for _, path in special(tmp_path):
        with pytest.raises(MediaError) as caught:
            probe(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_any_name(bases: list[Path], tmp_path: Path) -> None:
    content = bases[0].read_bytes()
    given = [name for name in NAMES if _made(tmp_path / name, content)]
    assert len(given) > 30
    for name in given:
        assert probe(tmp_path / name).audio is not None
    found = find_videos([tmp_path])
    assert {video.path.name for video in found} == {name for name in given if name.endswith(".mp4")}
    assert len({video.stem for video in found}) == len(found)
    for name in given:  # as one argument
        (video,) = find_videos([tmp_path / name])
        assert video.stem.name.strip(".")


def _made(path: Path, content: bytes) -> bool:
    try:
        path.write_bytes(content)
    except (OSError, UnicodeError):  # not on this file system
        return False
    return True
