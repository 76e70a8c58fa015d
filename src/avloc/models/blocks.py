"""What networks of several methods are built from: masked convolutions, scaled residuals, position, levels in a row.

ActionFormer and the methods made from its code let a convolution read what stands in padded steps and zero its output
there; the others neither read nor write padding. `reads_padding` says which.
Legend: B batch, T time (Tl on level l), C channels, S steps of all levels in one row, P points of all levels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

_SCALE_START = 1e-4


def masked(x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T C"]:
    """Zero on padding."""
    return x * mask[..., None].to(x.dtype)


def norm(width: int, wanted: bool = True) -> nn.Module:
    """LayerNorm over the channels, or nothing."""
    return nn.LayerNorm(width) if wanted else nn.Identity()


class DropPath(nn.Module):
    """Stochastic depth: drops a sample's whole branch with probability `rate` (Huang et al. 2016)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T C"]:
        return x * self.kept(x)

    def kept(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B 1 1"]:
        """What each sample is multiplied by."""
        return F.dropout(x.new_ones(x.shape[0], 1, 1), self.rate, self.training)


class ScaledPath(DropPath):
    """Stochastic depth of a branch whose channels are scaled, from almost nothing on (Touvron et al. 2021)."""

    def __init__(self, width: int, rate: float) -> None:
        super().__init__(rate)
        self.scale = nn.Parameter(torch.full((width,), _SCALE_START))

    def forward(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T C"]:
        return super().forward(x * self.scale)

    def scaled(self, layer: nn.Linear, x: Float[Tensor, "B T Ci"]) -> Float[Tensor, "B T C"]:
        """What the layer says, scaled: its weights are, which are few, not all that it says."""
        bias = None if layer.bias is None else layer.bias * self.scale
        return F.linear(x, layer.weight * self.scale[:, None], bias)


def beside(
    skip: Float[Tensor, "B T C"],
    path: nn.Module,
    layer: nn.Linear,
    x: Float[Tensor, "B T Ci"],
    mask: Bool[Tensor, "B T"],
) -> Float[Tensor, "B T C"]:
    """A branch that ends in a linear layer, passed on by `path`, beside its skip; nothing is added on padding."""
    here = mask[..., None].to(skip.dtype)
    if not isinstance(path, ScaledPath):
        return torch.addcmul(skip, layer(x), here)
    return torch.addcmul(skip, path.scaled(layer, x), path.kept(skip) * here)


def branch_path(width: int, rate: float, scaled: bool) -> DropPath:
    """Stochastic depth, with channels scaled from almost nothing on or without."""
    return ScaledPath(width, rate) if scaled else DropPath(rate)


def residual_path(width: int, rate: float) -> nn.Module:
    """A ScaledPath; without drop path ActionFormer's code has no scale either."""
    return ScaledPath(width, rate) if rate else nn.Identity()


class MaskedConv(nn.Module):
    """1-D convolution over time that does not write padding, and reads it or not."""

    def __init__(
        self, width_in: int, width_out: int, kernel: int = 3, bias: bool = True, *, reads_padding: bool = False
    ) -> None:
        super().__init__()
        self.reads_padding = reads_padding
        self.conv = nn.Conv1d(width_in, width_out, kernel, padding=kernel // 2, bias=bias)
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)

    def forward(
        self, x: Float[Tensor, "B T Ci"], mask: Bool[Tensor, "B T"], real: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T Co"]:
        """`real` is false where there is no step at all, such as between the levels of a row: that is never read."""
        seen = real if self.reads_padding else mask
        y = self.conv((x if seen is None else masked(x, seen)).transpose(1, 2)).transpose(1, 2)
        return masked(y, mask)


class ConvStack(nn.Module):
    """Masked convolutions, each followed by LayerNorm and ReLU: the embedding of features, the trunk of a head."""

    def __init__(
        self,
        width_in: int,
        width: int,
        blocks: int = 2,
        kernel: int = 3,
        *,
        normed: bool = True,
        reads_padding: bool = False,
    ) -> None:
        super().__init__()
        widths = (width_in, *[width] * (blocks - 1))[:blocks]
        self.convs = nn.ModuleList(
            MaskedConv(w, width, kernel, bias=not normed, reads_padding=reads_padding) for w in widths
        )
        self.norms = nn.ModuleList(norm(width, normed) for _ in widths)

    def forward(
        self, x: Float[Tensor, "B T Ci"], mask: Bool[Tensor, "B T"], real: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T Co"]:
        """As MaskedConv; padding holds a constant where there are norms."""
        for conv, own_norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(own_norm(conv(x, mask, real)))
        return x


def sinusoid(length: int, width: int, known: int | None = None) -> Float[Tensor, "T C"]:
    """Sine and cosine position encoding (Vaswani et al. 2017, Section 3.5), scaled by 1 / sqrt(width).

    The scale is ActionFormer's: unscaled, the code would drown the embedding at the start of training. So is what a
    longer sequence than the `known` length gets: the code of that length, stretched by linear interpolation.
    """
    if known is not None and length > known:
        code = sinusoid(known, width).T[None]  # (1, C, known)
        return F.interpolate(code, length, mode="linear", align_corners=False)[0].T
    position: Tensor = torch.arange(length, dtype=torch.float32)[:, None]
    rate: Tensor = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))
    code = torch.zeros(length, width)
    code[:, 0::2] = torch.sin(position * rate)
    code[:, 1::2] = torch.cos(position * rate)
    return code * (1 / math.sqrt(width))


def downsample(x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"] | None = None) -> Float[Tensor, "B Th C"]:
    """Maximum of three steps around every second step: of the valid ones with a mask, else of all as they stand."""
    if mask is None:
        return F.max_pool1d(x.transpose(1, 2), kernel_size=3, stride=2, padding=1).transpose(1, 2)
    low = torch.finfo(x.dtype).min
    y = x.masked_fill(~mask[..., None], low).transpose(1, 2)
    y = F.max_pool1d(y, kernel_size=3, stride=2, padding=1).transpose(1, 2)
    return y.masked_fill(~mask[:, ::2, None], 0.0)


def in_one_row(
    levels: list[Float[Tensor, "B Tl C"]], masks: list[Bool[Tensor, "B Tl"]], gap: int = 1
) -> tuple[Float[Tensor, "B S C"], Bool[Tensor, "B S"], list[int]]:
    """All levels behind one another, with their lengths: what they share then runs once instead of level by level.

    Each is followed by `gap` empty steps, which its length counts: a convolution over 2 * gap + 1 steps does not
    reach from one level into the next.
    """
    row = torch.cat([F.pad(z, (0, 0, 0, gap)) for z in levels], dim=1)
    mask = torch.cat([F.pad(m, (0, gap)) for m in masks], dim=1)
    return row, mask, [z.shape[1] + gap for z in levels]


def real_steps(lengths: Sequence[int], gap: int, device: torch.device | None = None) -> Bool[Tensor, "1 S"]:
    """Which steps of a row are some level's, not between two of them."""
    real = [torch.arange(n, device=device) < n - gap for n in lengths]
    return torch.cat(real)[None]


def apart(x: Tensor, lengths: Sequence[int], counts: Sequence[int]) -> Tensor:
    """The first steps of each level of a row, `counts` of them, without those between: (B, S, ...) -> (B, P, ...)."""
    return torch.cat([part[:, :n] for part, n in zip(torch.split(x, list(lengths), dim=1), counts, strict=True)], 1)


def zero_biases(module: nn.Module) -> None:
    """Biases of all its layers start at zero."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
