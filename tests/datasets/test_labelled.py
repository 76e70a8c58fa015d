"""Labelled videos as the network sees them: seconds to steps, and what a crop leaves of an event."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets.batch import Sample
from avloc.datasets.labelled import LabelledVideo, crop, random_crop, shuffled, to_sample
from avloc.errors import FeatureError
from avloc.events import Events
from avloc.features.inputs import network_inputs
from avloc.features.sequence import FeatureSequence
from avloc.timegrid import TimeGrid

GRID = TimeGrid(0.5, 1.0, -0.25)


def video(steps: int, truth: Events) -> LabelledVideo:
    rng = np.random.default_rng(0)
    visual, audio, logits, heard = (rng.random((steps, width), np.float32) for width in (3, 2, 5, 4))
    return LabelledVideo("v", FeatureSequence(GRID, steps * GRID.stride_s, visual, audio, logits, heard), truth)


def sample(steps: int, *events: tuple[float, float, int]) -> Sample:
    """Inputs that tell their own step."""
    table = np.array(events, np.float32).reshape(-1, 3)
    time = np.arange(steps, dtype=np.float32)[:, None]
    return Sample(np.repeat(time, 3, axis=1), -time, table[:, :2], table[:, 2].astype(np.int64))


def test_seconds_become_steps_and_labels_numbers() -> None:
    given = video(10, Events([0.25, 1.0], [2.25, 4.75], ["dog", "cat"]))
    got = to_sample(given, ("cat", "dog"), scores=False)
    assert got.segments.tolist() == [[0, 4], [1.5, 9]] and got.labels.tolist() == [1, 0]
    assert got.segments.dtype == np.float32 and got.labels.dtype == np.int64
    assert got.visual is given.features.visual and got.audio is given.features.audio


def test_scores_are_read_beside_the_embeddings() -> None:
    given = video(10, Events())
    got = to_sample(given, ("cat",), scores=True)
    visual, audio = network_inputs(given.features, True)
    assert np.array_equal(got.visual, visual) and np.array_equal(got.audio, audio)
    assert got.visual.shape == (10, 8) and got.audio.shape == (10, 6)


def test_a_video_without_events() -> None:
    got = to_sample(video(4, Events()), ("cat",), scores=False)
    assert got.segments.shape == (0, 2) and got.labels.shape == (0,)
    assert crop(got, 1, 2, 0.5).segments.shape == (0, 2)


def test_a_label_that_the_model_does_not_know() -> None:
    with pytest.raises(FeatureError, match=r"v: label 'cow' is not among the model's 2 labels"):
        to_sample(video(4, Events([0], [1], ["cow"])), ("cat", "dog"), scores=False)


def test_a_crop_takes_its_steps_and_moves_its_events() -> None:
    got = crop(sample(20, (5, 9, 0), (6.5, 7, 1)), 4, 8, 0.5)
    assert got.visual[:, 0].tolist() == list(range(4, 12)) and got.audio[:, 0].tolist() == [-t for t in range(4, 12)]
    assert got.segments.tolist() == [[1, 5], [2.5, 3]] and got.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("keep_share", "kept"),
    [(0.0, [0, 1, 2, 3]), (0.2, [0, 1, 2, 3]), (0.5, [0, 1, 3]), (0.75, [0, 1]), (1.0, [0])],
)
def test_events_are_cut_at_the_edges_of_the_outer_cells(keep_share: float, kept: list[int]) -> None:
    """Steps 10 to 17 cover [9.5, 17.5): of the four events all, 3/4, 1/4 and 1/2 are left."""
    given = sample(40, (9.5, 17.5, 0), (8.5, 12.5, 1), (16.5, 20.5, 2), (15.5, 19.5, 3), (0, 9.5, 4), (18, 30, 5))
    got = crop(given, 10, 8, keep_share)
    assert got.labels.tolist() == kept
    ends = {0: [-0.5, 7.5], 1: [-0.5, 2.5], 2: [6.5, 7.5], 3: [5.5, 7.5]}
    assert got.segments.tolist() == [ends[label] for label in kept]


def test_an_event_of_no_length_is_none() -> None:
    assert len(crop(sample(8, (3, 3, 0)), 0, 8, 0.0).labels) == 0


def test_a_whole_crop_changes_nothing() -> None:
    """Events may begin before the first moment and end behind the last, or lie there whole."""
    given = sample(8, (0, 3, 0), (-0.5, 7.5, 1), (-1.75, 9.25, 2), (-1.9, -0.8, 3), (7.75, 8.5, 4))
    got = crop(given, 0, 8, 1.0)
    assert np.array_equal(got.segments, given.segments) and np.array_equal(got.visual, given.visual)
    assert np.array_equal(got.labels, given.labels)


def test_events_are_cut_only_where_the_crop_cuts() -> None:
    given = sample(20, (-1.5, 21, 0), (-1.5, 4, 1), (15, 21, 2))
    assert crop(given, 0, 10, 0.0).segments.tolist() == [[-1.5, 9.5], [-1.5, 4]]
    assert crop(given, 10, 10, 0.0).segments.tolist() == [[-0.5, 11], [5, 11]]
    assert crop(given, 5, 10, 0.0).segments.tolist() == [[-0.5, 9.5]]


@given(
    st.integers(1, 60),
    st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)).map(lambda pair: (min(pair), max(pair))),
    st.integers(1, 70),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_a_random_crop_is_a_stretch_of_the_video(
    steps: int, share: tuple[float, float], longest: int, keep_share: float, seed: int
) -> None:
    whole = sample(steps, (1.25, 4.5, 7), (0, 40, 8), (20, 21, 9))
    got = random_crop(whole, share, longest, keep_share, np.random.default_rng(seed))
    n = len(got.visual)
    assert n == len(got.audio)
    least, most = (max(1, round(steps * s)) if steps <= longest else longest for s in share)
    assert least <= n <= most
    first = int(got.visual[0, 0])
    assert got.visual[:, 0].tolist() == list(range(first, first + n)) and first + n <= steps
    possible = any(len(crop(whole, place, n, keep_share).labels) for place in range(steps - n + 1))
    assert first == 0 or (got.segments >= -0.5).all()
    assert first + n == steps or (got.segments <= n - 0.5).all()
    for (start, end), label in zip(got.segments + first, got.labels, strict=True):
        true_start, true_end = whole.segments[int(label) - 7]
        assert true_start - 1e-4 <= start < end <= true_end + 1e-4
        assert not possible or end - start >= keep_share * (true_end - true_start) - 1e-4
        assert start in (true_start, first - 0.5) and end in (true_end, first + n - 0.5)


def test_a_crop_keeps_an_event_where_there_is_one() -> None:
    """Of the 51 places of a crop of 50 steps only the last 3 hold half of the event."""
    whole, rng = sample(100, (95, 99, 3)), np.random.default_rng(0)
    places = [int(random_crop(whole, (0.5, 0.5), 100, 0.5, rng).visual[0, 0]) for _ in range(200)]
    assert set(places) == {48, 49, 50}
    assert len(random_crop(whole, (0.5, 0.5), 100, 0.5, rng).labels) == 1


def test_a_crop_shorter_than_every_event_stands_inside_one() -> None:
    got = random_crop(sample(100, (10, 90, 3)), (0.1, 0.1), 100, 0.5, np.random.default_rng(0))
    assert got.segments.tolist() == [[-0.5, 9.5]] and got.visual[0, 0] == 45


def test_a_long_video_is_cut_to_the_longest_that_is_allowed() -> None:
    assert len(random_crop(sample(100), (0.9, 1.0), 96, 0.5, np.random.default_rng(0)).visual) == 96


def test_the_same_seed_crops_the_same() -> None:
    whole = sample(50, (1, 40, 0))
    crops = [random_crop(whole, (0.3, 0.9), 64, 0.1, np.random.default_rng(3)) for _ in range(2)]
    assert np.array_equal(crops[0].visual, crops[1].visual) and np.array_equal(crops[0].segments, crops[1].segments)


@given(st.integers(0, 40), st.integers(1, 12), st.integers(1, 4), st.integers(0, 99))
def test_an_epoch_sees_every_video_once(count: int, batch: int, pool: int, seed: int) -> None:
    lengths = np.random.default_rng(seed).integers(1, 100, count)
    batches = shuffled(lengths, batch, pool, np.random.default_rng(seed))
    assert sorted(int(i) for chosen in batches for i in chosen) == list(range(count))
    assert sorted(len(b) for b in batches)[1:] == [batch] * (len(batches) - 1)


def test_batches_of_one_pool_share_out_its_videos_by_length() -> None:
    lengths = np.random.default_rng(0).integers(20, 250, 1000)
    drawn = [shuffled(lengths, 16, pool, np.random.default_rng(1)) for pool in (1, 8)]
    padded = [sum(len(b) * lengths[b].max() for b in batches) for batches in drawn]
    assert padded[0] > 1.6 * lengths.sum() and padded[1] < 1.2 * lengths.sum()
