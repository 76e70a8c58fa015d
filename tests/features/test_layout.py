"""The layouts in which features of a whole data set lie in a folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avloc.errors import FeatureError
from avloc.features.layout import (
    AVLOC,
    I3D_THUMOS14,
    I3D_VGGISH,
    ONEPEACE,
    ONEPEACE_ACTIVITYNET,
    Extent,
    open_layout,
    read_extent,
    read_layout,
    videos_in,
)
from avloc.features.npy import write_npy
from avloc.features.sequence import FeatureSequence
from avloc.features.store import save_features
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

NARROW = ONEPEACE.narrowed(4)


def put(folder: Path, video: str, visual: int, audio: int, width: int = 4) -> None:
    rng = np.random.default_rng(visual)
    write_npy(folder / f"{video}_one_peace_video_finetune.npy", rng.random((visual, width)))
    write_npy(folder / f"{video}_one_peace_audio.npy", rng.random((audio, width)))


def stored(folder: Path, name: str, grid: TimeGrid = AVLOC.grid, width: int = 3, made: str = "e") -> None:
    arrays = [np.ones((9, w), np.float32) for w in (width, 2, 5, 4)]
    save_features(FeatureSequence(grid, 3.0, *arrays, Streams(*[made] * 4, cues=name)), folder / name)


def test_the_released_layouts() -> None:
    assert (ONEPEACE.visual_width, ONEPEACE.audio_width) == (1536, 1536)
    assert (I3D_VGGISH.visual_width, I3D_VGGISH.audio_width) == (2048, 128)
    assert ONEPEACE.grid == TimeGrid(0.25, 1.0) and I3D_VGGISH.grid == TimeGrid(0.32, 0.96)
    assert (ONEPEACE_ACTIVITYNET.visual_width, ONEPEACE_ACTIVITYNET.audio_width) == (1536, 1536)
    assert ONEPEACE_ACTIVITYNET.grid == TimeGrid(0.5, 1.0) and ONEPEACE_ACTIVITYNET.prefix == "v_"
    assert (I3D_THUMOS14.visual_width, I3D_THUMOS14.audio_width) == (2048, 0)
    assert I3D_THUMOS14.grid.stride_s == pytest.approx(4 / 30)


def test_modalities_are_cut_to_the_shorter(tmp_path: Path) -> None:
    put(tmp_path, "-a_b", 20, 17)
    assert read_extent(tmp_path, "-a_b", NARROW) == Extent(20, 17)
    got = read_layout(tmp_path, "-a_b", NARROW, 5.5)
    visual = np.load(tmp_path / "-a_b_one_peace_video_finetune.npy")
    assert len(got) == 17 and np.array_equal(got.visual, visual[:17]) and got.audio.shape == (17, 4)
    assert got.visual_scores.shape == got.audio_scores.shape == (17, 0)
    assert got.duration_s == 5.5 and got.grid == ONEPEACE.grid and got.streams == Streams("onepeace", "onepeace")


def test_without_a_duration_the_video_ends_with_the_last_window(tmp_path: Path) -> None:
    put(tmp_path, "a", 37, 37)
    assert read_layout(tmp_path, "a", NARROW).duration_s == 10.0


def test_eight_steps_apart_is_too_far_beyond(tmp_path: Path) -> None:
    put(tmp_path, "a", 20, 12)
    assert len(read_layout(tmp_path, "a", NARROW)) == 12
    put(tmp_path, "a", 20, 11)
    with pytest.raises(FeatureError, match=r"a: 20 visual and 11 audio steps of 0\.25 s are 2\.2 s apart"):
        read_extent(tmp_path, "a", NARROW)


def test_files_of_one_modality_are_joined(tmp_path: Path) -> None:
    layout = I3D_VGGISH.narrowed(3)
    for ending, steps, value in (("_rgb", 6, 1), ("_flow", 5, 2), ("_vggish", 7, 3)):
        write_npy(tmp_path / f"a{ending}.npy", np.full((steps, 3), float(value)))
    got = read_layout(tmp_path, "a", layout)
    assert got.visual.tolist() == [[1, 1, 1, 2, 2, 2]] * 5 and got.audio.tolist() == [[3, 3, 3]] * 5


def test_a_wrong_width_and_a_missing_file_are_named(tmp_path: Path) -> None:
    put(tmp_path, "a", 8, 8, width=5)
    with pytest.raises(FeatureError, match=r"a_one_peace_video_finetune\.npy: has width 5; this layout has 4"):
        read_layout(tmp_path, "a", NARROW)
    put(tmp_path, "b", 8, 8)
    (tmp_path / "b_one_peace_audio.npy").unlink()
    with pytest.raises(FeatureError, match=r"b_one_peace_audio\.npy: there is no such file"):
        read_extent(tmp_path, "b", NARROW)
    assert videos_in(tmp_path, ONEPEACE) == {"a", "b"} and videos_in(tmp_path, I3D_VGGISH) == set()


def test_unknown_layouts_and_folders(tmp_path: Path) -> None:
    assert open_layout(tmp_path, "onepeace") == ONEPEACE
    with pytest.raises(
        FeatureError, match=r"no layout 'one-peace' of features; known are onepeace, i3d-vggish, .*, avloc"
    ):
        open_layout(tmp_path, "one-peace")
    with pytest.raises(FeatureError, match="is not a folder"):
        open_layout(tmp_path / "none", "onepeace")
    with pytest.raises(FeatureError, match=r"holds no \.safetensors file"):
        open_layout(tmp_path, "avloc")


@pytest.mark.parametrize("name", ["a.features.safetensors", "a.safetensors"])
def test_our_own_store(tmp_path: Path, name: str) -> None:
    stored(tmp_path, name)
    layout = open_layout(tmp_path, "avloc")
    assert (layout.visual_width, layout.audio_width) == (3, 2) and layout.grid == AVLOC.grid
    assert read_extent(tmp_path, "a", layout).steps == 9
    got = read_layout(tmp_path, "a", layout)
    assert got.visual.shape == (9, 3) and got.audio_scores.shape == (9, 4) and got.duration_s == 3.0
    assert videos_in(tmp_path, layout) == {"a"}


def test_files_of_one_store_agree(tmp_path: Path) -> None:
    stored(tmp_path, "a.safetensors")
    layout = open_layout(tmp_path, "avloc")
    stored(tmp_path, "b.safetensors", replace(AVLOC.grid, stride_s=0.5))
    stored(tmp_path, "c.safetensors", width=7)
    with pytest.raises(FeatureError, match=r"b\.safetensors: its grid is .*stride_s=0\.5"):
        read_layout(tmp_path, "b", layout)
    with pytest.raises(
        FeatureError, match=r"c\.safetensors: its visual_width is 7, that of other files in the folder 3"
    ):
        read_extent(tmp_path, "c", layout)


def test_files_of_one_store_are_of_one_making_but_for_cues(tmp_path: Path) -> None:
    stored(tmp_path, "a.safetensors")
    stored(tmp_path, "b.safetensors")  # each names its cues otherwise
    stored(tmp_path, "c.safetensors", made="f")
    layout = open_layout(tmp_path, "avloc")
    assert len(read_layout(tmp_path, "b", layout)) == 9 and layout.streams.visual == "e"
    with pytest.raises(FeatureError, match=r"c\.safetensors: its visual are of 'f', those of other files .* of 'e'"):
        read_layout(tmp_path, "c", layout)


def test_a_record_of_a_simulation_tells_widths(tmp_path: Path) -> None:
    record = {"layout": "onepeace", "widths": {"_one_peace_video_finetune.npy": 96, "_one_peace_audio.npy": 64}}
    (tmp_path / "simulation.json").write_text(json.dumps(record))
    layout = open_layout(tmp_path, "onepeace")
    assert (layout.visual_width, layout.audio_width) == (96, 64) and layout.grid == ONEPEACE.grid
    with pytest.raises(FeatureError, match="simulated in the layout 'onepeace', not 'i3d-vggish'"):
        open_layout(tmp_path, "i3d-vggish")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"layout": "onepeace", "widths": {}}', '{"layout": "onepeace"}'])
def test_an_odd_record_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "simulation.json").write_text(text)
    with pytest.raises(FeatureError, match="is no record of a simulation"):
        open_layout(tmp_path, "onepeace")


def test_a_prefix_stands_before_the_names_of_files(tmp_path: Path) -> None:
    put(tmp_path, "v_a", 20, 20)
    put(tmp_path, "b", 20, 20)
    layout = ONEPEACE_ACTIVITYNET.narrowed(4)
    assert videos_in(tmp_path, layout) == {"a"} and read_extent(tmp_path, "a", layout) == Extent(20, 20)
    assert read_layout(tmp_path, "a", layout).grid == TimeGrid(0.5, 1.0)
    with pytest.raises(FeatureError, match=r"v_b_one_peace_video_finetune\.npy: there is no such file"):
        read_extent(tmp_path, "b", layout)


def test_features_of_pictures_alone(tmp_path: Path) -> None:
    write_npy(tmp_path / "video_test_0000004.npy", np.ones((30, 4)))
    layout = I3D_THUMOS14.narrowed(4)
    got = read_layout(tmp_path, "video_test_0000004", layout)
    assert (
        got.visual.shape == (30, 4)
        and got.audio.shape == (30, 0)
        and videos_in(tmp_path, layout) == {"video_test_0000004"}
    )
