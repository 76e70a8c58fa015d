"""Samples of several lengths in one padded batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets.batch import Sample, collate


def sample(steps: int, events: int, seed: int = 0) -> Sample:
    rng = np.random.default_rng([seed, steps, events])
    segments = np.sort(rng.random((events, 2), np.float32), axis=1)
    return Sample(
        rng.random((steps, 3), np.float32), rng.random((steps, 2), np.float32), segments, rng.integers(0, 9, events)
    )


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4)), min_size=1, max_size=5),
    st.sampled_from([1, 2, 8, 32]),
)
def test_every_sample_stands_at_the_front_of_its_row(sizes: list[tuple[int, int]], multiple: int) -> None:
    samples = [sample(steps, events, i) for i, (steps, events) in enumerate(sizes)]
    batch = collate(samples, multiple)
    T, N = batch.mask.shape[1], batch.labels.shape[1]
    longest = max(steps for steps, _ in sizes)
    assert T % multiple == 0 and max(longest, 1) <= T < longest + multiple + (longest == 0)
    assert max(events for _, events in sizes) == N
    assert batch.visual.shape == (len(samples), T, 3) and batch.audio.shape == (len(samples), T, 2)
    assert batch.segments.shape == (len(samples), N, 2)
    for i, (s, (steps, events)) in enumerate(zip(samples, sizes, strict=True)):
        assert batch.mask[i].tolist() == [t < steps for t in range(T)]
        assert np.array_equal(batch.visual[i, :steps], s.visual) and not batch.visual[i, steps:].any()
        assert np.array_equal(batch.audio[i, :steps], s.audio) and not batch.audio[i, steps:].any()
        assert np.array_equal(batch.segments[i, :events], s.segments) and not batch.segments[i, events:].any()
        assert batch.labels[i].tolist() == [*s.labels.tolist(), *[-1] * (N - events)]


@pytest.mark.parametrize(("steps", "T"), [(1, 32), (32, 32), (33, 64), (64, 64)])
def test_length_is_rounded_up(steps: int, T: int) -> None:
    assert collate([sample(steps, 1)], 32).mask.shape == (1, T)


def test_types_are_those_of_the_network() -> None:
    batch = collate([sample(3, 2), sample(5, 0)], 4)
    kinds = [a.dtype for a in (batch.visual, batch.audio, batch.mask, batch.segments, batch.labels)]
    assert kinds == [np.float32, np.float32, bool, np.float32, np.int64]
