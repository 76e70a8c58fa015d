"""CDP's windows, points and samples against loops written out plainly (paper, Section 3.4)."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.config import AttentionConfig
from avloc.models.loco.cdp import CdpLayer, target_points, whole_points


@settings(max_examples=20, deadline=None)
@given(windows=st.integers(1, 4), window=st.sampled_from([1, 2, 4, 8]), seed=st.integers(0, 10_000))
def test_target_points_are_uniform_in_the_target_window(windows: int, window: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    size, offset = torch.randn(2, 1, 2, windows, generator=generator, dtype=torch.float64)
    points = target_points(size, offset, window)
    for h in range(2):
        for n in range(windows):
            half = window / 2 * (1 + float(size[0, h, n]))
            centre = n * window + (window - 1) / 2 + float(offset[0, h, n]) * window
            for r in range(window):
                # The middles of `window` equal parts of [centre - half, centre + half].
                expected = centre - half + (r + 0.5) * 2 * half / window
                assert math.isclose(float(points[0, h, n * window + r]), expected, abs_tol=1e-9)


def layer(kind: str, window: int) -> CdpLayer:
    torch.manual_seed(3)
    config = AttentionConfig(kind=kind, window=window)  # type: ignore[arg-type]
    return CdpLayer(16, 4, 2.0, 0.0, 0.0, config).double().eval()


@settings(max_examples=20, deadline=None)
@given(T=st.integers(1, 40), length=st.integers(0, 40), window=st.sampled_from([2, 4, 8]), seed=st.integers(0, 1000))
def test_zeroed_adaptation_is_the_fixed_window(T: int, length: int, window: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    stream, query = torch.randn(2, 2, T, 16, generator=generator, dtype=torch.float64)
    mask = torch.arange(T)[None] < torch.tensor([[min(length, T)], [T]])
    cdp, fixed = layer("cdp", window), layer("fixed", window)
    fixed.load_state_dict(cdp.state_dict(), strict=False)
    got, expected = cdp(stream, query, mask), fixed(stream, query, mask)
    assert torch.isfinite(got).all()
    assert torch.allclose(got, expected, atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(T=st.integers(1, 30), length=st.integers(0, 30), seed=st.integers(0, 1000))
def test_a_window_over_the_whole_length_is_global_attention(T: int, length: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    stream, query = torch.randn(2, 2, T, 16, generator=generator, dtype=torch.float64)
    mask = torch.arange(T)[None] < torch.tensor([[min(length, T)], [T]])
    adapted, full, everywhere = layer("cdp", 0), layer("fixed", 0), layer("global", 8)
    full.load_state_dict(adapted.state_dict(), strict=False)
    everywhere.load_state_dict(full.state_dict())
    expected = everywhere(stream, query, mask)
    for one in (adapted, full):
        assert torch.allclose(one(stream, query, mask), expected, atol=1e-10)


def test_windows_move_by_head_with_the_content_of_both_streams() -> None:
    cdp = layer("cdp", 4)
    assert cdp.adaptation is not None
    torch.nn.init.normal_(cdp.adaptation.conv.weight, std=0.5)
    stream, query = torch.randn(2, 1, 12, 16, dtype=torch.float64)
    mask = torch.ones(1, 12, dtype=torch.bool)
    size, offset = cdp.adaptation(stream, query, mask, 4)
    assert size.shape == offset.shape == (1, 4, 3)
    changed, _ = cdp.adaptation(stream, query + torch.randn_like(query), mask, 4)
    assert not torch.allclose(size, changed)
    assert not torch.allclose(size[:, 0], size[:, 1])


@settings(max_examples=20, deadline=None)
@given(steps=st.integers(1, 12), padding=st.integers(0, 5), seed=st.integers(0, 10_000))
def test_the_whole_window_is_one_window_of_the_video(steps: int, padding: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    size, offset = torch.randn(2, 1, 3, 1, generator=generator, dtype=torch.float64)
    lengths = torch.tensor([steps], dtype=torch.float64)
    points = whole_points(size, offset, lengths, steps + padding)
    assert torch.allclose(points[..., :steps], target_points(size, offset, steps), atol=1e-9)
