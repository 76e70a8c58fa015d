"""Verdicts on parts of videos: only where every event is known is anything trained on or measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.config import FeatureConfig
from avloc.events import Event, Events
from avloc.features.sequence import FeatureSequence
from avloc.features.store import save_features
from avloc.formats.truth import Truth
from avloc.formats.verdicts import Reviewed, Verdict
from avloc.own.samples import StoredVideos
from avloc.own.stretches import by_video, length_s, stretches, told_of
from avloc.timegrid import TimeGrid

GRID = TimeGrid.centred(0.25, 0.96)
DOG, CAT = Event(5, 7, "dog", 0.9), Event(12, 13, "cat", 0.5)


def partly(*verdicts: Verdict) -> Truth:
    return Reviewed(verdicts, 20.0).truth()


@given(st.integers(1, 500), st.sampled_from([0.16, 0.25, 1.0]), st.floats(0.1, 2))
def test_a_stretch_of_so_many_steps_is_as_long_as_the_grid_says(count: int, stride_s: float, window_s: float) -> None:
    grid = TimeGrid.centred(stride_s, window_s)
    assert grid.length(length_s(count, grid)) == count


def test_a_video_with_labels_is_one_stretch_that_is_called_like_it() -> None:
    events = Events.of([DOG])
    (part,) = stretches({"a": Truth(20.0, "", events)}, {"a": 80}, GRID).values()
    assert (part.video, part.first, part.count, part.events) == ("a", 0, 80, events)
    assert told_of({"a": Truth(20.0, "", events)}, {}) == ""


def test_of_a_video_that_was_judged_in_part_the_parts_are_left() -> None:
    truth = {"a": partly(Verdict("yes", DOG, DOG), Verdict("no", CAT, CAT))}
    parts = stretches(truth, {"a": 80}, GRID)
    assert list(parts) == ["a 4.00-8.00 s", "a 11.00-14.00 s"]
    dog, cat = parts.values()
    assert (dog.first, dog.count, dog.start_s) == (16, 16, 4.0)
    assert dog.events == Events([1], [3], ["dog"], [0.9])
    assert len(cat.events) == 0 and cat.count == 12  # what was taken for a cat is background
    assert by_video({name: part.events for name, part in parts.items()}, parts) == {"a": Events.of([DOG])}
    assert told_of(truth, parts) == (
        "1 of 1 videos were looked at in part: 7 of their 20 s, where every event is known, are trained on"
    )


def test_what_nobody_looked_at_is_neither_event_nor_background() -> None:
    unknown = Event(6.5, 9, "cow", 0.4)
    truth = {"a": partly(Verdict("yes", DOG, DOG), Verdict("", unknown, unknown)), "b": partly(Verdict("", CAT, CAT))}
    parts = stretches(truth, {"a": 80, "b": 80}, GRID)
    (part,) = parts.values()
    assert part.start_s + length_s(part.count, GRID) <= 6.5 + GRID.stride_s
    assert part.events.end_s[0] == length_s(part.count, GRID)
    assert told_of(truth, parts).endswith("; 1 of them have none and are left out")


def test_features_and_events_of_a_stretch_are_those_of_its_time(tmp_path: Path) -> None:
    steps = np.arange(80, dtype=np.float32)[:, None]
    whole = FeatureSequence(GRID, 20.0, steps, steps, steps, steps)
    save_features(whole, tmp_path / "a.safetensors")
    parts = stretches({"a": partly(Verdict("yes", DOG, DOG))}, {"a": 80}, GRID)
    videos = StoredVideos.of(parts, {"a": tmp_path / "a.safetensors"}, ("dog",), FeatureConfig())
    video = videos.load("a 4.00-8.00 s")
    np.testing.assert_allclose(video.features.visual[:, 0], np.arange(16, 32), atol=0.01)
    assert len(video.features) == GRID.length(video.features.duration_s)
    (moment,) = GRID.to_steps(video.truth.start_s)
    assert video.features.visual[round(float(moment)), 0] == pytest.approx(GRID.to_steps(5.0), abs=0.51)
