"""One split of a data set, read when it is asked for."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pytest

from avloc.datasets.annotations import Annotations
from avloc.datasets.feature_dataset import FeatureDataset
from avloc.errors import FeatureError, FormatError
from avloc.events import Events
from avloc.features.layout import ONEPEACE
from avloc.formats.activitynet import Truth

LAYOUT = ONEPEACE.narrowed(3)
ENDINGS = [part.ending for part in LAYOUT.visual + LAYOUT.audio]
ANNOTATIONS = Annotations(
    "a.json",
    ("cat", "dog"),
    {
        "v": Truth(5.0, "train", Events([0.5, 1.5], [3.0, 5.0], ["dog", "cat"])),
        "t": Truth(5.0, "test", Events()),
        "w": Truth(math.inf, "train", Events()),
    },
)


def put(folder: Path, video: str, scale: float = 1.0, dtype: type = np.float32) -> None:
    for i, ending in enumerate(ENDINGS):
        values = np.random.default_rng([i, len(video)]).random((17, 3)) * scale
        np.save(folder / (video + ending), values.astype(dtype))


def dataset(folder: Path, cache: bool = False, split: str = "train") -> FeatureDataset:
    return FeatureDataset(ANNOTATIONS, folder, LAYOUT, split, cache=cache)


def test_what_a_split_holds(tmp_path: Path) -> None:
    data = dataset(tmp_path)  # nothing is read yet: there is no file
    assert len(data) == 2 and data.names == ("v", "w") and data.labels == ("cat", "dog")
    assert data.truth == {"v": ANNOTATIONS.videos["v"].events, "w": Events()}
    with pytest.raises(FormatError, match="no video is of subset 'dev'"):
        dataset(tmp_path, split="dev")


def test_a_sample_has_steps_and_numbers(tmp_path: Path) -> None:
    put(tmp_path, "v")
    sample = dataset(tmp_path).sample(0)
    assert sample.segments.tolist() == [[0, 10], [4, 18]] and sample.labels.tolist() == [1, 0]
    assert np.array_equal(sample.visual, np.load(tmp_path / ("v" + ENDINGS[0])))
    assert np.array_equal(sample.audio, np.load(tmp_path / ("v" + ENDINGS[1])))


def test_durations_are_those_of_the_annotations_where_known(tmp_path: Path) -> None:
    put(tmp_path, "v")
    put(tmp_path, "w")
    data = dataset(tmp_path)
    assert [data.load(i).features.duration_s for i in range(2)] == [5.0, 5.0]  # 16 strides and a window of 1 s


def test_a_cache_reads_a_file_once_and_keeps_half_precision(tmp_path: Path) -> None:
    put(tmp_path, "v")
    data, fresh = dataset(tmp_path, cache=True), dataset(tmp_path)
    first = data.load(0).features
    for ending in ENDINGS:
        (tmp_path / ("v" + ending)).unlink()
    again = data.load(0).features
    assert again.visual.dtype == np.float32 and np.array_equal(again.visual, first.visual.astype(np.float16))
    assert np.array_equal(again.audio, first.audio.astype(np.float16))
    with pytest.raises(FeatureError, match="there is no such file"):
        fresh.load(0)


def test_a_cache_changes_no_half_precision_features(tmp_path: Path) -> None:
    put(tmp_path, "v", dtype=np.float16)
    data = dataset(tmp_path, cache=True)
    assert np.array_equal(data.sample(0).visual, data.sample(0).visual)
    assert np.array_equal(data.sample(0).visual, dataset(tmp_path).sample(0).visual)


def test_values_too_large_for_half_precision_stay_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, "v", scale=1e6)
    data = dataset(tmp_path, cache=True)
    assert np.array_equal(data.sample(0).visual, data.sample(0).visual) and np.isfinite(data.sample(0).visual).all()


def test_a_worker_process_can_have_it(tmp_path: Path) -> None:
    put(tmp_path, "v")
    copy = pickle.loads(pickle.dumps(dataset(tmp_path)))
    assert np.array_equal(copy.sample(0).visual, dataset(tmp_path).sample(0).visual)
