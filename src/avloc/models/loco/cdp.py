"""CDP, cross-modal dynamic perception: base windows > window adaptation > sampling > sliding attention.

Paper, Section 3.4, Eq. 6 to 8. One layer is one direction: the query comes from one modality; key, value and the
residual stream come from the other.
Legend: B batch, T time, C channels, H heads, D channels per head, N windows, W window size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import AttentionConfig
from avloc.models.attention import FeedForward, full_attention, merge_heads, sliding_attention, split_heads
from avloc.models.blocks import branch_path, masked
from avloc.models.sampling import sample_linear


class WindowAdaptation(nn.Module):
    """Eq. 7: pooled base windows -> size and offset of the target window, per window and head.

    Both start at zero, so that an untrained layer is exactly the fixed-window layer. With `adapt_from` "both"
    the pooled stream is key and query side by side; "key" is the other reading of the text.
    """

    def __init__(self, width: int, heads: int, config: AttentionConfig) -> None:
        super().__init__()
        self.both = config.adapt_from == "both"
        self.heads = heads
        self.conv = nn.Linear(2 * width if self.both else width, 2 * heads)  # a 1 x 1 convolution
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)

    def forward(
        self,
        key: Float[Tensor, "B T C"],
        query: Float[Tensor, "B T C"],
        mask: Bool[Tensor, "B T"],
        window: int,
    ) -> tuple[Float[Tensor, "B H N"], Float[Tensor, "B H N"]]:
        """size and offset; size scales the half-width by (1 + size), offset is in windows."""
        x = torch.cat([key, query], dim=-1) if self.both else key
        B, T, C = x.shape
        N = T // window
        keep = mask[..., None].to(x.dtype)
        total = (x * keep).reshape(B, N, window, C).sum(dim=2)  # (B, N, C)
        count = keep.reshape(B, N, window, 1).sum(dim=2).clamp(min=1)  # (B, N, 1)
        y = self.conv(F.leaky_relu(total / count))  # (B, N, 2H)
        # Places in single precision: half precision has only whole steps left from step 128 on.
        size, offset = y.float().reshape(B, N, 2, self.heads).permute(2, 0, 3, 1)  # each (B, H, N)
        return size, offset


def target_points(
    size: Float[Tensor, "B H N"], offset: Float[Tensor, "B H N"], window: int
) -> Float[Tensor, "B H T"]:
    """`window` uniform sampling points, in steps, in each target window; zeros give the base window's own steps."""
    B, H, N = size.shape
    middle = torch.arange(N, dtype=size.dtype, device=size.device) * window + (window - 1) / 2  # (N,)
    spread = torch.arange(window, dtype=size.dtype, device=size.device) - (window - 1) / 2  # (W,)
    centre = (middle + offset * window)[..., None]  # (B, H, N, 1)
    return (centre + spread * (1 + size[..., None])).reshape(B, H, N * window)


def whole_points(
    size: Float[Tensor, "B H 1"], offset: Float[Tensor, "B H 1"], lengths: Float[Tensor, "B"], steps: int
) -> Float[Tensor, "B H T"]:
    """As `target_points` for one window over each video's own length, whose points come first."""
    length = lengths[:, None, None]  # (B, 1, 1)
    middle = (length - 1) / 2
    spread = torch.arange(steps, dtype=size.dtype, device=size.device) - middle  # (B, 1, T)
    return middle + offset * length + spread * (1 + size)


class CdpLayer(nn.Module):
    """One direction on one level: stream (key, value, residual) perceives the query modality.

    `config.kind` "global" is full cross-attention, "fixed" leaves window adaptation out (paper, Table 2c); "none"
    leaves the attention out, so that the modalities do not meet before fusion (the base model of Tables 2a and 3).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        ffn_ratio: float,
        dropout: float,
        drop_path: float,
        config: AttentionConfig,
        scaled: bool = False,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.config = config
        if config.kind != "none":
            self.norm_query = nn.LayerNorm(width)
            self.norm_stream = nn.LayerNorm(width)
            self.to_query = nn.Linear(width, width)
            self.to_key_value = nn.Linear(width, 2 * width)
            self.adaptation = WindowAdaptation(width, heads, config) if config.kind == "cdp" else None
            self.out = nn.Linear(width, width)
            self.attention_path = branch_path(width, drop_path, scaled)
        self.norm_ffn = nn.LayerNorm(width)
        self.ffn = FeedForward(width, int(width * ffn_ratio), dropout)
        self.ffn_path = branch_path(width, drop_path, scaled)

    def forward(
        self, stream: Float[Tensor, "B T C"], query: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B T C"]:
        x = stream
        if self.config.kind != "none":
            attended = self.attend(self.norm_stream(stream), self.norm_query(query), mask)
            residual = stream if self.config.residual == "key" else query
            x = residual + self.attention_path(self.out(attended))
        x = x + self.ffn_path(self.ffn(self.norm_ffn(x)))
        return masked(x, mask)

    def attend(
        self, stream: Float[Tensor, "B T C"], query: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B T C"]:
        """Eq. 6 to 8 up to the output projection."""
        T = stream.shape[1]
        if not self.config.window or self.config.kind == "global":
            return merge_heads(self._attend_everywhere(stream, query, mask))
        window = self.config.window
        padding = -T % window
        stream, query = (F.pad(x, (0, 0, 0, padding)) for x in (stream, query))
        padded = F.pad(mask, (0, padding))
        q, k, v = self._project(stream, query)
        valid = padded[:, None, :]  # (B, 1, T)
        if self.adaptation is not None:
            size, offset = self.adaptation(stream, query, padded, window)
            points = target_points(size, offset, window)
            lengths = mask.sum(dim=1).to(points.dtype)
            sampled, inside = sample_linear(torch.cat([k, v], dim=-1), points, lengths)
            # A window of padding alone is no window of the video, wherever it would look.
            B, N = padded.shape[0], padded.shape[1] // window
            real = padded.reshape(B, N, window).any(dim=2, keepdim=True).expand(B, N, window)
            valid = inside & real.reshape(B, 1, N * window)
            k, v = sampled.chunk(2, dim=-1)
        return merge_heads(sliding_attention(q, k, v, valid, window))[:, :T]

    def _attend_everywhere(
        self, stream: Float[Tensor, "B T C"], query: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B H T D"]:
        """One window over each video, whatever it is padded to; every query sees all points of it."""
        q, k, v = self._project(stream, query)
        if self.adaptation is None:
            return full_attention(q, k, v, mask)
        T = stream.shape[1]
        size, offset = self.adaptation(stream, query, mask, T)
        lengths = mask.sum(dim=1).to(size.dtype)
        points = whole_points(size, offset, lengths, T)
        sampled, inside = sample_linear(torch.cat([k, v], dim=-1), points, lengths)
        k, v = sampled.chunk(2, dim=-1)
        # Which points lie inside differs by head: heads stand as videos of one head.
        B, H = inside.shape[:2]
        q, k, v = (x.reshape(B * H, 1, T, -1) for x in (q, k, v))
        seen = (inside & mask[:, None]).reshape(B * H, T)
        return full_attention(q, k, v, seen).reshape(B, H, T, -1)

    def _project(
        self, stream: Float[Tensor, "B T C"], query: Float[Tensor, "B T C"]
    ) -> tuple[Float[Tensor, "B H T D"], Float[Tensor, "B H T D"], Float[Tensor, "B H T D"]]:
        k, v = self.to_key_value(stream).chunk(2, dim=-1)
        q = self.to_query(query)
        return split_heads(q, self.heads), split_heads(k, self.heads), split_heads(v, self.heads)
