"""Attention over masked sequences, written as dense tensor operations.

Legend: B batch, T time, C channels, H heads, D channels per head, N windows, W window size.
A softmax row without any valid key gives zero, never NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.models.blocks import branch_path, masked


def split_heads(x: Float[Tensor, "B T C"], heads: int) -> Float[Tensor, "B H T D"]:
    B, T, C = x.shape
    return x.reshape(B, T, heads, C // heads).transpose(1, 2)  # (B, H, T, D)


def merge_heads(x: Float[Tensor, "B H T D"]) -> Float[Tensor, "B T C"]:
    B, H, T, D = x.shape
    return x.transpose(1, 2).reshape(B, T, H * D)  # (B, T, C)


def full_attention(
    q: Float[Tensor, "B H T D"],
    k: Float[Tensor, "B H S D"],
    v: Float[Tensor, "B H S D"],
    mask: Bool[Tensor, "B S"],
) -> Float[Tensor, "B H T D"]:
    """Every query sees every valid key (Vaswani et al. 2017)."""
    # Where a video has no valid key at all, all keys are opened and the result is zeroed.
    any_key = mask.any(dim=1)[:, None]  # (B, 1)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=(mask | ~any_key)[:, None, None, :])
    return out * any_key[:, None, None, :].to(out.dtype)


def sliding_attention(
    q: Float[Tensor, "B H T D"],
    k: Float[Tensor, "B H T D"],
    v: Float[Tensor, "B H T D"],
    valid: Bool[Tensor, "B Hk T"],
    window: int,
) -> Float[Tensor, "B H T D"]:
    """Query i sees the valid keys j with |i - j| <= window / 2 (Beltagy, Peters and Cohan 2020).

    Queries are cut into blocks of `window`; each block needs only the 2 * window keys around it, so cost and
    memory are linear in T. T must be a multiple of the even `window`; `valid` is per head or has Hk = 1.
    """
    B, H, T, D = q.shape
    W = window
    N = T // W
    blocks = q.reshape(B, H, N, W, D)  # (B, H, N, W, D)
    keys = _around(k, W)  # (B, H, N, 2W, D)
    values = _around(v, W)  # (B, H, N, 2W, D)
    open_ = _around(valid.to(q.dtype)[..., None], W)[..., 0] > 0  # (B, Hk, N, 2W)
    row, column = torch.arange(W, device=q.device)[:, None], torch.arange(2 * W, device=q.device)[None, :]
    near = (column >= row) & (column <= row + W)  # (W, 2W); column j stands W / 2 before its block
    seen = open_[..., None, :] & near  # (B, Hk, N, W, 2W)
    scores = blocks @ keys.transpose(-1, -2) * D**-0.5  # (B, H, N, W, 2W)
    scores = scores.masked_fill(~seen, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1) * seen.to(scores.dtype)
    out: Tensor = weights @ values  # (B, H, N, W, D)
    return out.reshape(B, H, T, D)


def _around(x: Float[Tensor, "B H T D"], window: int) -> Float[Tensor, "B H N W2 D"]:
    """For each block of `window` steps, the block with half a window before and behind it."""
    half = window // 2
    B, H, T, D = x.shape
    padded = F.pad(x, (0, 0, half, half)).reshape(B, H, T // half + 2, half, D)  # halves
    N = T // window
    # Block n is made of the halves 2n .. 2n + 3.
    parts = [padded[:, :, i : i + 2 * N - 1 : 2] for i in range(4)]  # each (B, H, N, half, D)
    return torch.cat(parts, dim=3)  # (B, H, N, 2 * window, D)


def attention(
    q: Float[Tensor, "B H T D"],
    k: Float[Tensor, "B H T D"],
    v: Float[Tensor, "B H T D"],
    mask: Bool[Tensor, "B T"],
    window: int,
) -> Float[Tensor, "B H T D"]:
    """Of all valid keys, or of those in a sliding `window` (even; 0 is all), for sequences of any length."""
    if not window:
        return full_attention(q, k, v, mask)
    T = q.shape[2]
    padding = -T % window
    q, k, v = (F.pad(part, (0, 0, 0, padding)) for part in (q, k, v))
    return sliding_attention(q, k, v, F.pad(mask, (0, padding))[:, None], window)[:, :, :T]


class SelfAttention(nn.Module):
    """Multi-head self-attention over the valid steps: all of them, or those of a sliding window."""

    def __init__(self, width: int, heads: int, window: int = 0, inner_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        inner = inner_width or width
        self.qkv = nn.Linear(width, 3 * inner)
        self.out = nn.Linear(inner, width)

    def forward(
        self, x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"], lengths: Sequence[int] = ()
    ) -> Float[Tensor, "B T C"]:
        """`lengths`: x is several sequences in one row, of which each sees itself alone."""
        parts = [part.split(list(lengths) or x.shape[1], dim=1) for part in (self.qkv(x), mask)]
        attended = [self._attend(qkv, own) for qkv, own in zip(*parts, strict=True)]
        y: Tensor = self.out(torch.cat(attended, dim=1))
        return y

    def _attend(self, qkv: Float[Tensor, "B T C3"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T C"]:
        q, k, v = (split_heads(part, self.heads) for part in qkv.chunk(3, dim=-1))
        return merge_heads(attention(q, k, v, mask, self.window))


class FeedForward(nn.Sequential):
    """Two linear layers with GELU between them."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width),
            nn.Dropout(dropout),
        )

    @property
    def last(self) -> nn.Linear:
        """The second of the linear layers."""
        return self[3]  # type: ignore[return-value]

    def inner(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T F"]:
        """What the second linear layer is given."""
        return self[2](self[1](self[0](x)))  # type: ignore[no-any-return]


class TransformerBlock(nn.Module):
    """Pre-norm transformer block over the valid steps (Vaswani et al. 2017).

    `attention_width`: that of query, key and value of all heads together; None is the block's own. `scaled`: whether
    its branches start at almost nothing.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        ffn_ratio: float,
        dropout: float,
        drop_path: float,
        window: int = 0,
        attention_width: int | None = None,
        scaled: bool = False,
    ) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, window, attention_width)
        self.norm_ffn = nn.LayerNorm(width)
        self.ffn = FeedForward(width, int(width * ffn_ratio), dropout)
        self.attention_path = branch_path(width, drop_path, scaled)
        self.ffn_path = branch_path(width, drop_path, scaled)

    def forward(
        self, x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"], lengths: Sequence[int] = ()
    ) -> Float[Tensor, "B T C"]:
        x = x + self.attention_path(self.attention(self.norm_attention(x), mask, lengths))
        x = x + self.ffn_path(self.ffn(self.norm_ffn(x)))
        return masked(x, mask)
