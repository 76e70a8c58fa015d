"""Targets against the rule written out moment by moment."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.learning.losses import Truth
from avloc.learning.targets import assign_targets, regression_ranges
from avloc.models.outputs import pyramid_points
from avloc.timegrid import pyramid_moments

LEVELS, K = 4, 3

segment = st.tuples(st.floats(-2, 40), st.floats(0, 40), st.integers(0, K - 1)).map(
    lambda t: (round(t[0] * 4) / 4, round((t[0] + t[1]) * 4) / 4, t[2])
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(segment, max_size=6), min_size=1, max_size=3), st.integers(1, 32))
def test_targets_are_the_rule(videos: list[list[tuple[float, float, int]]], length: int) -> None:
    N = max(len(v) for v in videos)
    segments, labels = torch.zeros(len(videos), N, 2), torch.full((len(videos), N), -1)
    for b, events in enumerate(videos):
        for n, (start, end, label) in enumerate(events):
            segments[b, n] = torch.tensor([start, end])
            labels[b, n] = label
    moments = pyramid_moments(32, LEVELS)
    mask = (torch.from_numpy(moments.step) < length).expand(len(videos), -1)
    got = assign_targets(pyramid_points(32, LEVELS), Truth(segments, labels), mask, K)
    for b, events in enumerate(videos):
        for p in range(len(moments)):
            t, stride = float(moments.step[p]), float(moments.stride[p])
            low, high = float(moments.reach_min[p]), float(moments.reach_max[p])
            for k in range(K):
                best: tuple[float, float, float] | None = None
                for start, end, label in events:
                    inside = start < t < end and low <= max(t - start, end - t) < high and t < length
                    if label == k and inside and (best is None or end - start < best[0]):
                        best = end - start, (t - start) / stride, (end - t) / stride
                assert bool(got.positive[b, p, k]) == (best is not None)
                expected = (0.0, 0.0) if best is None else best[1:]
                assert all(
                    math.isclose(float(g), e, abs_tol=1e-5)
                    for g, e in zip(got.offsets[b, p, k], expected, strict=True)
                )


def test_no_event_at_all() -> None:
    moments = pyramid_points(8, LEVELS)
    mask = torch.ones(2, len(moments), dtype=torch.bool)
    got = assign_targets(moments, Truth(torch.zeros(2, 0, 2), torch.zeros(2, 0, dtype=torch.long)), mask, K)
    assert not got.positive.any() and got.offsets.shape == (2, len(moments), K, 2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(segment, max_size=6), min_size=1, max_size=3),
    st.integers(1, 32),
    st.sampled_from([None, 0.75, 1.5]),
    st.sampled_from([(), ((0.0, 4.0), (2.0, 9.0), (4.0, 12.0), (8.0, 10000.0))]),
)
def test_class_agnostic_targets_are_the_rule(
    videos: list[list[tuple[float, float, int]]],
    length: int,
    radius: float | None,
    ranges: tuple[tuple[float, float], ...],
) -> None:
    """The shortest event of a point is its segment; all as short as it give their classes."""
    N = max(len(v) for v in videos)
    segments, labels = torch.zeros(len(videos), N, 2), torch.full((len(videos), N), -1)
    for b, events in enumerate(videos):
        for n, (start, end, label) in enumerate(events):
            segments[b, n] = torch.tensor([start, end])
            labels[b, n] = label
    points = pyramid_points(32, LEVELS)
    mask = (points.step < length).expand(len(videos), -1)
    got = assign_targets(
        points,
        Truth(segments, labels),
        mask,
        K,
        class_aware=False,
        centre_radius=radius,
        ranges=ranges,
        inclusive=True,
    )
    assert got.offsets.shape[2] == 1
    for b, events in enumerate(videos):
        for p in range(len(points)):
            t, stride = float(points.step[p]), float(points.stride[p])
            low, high = ranges[int(math.log2(stride))] if ranges else (stride * 2 * (stride > 1), stride * 4)
            high = math.inf if stride == 2 ** (LEVELS - 1) and not ranges else high
            hits = []
            for start, end, label in events:
                centre, reach = (start + end) / 2, math.inf if radius is None else radius * stride
                near = max(start, centre - reach) < t < min(end, centre + reach)
                if near and low <= max(t - start, end - t) <= high and t < length:
                    hits.append((end - start, label, (t - start) / stride, (end - t) / stride))
            shortest = min(hits, key=lambda hit: hit[0], default=None)
            classes = {label for size, label, *_ in hits if shortest and size <= shortest[0] + 1e-3}
            assert set(got.positive[b, p].nonzero().flatten().tolist()) == classes
            expected = shortest[2:] if shortest else (0.0, 0.0)
            assert got.offsets[b, p, 0].tolist() == pytest.approx(expected, abs=1e-5)


def test_ranges_of_seven_levels() -> None:
    low, high = regression_ranges(pyramid_points(64, 7))
    assert sorted(set(zip(low.tolist(), high.tolist(), strict=True))) == [
        (0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128), (128, math.inf)
    ]  # fmt: skip
