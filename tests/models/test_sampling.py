"""Sampling at fractional steps and means of regions, against loops written out plainly."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from avloc.models.sampling import region_means, sample_fading, sample_linear


def test_sampling_interpolates_inside_and_nothing_counts_outside() -> None:
    x = torch.arange(5, dtype=torch.float64)[None, None, :, None] ** 2  # 0 1 4 9 16
    points = torch.tensor([[[-0.5, 0.0, 0.25, 1.5, 2.0, 2.5, 3.0, 4.0]]], dtype=torch.float64)
    got, valid = sample_linear(x, points, torch.tensor([3.0], dtype=torch.float64))
    assert valid[0, 0].tolist() == [False, True, True, True, True, False, False, False]
    assert got[0, 0, 1:5, 0].tolist() == [0, 0.25, 2.5, 4.0]


def test_points_learn_from_what_they_sample() -> None:
    x = torch.tensor([0.0, 1.0, 4.0, 9.0])[None, None, :, None]
    points = torch.tensor([[[1.5]]], requires_grad=True)
    got, _ = sample_linear(x, points, torch.tensor([4.0]))
    got.sum().backward()
    assert points.grad is not None and points.grad.item() == pytest.approx(3.0)


def fading(x: Tensor, place: float) -> Tensor:
    """x (T, D), zero at all steps that it has not."""
    left = math.floor(place)
    parts = [(left, left + 1 - place), (left + 1, place - left)]
    return sum((share * x[i] for i, share in parts if 0 <= i < len(x)), torch.zeros_like(x[0]))


@settings(max_examples=30)
@given(T=st.integers(1, 9), seed=st.integers(0, 10_000))
def test_beyond_the_ends_there_is_zero(T: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, T, 4, generator=generator, dtype=torch.float64)
    points = torch.randn(2, 3, 6, generator=generator, dtype=torch.float64) * T
    points[0, 0, :3] = torch.tensor([-1.0, 0.0, T], dtype=torch.float64)
    got = sample_fading(x, points)
    for b, h, p in torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(6)).tolist():
        assert torch.allclose(got[b, h, p], fading(x[b, h], float(points[b, h, p])), atol=1e-12)


def test_beyond_the_ends_nothing_is_learned() -> None:
    x = torch.tensor([3.0, 5.0])[None, None, :, None]
    points = torch.tensor([[[-4.0, -0.5, 0.5, 1.5, 9.0]]], requires_grad=True)
    sample_fading(x, points).sum().backward()
    assert points.grad is not None and points.grad[0, 0].tolist() == [0.0, 3.0, 2.0, -5.0, 0.0]


def mean_of_bin(x: Tensor, start: float, end: float, number: int, bins: int) -> Tensor:
    """x (n, C) are the steps that count."""
    size, n = max(end - start, 1.0), len(x)
    samples = math.ceil(size / bins)
    total = torch.zeros_like(x[0])
    for i in range(samples):
        place = start + (number + (i + 0.5) / samples) * size / bins
        if place <= n:
            left = min(math.floor(place), n - 1)
            total += torch.lerp(x[left], x[min(left + 1, n - 1)], min(place, n - 1) - left)
    return total / samples


@settings(max_examples=30)
@given(T=st.integers(1, 40), bins=st.sampled_from([1, 3, 16]), seed=st.integers(0, 10_000))
def test_regions_are_the_means_of_their_bins(T: int, bins: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, T, 3, generator=generator, dtype=torch.float64)
    lengths = torch.tensor([T, max(1, T // 2)], dtype=torch.float64)
    ends = torch.rand(2, 5, 2, generator=generator, dtype=torch.float64).sort(dim=2).values * lengths[:, None, None]
    ends[:, 0, 0], ends[:, 0, 1] = 0, lengths  # all of the video
    ends[:, 1] = lengths[:, None]  # nothing, at its end
    got = region_means(x, ends[..., 0], ends[..., 1], lengths, bins)
    assert got.shape == (2, 5, bins, 3)
    for b, q, number in torch.cartesian_prod(torch.arange(2), torch.arange(5), torch.arange(bins)).tolist():
        wanted = mean_of_bin(x[b, : int(lengths[b])], *ends[b, q].tolist(), number, bins)
        assert torch.allclose(got[b, q, number], wanted, atol=1e-9)


def test_a_region_teaches_the_steps_that_it_reads() -> None:
    x = torch.zeros(1, 6, 1, requires_grad=True)
    region_means(x, torch.tensor([[1.0]]), torch.tensor([[3.0]]), torch.tensor([6.0]), 2).sum().backward()
    # One sample a bin, at 1.5 and 2.5.
    assert x.grad is not None and x.grad.flatten().tolist() == [0, 0.5, 1.0, 0.5, 0, 0]


def test_a_video_without_steps_has_empty_regions() -> None:
    zero = torch.zeros(1, 2)
    assert region_means(torch.ones(1, 4, 3), zero, zero, torch.zeros(1), 16).abs().sum() == 0
