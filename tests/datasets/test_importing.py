"""Feature files of any encoders on one grid: what is planned, what is written, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets.annotations import Annotations
from avloc.datasets.check import check_dataset
from avloc.datasets.importing import plan_import, write_import
from avloc.datasets.sources import GridConfig, ImportConfig, Source
from avloc.datasets.suggestion import suggest
from avloc.errors import FeatureError
from avloc.events import Events
from avloc.features.choice import Columns, chosen, columns_of
from avloc.features.layout import open_layout, read_layout
from avloc.formats.activitynet import Truth
from avloc.timegrid import TimeGrid

DURATIONS = {"a": 10.0, "b": 14.5, "c": 21.0}


def rows(duration_s: float, stride_s: float, window_s: float) -> np.ndarray:
    """Each row holds the middle of its window, in seconds, and its square."""
    n = int((duration_s - window_s) / stride_s + 1e-6) + 1
    moment = np.arange(n) * stride_s + window_s / 2
    return np.stack([moment, moment**2 / 100], axis=1).astype(np.float32)


def put(folder: Path, stride_s: float, window_s: float, durations_s: dict[str, float] = DURATIONS) -> str:
    folder.mkdir(exist_ok=True)
    for video, duration_s in durations_s.items():
        np.save(folder / f"{video}.npy", rows(duration_s, stride_s, window_s))
    return f"{folder}/{{id}}.npy"


def test_two_rates_on_the_finer_grid(tmp_path: Path) -> None:
    see, hear = put(tmp_path / "clip", 0.25, 1.0), put(tmp_path / "clap", 1.0, 2.0)
    config = ImportConfig((Source(see, stride_s=0.25, window_s=1.0),), (Source(hear, stride_s=1.0, window_s=2.0),))
    plan = plan_import(config, DURATIONS)
    assert plan.grid == TimeGrid(0.25, 1.0) and plan.resampled == ("clap",) and not plan.left_out
    out = tmp_path / "out"
    out.mkdir()
    assert write_import(plan, out).videos == 3
    layout = open_layout(out, "avloc")
    for video, duration_s in DURATIONS.items():
        features = read_layout(out, video, layout)
        assert features.duration_s == duration_s and features.grid == TimeGrid(0.25, 1.0)
        np.testing.assert_allclose(features.visual, rows(duration_s, 0.25, 1.0)[: len(features)], atol=0.02)
        moments_s = features.grid.to_seconds(np.arange(len(features)))
        heard = moments_s.clip(1.0, int(duration_s) - 1.0)  # what is before the first row's middle is as it
        np.testing.assert_allclose(features.audio[:, 0], heard, atol=0.02)
    assert str(layout.streams) == "imported:clip (visual); imported:clap (audio)"


def test_a_wrong_stride_is_refused_with_the_right_one(tmp_path: Path) -> None:
    see = put(tmp_path / "clip", 0.5, 1.0)
    with pytest.raises(FeatureError, match=r"clip .* a stride of 0\.5 s would fit"):
        plan_import(ImportConfig((Source(see, stride_s=0.25, window_s=1.0),)), DURATIONS)


def test_one_bad_video_is_left_out_and_named(tmp_path: Path) -> None:
    more = {**DURATIONS, "e": 17.0, "f": 19.0}
    see = put(tmp_path / "clip", 0.5, 1.0, more)
    (tmp_path / "clip" / "a.npy").unlink()
    np.save(tmp_path / "clip" / "c.npy", rows(21.0, 0.5, 1.0)[:20])
    config = ImportConfig((Source(see, stride_s=0.5, window_s=1.0),))
    plan = plan_import(config, {**more, "../d": 3.0})
    assert set(plan.videos) == {"b", "e", "f"} and set(plan.left_out) == {"a", "c", "../d"}
    assert "no such file" in plan.left_out["a"] and "20 steps" in plan.left_out["c"]
    assert "no file name" in plan.left_out["../d"]
    np.save(tmp_path / "clip" / "b.npy", np.full((28, 2), 1e6, np.float32))
    done = write_import(plan, tmp_path)
    assert done.videos == 2 and "16-bit" in done.left_out["b"]
    assert sorted(path.name[0] for path in tmp_path.glob("*.safetensors")) == ["e", "f"]


def test_other_widths_are_left_out(tmp_path: Path) -> None:
    see = put(tmp_path / "clip", 0.5, 1.0)
    np.save(tmp_path / "clip" / "b.npy", np.zeros((28, 3), np.float32))
    done = write_import(plan_import(ImportConfig((Source(see, stride_s=0.5, window_s=1.0),)), DURATIONS), tmp_path)
    assert done.videos == 2 and done.left_out == {"b": "b: clip is 3 wide, that of other videos 2"}


def test_rescaled_features_keep_their_length_and_a_grid_of_their_own(tmp_path: Path) -> None:
    folder, out = tmp_path / "tsp", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for video, duration_s in DURATIONS.items():
        np.save(folder / f"{video}.npy", ((np.arange(8) + 0.5) * duration_s / 8)[:, None].astype(np.float32))
    see = Source(f"{folder}/{{id}}.npy", rescaled=True)
    plan = plan_import(ImportConfig((see,)), DURATIONS)
    assert plan.steps == 8 and plan.grid is None and not plan.resampled
    write_import(plan, out)
    layout = open_layout(out, "avloc")
    assert layout.rescaled_steps == 8 and layout.audio_width == 0
    for video, duration_s in DURATIONS.items():
        features = read_layout(out, video, layout)
        assert features.grid == TimeGrid(duration_s / 8, duration_s / 8)
        np.testing.assert_allclose(features.visual[:, 0], features.grid.to_seconds(np.arange(8)), rtol=1e-3)
    with pytest.raises(FeatureError, match="duration is not known"):
        plan_import(ImportConfig((see,)), None)
    with pytest.raises(FeatureError, match="bring them in with `avloc import-features --rescaled`"):
        plan_import(ImportConfig((Source(see.files, stride_s=2.0),)), {**DURATIONS, "c": 40.0})
    np.save(folder / "a.npy", np.zeros((9, 1), np.float32))
    with pytest.raises(FeatureError, match="tsp: has 8 to 9 steps"):
        plan_import(ImportConfig((see,)), DURATIONS)


def test_three_encoders_keep_their_names(tmp_path: Path) -> None:
    see, flow, hear = (put(tmp_path / name, 0.5, 1.0) for name in ("clip", "flow", "clap"))
    sources = [Source(files, stride_s=0.5, window_s=1.0) for files in (see, flow, hear)]
    config = ImportConfig((sources[0], sources[1]), (sources[2],), GridConfig(1.0))
    out = tmp_path / "out"
    out.mkdir()
    write_import(plan_import(config, DURATIONS), out)
    layout = open_layout(out, "avloc")
    assert layout.grid == TimeGrid.centred(1.0, 1.0)
    assert GridConfig(0.5).made([TimeGrid(1.0, 2.0), TimeGrid(0.5, 1.0)]) == TimeGrid(0.5, 1.0)
    assert GridConfig(0.5, offset_s=0.1).made([TimeGrid(1.0, 2.0)]) == TimeGrid(0.5, 2.0, 0.1)
    assert columns_of(layout, ()) == Columns() and columns_of(layout, ("visual",)) == Columns(None, ())
    assert columns_of(layout, ("flow", "clap")) == Columns(((2, 4),), ((0, 2),))
    features = read_layout(out, "b", layout)
    alone = chosen(features, columns_of(layout, ("flow",)))
    assert alone.audio.shape == (len(features), 0)
    np.testing.assert_array_equal(alone.visual, features.visual[:, 2:])
    with pytest.raises(FeatureError, match="did you mean 'flow'"):
        columns_of(layout, ("flwo",))


def test_videos_are_those_of_the_files_where_no_durations_are_known(tmp_path: Path) -> None:
    for video in ("a", "b"):
        (tmp_path / video).mkdir()
        np.save(tmp_path / video / f"{video}_rgb.npy", rows(DURATIONS[video], 0.5, 1.0))
    np.save(tmp_path / "b" / "a_rgb.npy", rows(3, 0.5, 1.0))  # of neither
    source = Source(f"{tmp_path}/{{id}}/{{id}}_rgb.npy", stride_s=0.5, window_s=1.0)
    plan = plan_import(ImportConfig((source,)), None)
    assert list(plan.videos) == ["a", "b"] and source.name == "rgb"
    write_import(plan, tmp_path)
    assert read_layout(tmp_path, "a", open_layout(tmp_path, "avloc")).duration_s == 10.0


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"files": "clip/a.npy", "stride_s": 1.0}, "has no {id}"),
        ({"files": "clip/{id}.npy"}, "stride is not said"),
        ({"files": "clip/{id}.npy", "stride_s": 1.0, "rescaled": True}, "leave the stride out"),
        ({"files": "clip/{id}.npy", "rescaled": True, "offset_s": 1.0}, "leave window and offset out"),
        ({"files": "clip/{id}.npy", "stride_s": -1.0}, "above 0"),
        ({"files": "clip/{id}.npy", "stride_s": 1.0, "window_s": 0.0}, "above 0"),
        ({"files": "clip/{id}.npy", "stride_s": 1.0, "name": "a b"}, "no name of an encoder"),
    ],
)
def test_a_source_that_cannot_be(given_: dict[str, object], words: str) -> None:
    with pytest.raises(FeatureError, match=words):
        Source(**given_)  # type: ignore[arg-type]


@given(
    duration_s=st.floats(4.0, 60.0),
    fine=st.sampled_from([0.1, 0.25, 0.5]),
    coarse=st.sampled_from([0.5, 0.96, 1.0, 2.0]),
)
def test_a_grid_ends_with_what_its_encoders_saw(duration_s: float, fine: float, coarse: float) -> None:
    from avloc.datasets.importing import _covered

    own = TimeGrid(coarse, coarse)
    n = int(duration_s / coarse)
    steps = _covered(TimeGrid(fine, fine), own, n)
    moments_s = TimeGrid(fine, fine).to_seconds(np.arange(steps + 1))
    assert moments_s[steps - 1] < n * coarse + 1e-6 and moments_s[steps] >= n * coarse - 1e-5
    assert _covered(own, own, n) == n


def test_rescaled_features_are_looked_over_in_steps(tmp_path: Path) -> None:
    durations_s = {"a": 8.0, "b": 16.0, "c": 400.0}
    for video in durations_s:
        np.save(tmp_path / f"{video}.npy", np.ones((64, 1), np.float32))
    out = tmp_path / "out"
    out.mkdir()
    write_import(plan_import(ImportConfig((Source(f"{tmp_path}/{{id}}.npy", rescaled=True),)), durations_s), out)
    videos = {v: Truth(s, "train", Events([0], [s / 8], ["dog"])) for v, s in durations_s.items()}
    report = check_dataset(Annotations("a.json", ("dog",), videos), out, open_layout(out, "avloc"))
    assert report.ok and report.rescaled_steps == 64
    assert report.grid.stride_s == 16 / 64 and [level.stride_s for level in report.levels[:2]] == [0.25, 0.5]
    # Each event has 8 steps, be it 1 s or 50 s long.
    assert report.suggestion == suggest([8, 8, 8], [64, 64, 64])
