"""Features held against others and against durations: what is the same, what is shifted, what stands out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.datasets.feature_check import compare_folders, compare_video, find_layout
from avloc.errors import FeatureError
from avloc.features.layout import I3D_VGGISH, Layout, write_layout
from avloc.features.sequence import FeatureSequence
from avloc.features.store import save_features
from avloc.streams import Streams

VIDEOS = ("a", "b", "c", "d", "e")
Array = np.ndarray


def walk(rows: int, width: int, seed: int) -> Array:
    """Rows that change smoothly, as features do, around a mean that they share."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 1, (rows + 8, width))
    smooth = np.stack([steps[i : i + 3].sum(axis=0) for i in range(rows)])
    return (smooth + 3 * np.random.default_rng(width).normal(0, 1, width)).astype(np.float32)


def sequence(visual: Array, audio: Array, layout: Layout = I3D_VGGISH) -> FeatureSequence:
    none = np.zeros((len(visual), 0), np.float32)
    duration_s = (len(visual) - 1) * layout.grid.stride_s + layout.grid.window_s
    return FeatureSequence(layout.grid, duration_s, visual, audio, none, none, Streams("x/1", "x/1"))


def features(rows: int = 30) -> dict[str, FeatureSequence]:
    return {v: sequence(walk(rows, 2048, i), walk(rows, 128, 10 + i)) for i, v in enumerate(VIDEOS)}


def write(folder: Path, given: dict[str, FeatureSequence]) -> Path:
    folder.mkdir()
    for video, one in given.items():
        write_layout(folder, video, I3D_VGGISH, one, len(one))
    return folder


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("features") / "released", features())


def test_the_same_in_another_layout(released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for video, one in features().items():
        save_features(one, tmp_path / f"{video}.features.safetensors")
    assert find_layout(released).name == "i3d-vggish" and find_layout(tmp_path).name == "avloc"
    found = compare_folders(tmp_path, released)
    assert not found.problems and found.videos == 5 and found.rows_apart == {0: 5} and found.only == (0, 0)
    assert [s.name for s in found.streams] == ["rgb", "flow", "vggish"]
    for stream in found.streams:
        assert stream.cosine == pytest.approx(1, abs=1e-4) and stream.shift_rows == 0
        assert stream.shift_s == pytest.approx(0, abs=0.02) and stream.scale == pytest.approx(1, abs=1e-3)
    assert main(["check-features", str(tmp_path), "--against", str(released)]) == 0
    assert "the two are the same" in capsys.readouterr().out


def test_shift_size_and_what_stands_out(released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pictures two rows late, flow twice as large, one video's sound of another video; a video more, a row less."""
    other = features()
    for i, (video, one) in enumerate(other.items()):
        rgb = np.concatenate([walk(32, 1024, 90 + i)[:2], one.visual[:-2, :1024]])
        visual = np.concatenate([rgb, 2 * one.visual[:, 1024:]], axis=1)
        audio = walk(30, 128, 77) - 6 if video == "c" else one.audio
        other[video] = sequence(visual[: 29 if video == "e" else 30], audio[: 29 if video == "e" else 30])
    other["more"] = other["a"]
    found = compare_folders(write(tmp_path / "other", other), released)
    rgb, flow, vggish = found.streams
    assert rgb.shift_rows == 2 and rgb.shift_s == pytest.approx(0.64, abs=0.05) and rgb.centred > 0.97
    assert flow.shift_rows == 0 and flow.scale == pytest.approx(2, abs=1e-3) and flow.cosine > 0.999
    assert list(vggish.outliers) == ["c"] and vggish.cosine > 0.999
    assert found.only == (1, 0) and found.rows_apart == {-1: 1, 0: 4}
    late, size = found.problems
    assert "rgb: rows of the first folder fit those of the second 2 rows later" in late
    assert size == "flow: the first is 2 times the size of the second"
    assert main(["check-features", str(tmp_path / "other"), "--against", str(released), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["streams"][0]["shift_rows"] == 2


def test_other_weights_and_other_lengths(released: Path, tmp_path: Path) -> None:
    other = {v: sequence(-one.visual[:20], one.audio[:20]) for v, one in features().items()}
    found = compare_folders(write(tmp_path / "other", other), released)
    assert found.streams[0].cosine == pytest.approx(-1, abs=1e-3)
    lengths, *of_streams = found.problems
    assert "5 videos differ by more than 1 row, at most by 10" in lengths
    assert [problem.split(":")[0] for problem in of_streams] == ["rgb", "flow"]


def test_rows_in_another_order_or_of_another_stride(released: Path, tmp_path: Path) -> None:
    """Whole rows are alike at any time, so that their cosine alone would call these the same."""
    order = np.random.default_rng(5).permutation(30)
    mixed = {v: sequence(10 + one.visual[order], one.audio[order]) for v, one in features().items()}
    plain = {v: sequence(10 + one.visual, one.audio) for v, one in features().items()}
    second = write(tmp_path / "plain", plain)
    found = compare_folders(write(tmp_path / "mixed", mixed), second)
    assert found.streams[0].cosine > 0.95 and found.streams[0].centred < 0.4
    assert "rgb: what changes within a video fits at no shift" in found.problems[0]
    every = {v: sequence(one.visual[::2], one.audio[::2]) for v, one in plain.items()}
    lengths, *_ = compare_folders(write(tmp_path / "every", every), second).problems
    assert "at most by 15; the first has 0.50 times as many: another stride" in lengths


def test_rows_in_which_nothing_changes_tell_no_shift() -> None:
    still = np.ones((10, 4), np.float32)
    assert np.isnan(compare_video(still, still).by_shift).all() and compare_video(
        still, still
    ).cosine == pytest.approx(1)
    silent = compare_video(np.zeros((10, 4), np.float32), still)
    assert np.isnan(silent.cosine) and np.isnan(silent.scale)


def test_what_cannot_be_compared(released: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide"
    wide.mkdir()
    save_features(sequence(walk(30, 16, 0), walk(30, 128, 0)), wide / "a.features.safetensors")
    for folder, says in ((wide, "wide"), (tmp_path / "none", "is not a folder"), (tmp_path, "holds no features")):
        with pytest.raises(FeatureError, match=says):
            compare_folders(folder, released)
    apart = write(tmp_path / "apart", {"z": features()["a"]})
    with pytest.raises(FeatureError, match="no video in common"):
        compare_folders(apart, released)


@pytest.mark.parametrize(("seconds", "status", "says"), [(0.32, 0, "rows fit durations"), (0.25, 1, "a stride of")])
def test_rows_against_durations(
    seconds: float, status: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {"a": 30, "b": 45, "c": 60, "d": 90}
    folder = write(tmp_path / "f", {v: sequence(walk(n, 2048, n), walk(n, 128, n)) for v, n in rows.items()})
    database = {
        v: {
            "duration": (n - 1) * seconds + 1.0,
            "subset": "train",
            "annotations": [{"segment": [0, 1], "label": "x"}],
        }
        for v, n in {**rows, "gone": 40}.items()
    }
    (tmp_path / "a.json").write_text(json.dumps({"database": database}))
    given = ["check-features", str(folder), "--annotations", str(tmp_path / "a.json")]
    assert main(given) == status
    out = capsys.readouterr().out
    assert says in out and f"a row every {seconds:.4f} s" in out and "1 of the annotations without features" in out
    assert main(["check-features", str(folder)]) == 1
    assert "needs one of --against and --annotations" in capsys.readouterr().err
