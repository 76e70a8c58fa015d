"""Labels and videos looked over, as `avloc check-data own` and `avloc train default` do before anything is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.lock import locked
from avloc.media.writer import write_video
from avloc.scale.batch import LOCK


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """videos/ with two videos of 1 s, one with a name of two lines."""
    for name in ("a.mp4", "two\nlines.mp4"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(exist_ok=True)
        pictures = (np.full((48, 64, 3), 10 * i, np.uint8) for i in range(10))
        write_video(path, pictures, 10, np.zeros((16000, 1), np.float32), 16000)
    return tmp_path


def check(folder: Path, rows: str) -> int:
    (folder / "labels.csv").write_text(f"video,start,end,label\n{rows}")
    return main(
        ["check-data", "own", "--annotations", str(folder / "labels.csv"), "--videos", str(folder / "videos")]
    )


def train(folder: Path, *more: str) -> int:
    (folder / "labels.csv").write_text("video,start,end,label\na,0,1,dog\n")
    data = ["--data.annotations", str(folder / "labels.csv"), "--data.videos", str(folder / "videos")]
    return main(["train", "default", *data, "--out", str(folder / "out"), *more])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,,,\n", "no video has an event: there is nothing to learn"),
        ("a,0,1,dog\na.mp4,0,1,dog\n", "a: and 'a.mp4' are one video"),
    ],
)
def test_what_cannot_be_learned_is_a_problem(
    rows: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(folder, rows) == 1
    assert said in capsys.readouterr().out


def test_labels_of_no_video_are_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "") == 1
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and "labels.csv: names no video" in err


def test_a_name_of_two_lines_stays_on_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "a,0,1,dog\n") == 0
    out = capsys.readouterr().out
    assert "without a label and left out: 1 video: two\\nlines.mp4\n" in out and "1 video (1 train)" in out


def test_a_model_that_cannot_be_the_start_is_refused_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(folder, "--start", "default") == 1
    assert "are not learned from labels; start from loco" in capsys.readouterr().err
    assert [path.name for path in (folder / "out").iterdir()] == [LOCK]


def test_two_trainings_in_one_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "out").mkdir()
    with locked(folder / "out" / LOCK):
        assert train(folder) == 1
    assert "another run works there" in capsys.readouterr().err
