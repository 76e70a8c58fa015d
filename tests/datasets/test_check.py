"""A data set looked over: what is counted, and that each kind of bad data is found and named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avloc.datasets.annotations import Annotations
from avloc.datasets.check import Report, Spread, check_dataset
from avloc.errors import FeatureError
from avloc.events import Events
from avloc.features.layout import I3D_VGGISH, ONEPEACE
from avloc.features.npy import write_npy
from avloc.formats.activitynet import Truth

LAYOUT = ONEPEACE.narrowed(3)
VISUAL, AUDIO = LAYOUT.visual[0].ending, LAYOUT.audio[0].ending
DURATIONS_S = {"a": 10.0, "b": 20.0, "c": 31.5, "d": 60.0}


def annotations() -> Annotations:
    videos = {
        "a": Truth(10.0, "train", Events([1, 2], [3, 9.5], ["dog", "cat"])),
        "b": Truth(20.0, "train", Events([0], [20], ["dog"])),
        "c": Truth(31.5, "validation", Events([30.0], [31.5], ["dog"])),
        "d": Truth(60.0, "test", Events()),
    }
    return Annotations("a.json", ("cat", "cow", "dog"), videos)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for video, duration_s in DURATIONS_S.items():
        steps = int((duration_s - 1) / 0.25) + 1
        for ending in (VISUAL, AUDIO):
            write_npy(tmp_path / (video + ending), np.ones((steps, 3)))
    return tmp_path


def check(folder: Path, truth: Annotations | None = None, **options: object) -> Report:
    return check_dataset(truth or annotations(), folder, LAYOUT, **options)  # type: ignore[arg-type]


def test_a_sound_data_set(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = check(folder, needed=("train", "validation"), on_progress=lambda done, n: seen.append((done, n)))
    assert report.ok and seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    report.require()
    assert [(s.subset, s.videos, s.without_event, s.events, s.classes) for s in report.splits] == [
        ("train", 2, 0, 3, 2),
        ("validation", 1, 0, 1, 1),
        ("test", 1, 1, 0, 0),
    ]
    assert report.videos == 4 and report.events == 4
    assert report.events_by_class == {"dog": 3, "cat": 1, "cow": 0}
    assert report.video_s == Spread(10, 25.75, 30.375, 60) and report.event_s.most == 20
    assert report.steps == Spread(37, 100, 118.5, 237)
    assert report.stride_s == pytest.approx(0.25) and report.widths == (3, 3)
    assert report.unreachable == 0 and report.unannotated == 0 and report.values_read


def test_a_report_is_json(folder: Path) -> None:
    data = json.loads(json.dumps(check(folder).to_dict(), allow_nan=False))
    assert data["ok"] is True and data["levels"][-1]["reach_s"] == [16.0, None] and data["problems"] == []


def test_some_splits_alone(folder: Path) -> None:
    (folder / ("d" + VISUAL)).unlink()
    assert not check(folder).ok
    assert check(folder, splits=("train", "validation")).ok


def test_features_without_annotation_are_counted(folder: Path) -> None:
    write_npy(folder / ("x" + VISUAL), np.ones((5, 3)))
    report = check(folder)
    assert report.ok and report.unannotated == 1


def _rewrite(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:  # type: ignore[type-arg]
    def act(folder: Path) -> None:
        path = folder / ("b" + AUDIO)
        np.save(path, change(np.load(path)))

    return act


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda folder: (folder / ("b" + VISUAL)).unlink(), "b_one_peace_video_finetune.npy: there is no such file"),
        (lambda folder: (folder / ("b" + AUDIO)).write_bytes(b"no"), "b_one_peace_audio.npy: is not a .npy file"),
        (_rewrite(lambda x: np.ones((77, 5), np.float16)), "b_one_peace_audio.npy: has width 5; this layout has 3"),
        (_rewrite(lambda x: x[:60]), "77 visual and 60 audio steps"),
        (_rewrite(lambda x: x.astype(int)), "type int64"),
    ],
)
@pytest.mark.parametrize("quick", [False, True])
def test_odd_files_are_named(folder: Path, act: Callable[[Path], None], said: str, quick: bool) -> None:
    act(folder)
    report = check(folder, quick=quick)
    assert [problem.kind for problem in report.problems] == ["files"]
    assert said in str(report.problems[0]) and report.problems[0].video == "b"
    with pytest.raises(FeatureError, match="`avloc check-data` lists all that is wrong"):
        report.require()


def test_values_that_are_not_finite_need_the_slow_look(folder: Path) -> None:
    array = np.load(folder / ("c" + VISUAL))
    array[5, 1] = np.nan
    np.save(folder / ("c" + VISUAL), array)
    assert check(folder, quick=True).ok
    [problem] = check(folder).problems
    assert problem.video == "c" and "1 of 369 values are not finite numbers, the first at step 5" in problem.message


def test_a_length_that_contradicts_its_duration(folder: Path) -> None:
    for ending in (VISUAL, AUDIO):
        write_npy(folder / ("d" + ending), np.ones((100, 3)))
    [problem] = check(folder).problems
    assert str(problem) == "d: 100 steps of 0.25 s for a video of 60 s; 237 to 240 are expected"


def test_a_wrong_stride_is_one_line_for_all(folder: Path) -> None:
    for video, duration_s in DURATIONS_S.items():
        for ending in (VISUAL, AUDIO):
            write_npy(folder / (video + ending), np.ones((int((duration_s - 0.96) / 0.32) + 1, 3)))
    [problem] = check(folder, quick=True).problems
    assert problem.kind == "lengths" and "a stride of 0.32 s (8 frames at 25 a second" in problem.message


def test_odd_annotations_are_all_listed(folder: Path) -> None:
    truth = annotations()
    videos = {
        **truth.videos,
        "a": Truth(10.0, "train", Events([1, 2, 3], [1, 12, 4], ["dog", "dog", "unicorn"])),
        "b": Truth(20.0, "train", Events([-1], [2], ["dog"])),
    }
    problems = check(folder, replace(truth, videos=videos)).problems
    assert [(p.kind, p.video) for p in problems] == [("annotations", v) for v in "aaab"]
    said = ("no length", "ends after the video, which has 10 s", "not among the 3 classes", "before the video")
    for problem, part in zip(problems, said, strict=True):
        assert part in problem.message


def test_an_empty_split(folder: Path) -> None:
    problems = check(folder, needed=("train", "dev", "test")).problems
    assert [str(p) for p in problems] == [
        "no video is of subset 'dev'; the subsets there are: train, validation, test",
        "none of the 1 videos of 'test' has an event",
    ]


def test_another_layout_is_one_line_for_all(folder: Path) -> None:
    layout = I3D_VGGISH.narrowed(3)
    [problem] = check_dataset(annotations(), folder, layout).problems
    assert "none of the 4 videos has a file in the layout i3d-vggish; it holds files of the layout onepeace" in str(
        problem
    )
    empty = folder / "empty"
    empty.mkdir()
    [problem] = check_dataset(annotations(), empty, LAYOUT).problems
    assert str(problem).endswith("is it another folder?")


def test_unknown_durations_are_no_contradiction(folder: Path) -> None:
    truth = annotations()
    videos = {video: replace(t, duration_s=math.inf) for video, t in truth.videos.items()}
    report = check(folder, replace(truth, videos=videos))
    assert report.ok and report.video_s == Spread(0, 0, 0, 0) and report.stride_s is None
    assert sum(level.events for level in report.levels) > 0


def test_events_that_no_moment_can_find_are_counted(folder: Path) -> None:
    truth = annotations()
    # Moments stand 0.25 s apart at 0.5 s, 0.75 s, ...: an event between two of them, and one before the first.
    videos = {
        **truth.videos,
        "d": Truth(60.0, "test", Events([10.05, 0.0, 5], [10.2, 0.4, 6], ["dog", "dog", "dog"])),
    }
    assert check(folder, replace(truth, videos=videos)).unreachable == 2


def test_no_video_at_all(folder: Path) -> None:
    report = check(folder, Annotations("e.json", (), {}), needed=("train",))
    assert [str(p) for p in report.problems] == ["no video is of subset 'train'; the subsets there are: none"]
