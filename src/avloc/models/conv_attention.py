"""Attention whose query, key and value pass a depthwise convolution, at full or at half the rate, and its block.

Zhang, Wu and Li 2022 (ActionFormer); with a query stream of its own as in Geng et al. 2023 (UnAV).
Legend: B batch, T time, Th time after the stride, C channels, D channels of a head.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.models.attention import FeedForward, attention, merge_heads, split_heads
from avloc.models.blocks import beside, downsample, masked, residual_path

_KERNEL = 3


class ConvProjection(nn.Module):
    """Depthwise convolution > LayerNorm > linear layer: query, key or value."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, _KERNEL, stride, padding=_KERNEL // 2, groups=width, bias=False)
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B Th"] | None) -> Float[Tensor, "B Th C"]:
        """Without `mask` padded steps hold something, for those who do not look at it."""
        y = self._convolved(x)
        return self.project(self.norm(y if mask is None else masked(y, mask)))  # type: ignore[no-any-return]

    def _convolved(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B Th C"]:
        """As a picture one step high, whose channels may come last: nothing is copied to another order."""
        conv = self.conv
        picture = x.transpose(1, 2)[:, :, None]  # (B, C, 1, T)
        stride, padding = (1, *conv.stride), (0, _KERNEL // 2)
        y = F.conv2d(picture, conv.weight[:, :, None], None, stride, padding, groups=conv.groups)
        return y[:, :, 0].transpose(1, 2)


class ConvAttention(nn.Module):
    """Multi-head attention of a query stream to another; stride 2 halves the rate of all three."""

    def __init__(self, width: int, heads: int, stride: int = 1, window: int = 0) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.query = ConvProjection(width, stride)
        self.key = ConvProjection(width, stride)
        self.value = ConvProjection(width, stride)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        query: Float[Tensor, "B T C"],
        stream: Float[Tensor, "B T C"],
        mask: Bool[Tensor, "B Th"],
        sees_padding: bool = False,
    ) -> Float[Tensor, "B Th C"]:
        """`mask` is that of the result. `sees_padding`: padded keys count, with values of zero."""
        return masked(self.out(self.attended(query, stream, mask, sees_padding)), mask)

    def attended(
        self,
        query: Float[Tensor, "B T C"],
        stream: Float[Tensor, "B T C"],
        mask: Bool[Tensor, "B Th"],
        sees_padding: bool = False,
    ) -> Float[Tensor, "B Th C"]:
        """What the last layer is given; in padded steps anything."""
        seen, own = (torch.ones_like(mask), mask) if sees_padding else (mask, None)
        q, k, v = self.query(query, own), self.key(stream, own), self.value(stream, own)
        if sees_padding:
            v = masked(v, mask)
        q, k, v = (split_heads(x, self.heads) for x in (q, k, v))
        return merge_heads(attention(q, k, v, seen, self.window))


class ConvAttentionBlock(nn.Module):
    """Pre-norm block: conv attention beside a skip (maximum pooling at stride 2), then the feed-forward part.

    `window`: each step sees that many around it, half to either side; 0 sees all. `crossed`: the block has a norm of
    its own for the query stream, which may be another one; keys, values and the residual are the stream's.
    `ffn_width`: inside the feed-forward part; None is four times the block's.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        stride: int = 1,
        window: int = 0,
        drop_path: float = 0.0,
        crossed: bool = False,
        reads_padding: bool = False,
        ffn_width: int | None = None,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.reads_padding = reads_padding
        self.norm_stream = nn.LayerNorm(width)
        self.norm_query = nn.LayerNorm(width) if crossed else None
        self.attention = ConvAttention(width, heads, stride, window)
        self.path_attention = residual_path(width, drop_path)
        self.norm_ffn = nn.LayerNorm(width)
        self.ffn = FeedForward(width, ffn_width or 4 * width, dropout=0.0)
        self.path_ffn = residual_path(width, drop_path)

    def forward(
        self,
        stream: Float[Tensor, "B T C"],
        mask: Bool[Tensor, "B T"],
        query: Float[Tensor, "B T C"] | None = None,
        task: str = "",
    ) -> tuple[Float[Tensor, "B Th C"], Bool[Tensor, "B Th"]]:
        """Stream and mask at the block's rate; without `query` the stream asks itself. T is even at stride 2.

        `task` chooses the feed-forward part in blocks that have several.
        """
        half = mask[:, :: self.stride]
        keys = self._read(self.norm_stream(stream), mask)
        asks = keys
        if self.norm_query is not None:
            asks = self._read(self.norm_query(stream if query is None else query), mask)
        skip = stream
        if self.stride > 1:
            skip = downsample(stream, None if self.reads_padding else mask)
        attended = self.attention.attended(asks, keys, half)
        x = beside(masked(skip, half), self.path_attention, self.attention.out, attended, half)
        norm, feed = self._expert(task)
        return beside(x, self.path_ffn, feed.last, feed.inner(norm(x)), half), half

    def _expert(self, task: str) -> tuple[nn.Module, FeedForward]:
        """Norm and feed-forward part."""
        return self.norm_ffn, self.ffn

    def _read(self, x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T C"]:
        """What the convolutions see: a norm leaves its bias in padded steps."""
        return x if self.reads_padding else masked(x, mask)


OFFICIAL_BLOCK = (
    (r"\.ln11?\.", ".norm_stream."),
    (r"\.ln12\.", ".norm_query."),
    (r"\.ln2\.", ".norm_ffn."),
    (r"\.attn\.(query|key|value)_(conv\.conv|norm)\.", r".attention.\1.\2."),
    (r"\.conv\.conv\.weight$", ".conv.weight"),
    (r"\.attn\.(query|key|value)\.", r".attention.\1.project."),
    (r"\.attn\.proj\.", ".attention.out."),
    (r"\.mlp\.", ".ffn."),
    (r"\.drop_path_attn\.", ".path_attention."),
    (r"\.drop_path_mlp\.", ".path_ffn."),
)
"""Names inside a block, from the authors' to ours."""
