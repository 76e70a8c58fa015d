"""The convolution in fewer multiplications is the convolution, its gradients are its gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from avloc.models import wide_conv
from avloc.models.blocks import MaskedConv
from avloc.models.wide_conv import WideConv, convolve, plain_convolutions


def plainly(x: Tensor, weight: Tensor) -> Tensor:
    """Step by step, tap by tap."""
    out = []
    for t in range(x.shape[1]):
        taps = [(k, t + k - 1) for k in range(3) if 0 <= t + k - 1 < x.shape[1]]
        out.append(sum(x[:, i] @ weight[:, :, k].T for k, i in taps))
    return torch.stack(out, dim=1)


@pytest.mark.parametrize("videos", [1, 6])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 8, 19])
def test_it_is_the_convolution(steps: int, videos: int) -> None:
    generator = torch.Generator().manual_seed(steps)
    x, weight, grad = (
        torch.randn(size, generator=generator, dtype=torch.float64)
        for size in ((videos, steps, 5), (7, 5, 3), (videos, steps, 7))
    )
    found = []
    for work in (convolve, plainly):
        a, w = x.clone().requires_grad_(), weight.clone().requires_grad_()
        y = work(a, w)
        y.backward(grad)
        found.append((y.detach(), a.grad, w.grad))
    for own, wanted in zip(*found, strict=True):
        torch.testing.assert_close(own, wanted)


def test_single_precision_loses_little() -> None:
    generator = torch.Generator().manual_seed(0)
    x, weight = torch.randn(1, 40, 256, generator=generator), torch.randn(8, 256, 3, generator=generator)
    wanted = plainly(x.double(), weight.double())
    assert (convolve(x, weight) - wanted).abs().max() < 1e-5 * wanted.abs().max()


@torch.no_grad()
@pytest.mark.parametrize("reads_padding", [True, False])
def test_a_wide_one_is_a_masked_one(reads_padding: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    wide = WideConv(6, 4, reads_padding=reads_padding)
    plain = MaskedConv(6, 4, bias=False, reads_padding=reads_padding)
    plain.load_state_dict(wide.state_dict())
    x, mask = torch.randn(2, 9, 6), torch.arange(9)[None] < torch.tensor([[9], [5]])
    real = (torch.arange(9) < 7)[None]
    wanted = plain(x, mask, real)
    ran = []
    monkeypatch.setattr(wide_conv, "convolve", lambda *given: ran.append(1) or convolve(*given))
    assert torch.equal(wide(x, mask, real), wanted) and not ran  # narrow: it would not pay
    monkeypatch.setattr(wide_conv, "_LEAST", 1)
    torch.testing.assert_close(wide(x, mask, real), wanted)
    assert ran == [1]
    with plain_convolutions():
        assert torch.equal(wide(x, mask, real), wanted)
    assert ran == [1]
