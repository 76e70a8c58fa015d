"""Attention against loops written out plainly."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.models.attention import full_attention, merge_heads, sliding_attention, split_heads


def attend(q: torch.Tensor, keys: list[torch.Tensor], values: list[torch.Tensor]) -> torch.Tensor:
    """One query over a list of keys, in float64; zero where there is none."""
    if not keys:
        return torch.zeros_like(q)
    scores = [float(q @ k) / math.sqrt(len(q)) for k in keys]
    top = max(scores)
    weights = [math.exp(s - top) for s in scores]
    return sum((w * v for w, v in zip(weights, values, strict=True)), torch.zeros_like(q)) / sum(weights)


@settings(max_examples=15, deadline=None)
@given(
    blocks=st.integers(1, 4),
    window=st.sampled_from([2, 4, 6, 8]),
    seed=st.integers(0, 10_000),
    per_head=st.booleans(),
)
def test_sliding_attention_is_the_loop(blocks: int, window: int, seed: int, per_head: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    B, H, T, D = 2, 2, blocks * window, 4
    q, k, v = torch.randn(3, B, H, T, D, generator=generator, dtype=torch.float64)
    valid = torch.rand(B, H if per_head else 1, T, generator=generator) > 0.4
    got = sliding_attention(q, k, v, valid, window)
    for b in range(B):
        for h in range(H):
            for i in range(T):
                seen = [j for j in range(T) if abs(i - j) <= window // 2 and valid[b, h if per_head else 0, j]]
                expected = attend(q[b, h, i], [k[b, h, j] for j in seen], [v[b, h, j] for j in seen])
                assert torch.allclose(got[b, h, i], expected, atol=1e-10)


def test_full_attention_is_the_loop_and_zero_without_keys() -> None:
    q, k, v = torch.randn(3, 3, 2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[True] * 5, [True, False, True, False, False], [False] * 5])
    got = full_attention(q, k, v, mask)
    for b in range(3):
        seen = [j for j in range(5) if mask[b, j]]
        expected = attend(q[b, 1, 2], [k[b, 1, j] for j in seen], [v[b, 1, j] for j in seen])
        assert torch.allclose(got[b, 1, 2], expected, atol=1e-10)
    assert not got[2].any()


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_heads_split_and_merge(heads: int) -> None:
    x = torch.randn(2, 3, 8)
    assert torch.equal(merge_heads(split_heads(x, heads)), x)
    assert torch.equal(split_heads(x, heads)[1, -1, 2], x[1, 2, -8 // heads :])
