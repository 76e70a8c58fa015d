"""A folder of composed videos: resumed, extended, refused where it is of other media; labels are of its scenes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from avloc.compose import folder as composing
from avloc.compose.compose_config import ComposeConfig
from avloc.compose.folder import Part, compose_folder
from avloc.compose.library import open_library
from avloc.compose.scene import truth
from avloc.datasets.annotations import read_annotations
from avloc.errors import ConfigError, MediaError, OutputError
from avloc.formats.activitynet import read_truth
from avloc.formats.class_names import read_labels
from avloc.media.probe import probe

SCENE = ComposeConfig(duration_s=(3.0, 4.0), size=(96, 64), fps=5.0, event_s=(1.0, 2.0))
TRAIN = Part("train", 3, 7, SCENE)


def test_videos_have_the_lengths_and_events_of_their_scenes(tmp_path: Path) -> None:
    done = compose_folder(tmp_path / "new", None, [TRAIN, Part("test", 1, 9, SCENE)])
    names = ["train_00000", "train_00001", "train_00002", "test_00000"]
    assert sorted(p.name for p in (tmp_path / "new").glob("*.mp4")) == sorted(f"{n}.mp4" for n in names)
    read = read_truth(done.annotations)
    assert list(read) == names and [t.subset for t in read.values()] == ["train"] * 3 + ["test"]
    for name, split, seed in zip(names, ["train"] * 3 + ["test"], [7, 7, 7, 9], strict=True):
        number = int(name[-5:])
        scene = Part(split, 9, seed, SCENE).plan(open_library(None, split), number)
        events = truth(scene)
        assert read[name].events.labels == events.labels
        assert read[name].events.start_s == pytest.approx(events.start_s, abs=1e-3)
        assert probe(tmp_path / "new" / f"{name}.mp4").duration_s == pytest.approx(scene.duration_s, abs=0.25)
    assert read_labels(done.annotations) == tuple(sorted({e.label for t in read.values() for e in t.events}))
    assert read_annotations(done.annotations).subsets


def test_what_stands_is_kept_and_more_can_be_added(tmp_path: Path) -> None:
    first = compose_folder(tmp_path, None, [TRAIN])
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.mp4")}
    (tmp_path / "train_00001.mp4").unlink()
    told: list[tuple[int, int]] = []
    again = compose_folder(
        tmp_path, None, [Part("train", 4, 7, SCENE)], on_progress=lambda done, count: told.append((done, count))
    )
    assert (first.made, first.kept, again.made, again.kept) == (3, 0, 2, 2)
    assert told == [(2, 4), (3, 4), (4, 4)]
    after = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.mp4")}
    assert len(after) == 4 and all(after[n] == before[n] for n in ("train_00000.mp4", "train_00002.mp4"))
    assert list(read_truth(again.annotations)) == [f"train_0000{i}" for i in range(4)]


def test_a_stopped_run_leaves_no_half_video_and_no_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = composing.compose_video
    left = iter([True, False])

    def stopped(path: Path, scene: object) -> None:
        if not next(left):
            raise KeyboardInterrupt
        whole(path, scene)  # type: ignore[arg-type]

    monkeypatch.setattr(composing, "compose_video", stopped)
    with pytest.raises(KeyboardInterrupt):
        compose_folder(tmp_path, None, [TRAIN])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["composition.json", "train_00000.mp4"]
    monkeypatch.setattr(composing, "compose_video", whole)
    assert compose_folder(tmp_path, None, [TRAIN]).kept == 1


@pytest.fixture
def features(tmp_path: Path) -> Iterator[composing.Composed]:
    yield compose_folder(tmp_path / "alone", None, [TRAIN], "features")


def test_features_are_the_same_in_many_processes(features: composing.Composed, tmp_path: Path) -> None:
    other = compose_folder(tmp_path / "two", None, [TRAIN], "features", workers=2)
    for name in TRAIN.names():
        one, two = features.features(name), other.features(name)
        assert len(one) > 5 and one.duration_s == two.duration_s
        assert one.duration_s == pytest.approx(features.truth[name].duration_s, abs=1e-3)
        for part in ("visual", "audio", "visual_scores", "audio_scores", "cues"):
            assert getattr(one, part) == pytest.approx(getattr(two, part), abs=2e-2), part


@pytest.mark.parametrize(
    ("parts", "kind", "says"),
    [
        ([Part("train", 3, 8, SCENE)], "videos", "other train"),
        ([Part("train", 3, 7, ComposeConfig())], "videos", "other train"),
        ([TRAIN], "features", "other kind"),
    ],
)
def test_a_folder_of_other_videos_is_refused(tmp_path: Path, parts: list[Part], kind: str, says: str) -> None:
    compose_folder(tmp_path, None, [Part("train", 1, 7, SCENE)])
    with pytest.raises(OutputError, match=says):
        compose_folder(tmp_path, None, parts, kind)  # type: ignore[arg-type]
    (tmp_path / "composition.json").write_text("{")
    with pytest.raises(OutputError, match="name a new folder"):
        compose_folder(tmp_path, None, parts, kind)  # type: ignore[arg-type]


def test_changed_media_are_noticed(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (media / "noise.raw").write_bytes(b"12")
    rows = [{"file": "noise.raw", "kind": "ambient", "split": "train"}]
    (media / "manifest.json").write_text(json.dumps({"entries": rows}))
    quiet = ComposeConfig(duration_s=(1.0, 1.0), size=(32, 32), fps=2.0, events=(0, 0), ambient=0.0)
    compose_folder(tmp_path / "out", media, [Part("train", 1, 0, quiet)])
    assert not len(read_truth(tmp_path / "out" / "annotations.json")["train_00000"].events)
    (media / "noise.raw").write_bytes(b"123")
    with pytest.raises(OutputError, match="other media"):
        compose_folder(tmp_path / "out", media, [Part("train", 1, 0, quiet)])
    with pytest.raises(ConfigError, match="both a picture and a sound"):
        compose_folder(tmp_path / "events", media, [TRAIN])
    with pytest.raises(MediaError, match="no entry of split 'test'"):
        compose_folder(tmp_path / "other", media, [Part("test", 1, 0, quiet)])
    assert not (tmp_path / "events").exists() and not (tmp_path / "other").exists()


def test_fewer_videos_are_a_part_of_more(tmp_path: Path) -> None:
    one = compose_folder(tmp_path / "one", None, [Part("train", 1, 7, SCENE)]).truth["train_00000"]
    three = compose_folder(tmp_path / "three", None, [TRAIN]).truth["train_00000"]
    assert np.array_equal(one.events.start_s, three.events.start_s)
