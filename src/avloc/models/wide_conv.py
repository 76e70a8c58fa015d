"""A convolution of three steps between very many channels, in half the multiplications (Winograd 1980).

Four outputs in a row, of three taps each, are products of polynomials: six products of transformed inputs and
transformed taps instead of twelve. The result is that of the convolution but for rounding (some 1e-6 of its size);
the gradients are made the same way. All of it is matrix products.
Legend: B batch, S steps, N tiles of four steps, Ci and Co channels.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from avloc.models.blocks import MaskedConv, masked

_TAPS, _OUT = 3, 4
_IN = _OUT + _TAPS - 1
_LEAST = 1 << 20
"""Weights below which it is not worth while."""
_VIDEOS = 4
"""How many are transformed at a time: what lies between the products is larger than input and result."""

# The points 0, 1, -1, 2, -2 and infinity.
_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_WEIGHT = ((6, 0, 0), (-4, -4, -4), (-4, 4, -4), (1, 2, 4), (1, -2, 4), (0, 0, 24))  # of 24
_OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))

_plain: ContextVar[bool] = ContextVar("_plain", default=False)


@contextlib.contextmanager
def plain_convolutions() -> Iterator[None]:
    """Within, all convolutions are run as such: where operations are counted, or written down for another program."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


class WideConv(MaskedConv):
    """A MaskedConv of three steps without bias."""

    def __init__(self, width_in: int, width_out: int, *, reads_padding: bool = False) -> None:
        super().__init__(width_in, width_out, _TAPS, bias=False, reads_padding=reads_padding)

    def forward(
        self, x: Float[Tensor, "B T Ci"], mask: Bool[Tensor, "B T"], real: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T Co"]:
        """As MaskedConv."""
        if not self._pays(x):
            return super().forward(x, mask, real)
        seen = real if self.reads_padding else mask
        x = x if seen is None else masked(x, seen)
        return masked(convolve(x, self.conv.weight), mask)

    def _pays(self, x: Tensor) -> bool:
        if _plain.get() or x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return False
        return self.conv.weight.numel() >= _LEAST


def convolve(x: Float[Tensor, "B S Ci"], weight: Float[Tensor, "Co Ci 3"]) -> Float[Tensor, "B S Co"]:
    """Convolution with zeros around."""
    return _Convolution.apply(x, weight)  # type: ignore[no-untyped-call, no-any-return]


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        by, S = _weight_tiles(weight).transpose(1, 2), x.shape[1]
        y = x.new_empty(x.shape[0], _tiles(S) * _OUT, weight.shape[0])
        for part, into in zip(torch.split(x, _VIDEOS), torch.split(y, _VIDEOS), strict=True):
            products = _times(_input_tiles(part), by)
            _across(_OUTPUT, products, into.view(-1, _OUT, into.shape[2]))
        return y[:, :S]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        by, S = _weight_tiles(weight), x.shape[1]
        grad = F.pad(grad, (0, 0, 0, _tiles(S) * _OUT - S)).contiguous()
        grad_x, grad_weight = torch.empty_like(x), torch.zeros_like(by)
        for part, given, into in zip(*(torch.split(t, _VIDEOS) for t in (x, grad, grad_x)), strict=True):
            given = _across(_transposed(_OUTPUT), given.view(-1, _OUT, given.shape[2]))
            tiles = _input_tiles(part)
            for k in range(_IN):
                grad_weight[k].addmm_(given[:, k].T, tiles[:, k])
            _add_up(_across(_transposed(_INPUT), _times(given, by)), into)
        return grad_x, (grad_weight.view(_IN, -1).T @ (grad.new_tensor(_WEIGHT) / 24)).view(weight.shape)


def _tiles(steps: int) -> int:
    return -(-steps // _OUT)


def _transposed(matrix: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(zip(*matrix, strict=True))


def _across(
    matrix: tuple[tuple[int, ...], ...], x: Float[Tensor, "N I C"], into: Float[Tensor, "N O C"] | None = None
) -> Float[Tensor, "N O C"]:
    """Rows of each tile > others, by the matrix."""
    by = x.new_tensor(matrix).expand(len(x), -1, -1)
    into = x.new_empty(len(x), len(matrix), x.shape[2]) if into is None else into
    return torch.bmm(by, x, out=into)


def _times(tiles: Float[Tensor, "N 6 I"], weight: Float[Tensor, "6 I O"]) -> Float[Tensor, "N 6 O"]:
    products = tiles.new_empty(len(tiles), _IN, weight.shape[2])
    for k in range(_IN):
        torch.mm(tiles[:, k], weight[k], out=products[:, k])
    return products


def _weight_tiles(weight: Float[Tensor, "Co Ci 3"]) -> Float[Tensor, "6 Co Ci"]:
    by = weight.new_tensor(_WEIGHT) / 24
    return (by @ weight.reshape(-1, _TAPS).T).view(_IN, *weight.shape[:2])


def _input_tiles(x: Float[Tensor, "B S C"]) -> Float[Tensor, "N 6 C"]:
    """Each overlaps the next by two steps."""
    B, S, C = x.shape
    n = _tiles(S)
    x = F.pad(x, (0, 0, 1, n * _OUT - S + 1))
    tiles = x.new_empty(B * n, _IN, C)
    for video, into in zip(x, torch.split(tiles, n), strict=True):
        _across(_INPUT, video.as_strided((n, _IN, C), (_OUT * C, C, 1)), into)
    return tiles


def _add_up(tiles: Float[Tensor, "N 6 C"], into: Float[Tensor, "B S C"]) -> None:
    """What tiles say of the steps that they were made from, added up."""
    B, S, C = into.shape
    n = _tiles(S)
    tiles = tiles.view(B, n, _IN, C)
    tiles[:, 1:, : _IN - _OUT] += tiles[:, :-1, _OUT:]
    whole = torch.cat([tiles[:, :, :_OUT].reshape(B, n * _OUT, C), tiles[:, -1, _OUT:]], dim=1)
    into.copy_(whole[:, 1 : S + 1])
