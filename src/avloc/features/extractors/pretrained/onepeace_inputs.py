"""What ONE-PEACE makes of pictures and of sound before its layers: tokens with positions, and biases by position.

Legend: B items, S samples, C channels, L tokens (class token first), D width, H heads, n patches a side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avloc.features.extractors.pretrained.onepeace_layers import Sizes, count

_SPEC = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))  # kernel and stride of each convolution on sound
_FURTHEST = 1023  # distance of two sounds from which all are alike


class ImageAdapter(nn.Module):
    """Pictures (B, 3, 16n, 16n) -> tokens (B, 1 + n^2, D), positions added.

    learnt_side is how many patches a side positions were learnt for, n unless given.
    """

    def __init__(self, sizes: Sizes, side: int, stem_width: int, frames: int = 0, learnt_side: int = 0) -> None:
        super().__init__()
        self.side, self.learnt_side = side, learnt_side or side
        self.cls_embedding = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.pos_embed = nn.Parameter(torch.zeros(1 + self.learnt_side**2, sizes.width))
        self.temporal_embedding = nn.Parameter(torch.zeros(1, frames, sizes.width)) if frames else None
        self.embed_images = nn.Sequential(
            nn.Conv2d(3, stem_width, 4, 4),
            ChannelNorm(stem_width),
            nn.GELU(),
            nn.Conv2d(stem_width, stem_width, 2, 2),
            ChannelNorm(stem_width),
            nn.GELU(),
            nn.Conv2d(stem_width, sizes.width, 2, 2),
        )
        entries = (2 * side - 1) ** 2 + 3
        self.rel_pos_table_list = nn.ModuleList(nn.Embedding(entries, sizes.heads) for _ in range(sizes.tables))

    def forward(self, pictures: Tensor, frames: int = 1) -> Tensor:
        patches = self.embed_images(pictures).flatten(2).transpose(1, 2)  # (B, n^2, D)
        x = torch.cat([self.cls_embedding.expand(len(patches), -1, -1), patches], dim=1) + self.positions(self.side)
        if self.temporal_embedding is None:
            return x
        in_time: Tensor = x.reshape(-1, frames, *x.shape[1:]) + self.temporal_embedding[:, :, None]
        return in_time.flatten(0, 1)

    def positions(self, side: int) -> Tensor:
        """For so many patches a side, (1 + side^2, D): between those learnt where they are of another number."""
        if side == self.learnt_side:
            return self.pos_embed
        grid = self.pos_embed[1:].T.reshape(1, -1, self.learnt_side, self.learnt_side)
        fine = F.interpolate(grid.float(), (side, side), mode="bicubic").to(grid.dtype)
        return torch.cat([self.pos_embed[:1], fine.flatten(2)[0].T])

    def biases(self) -> list[Tensor]:
        """Of the attention, (1, H, L, L) for each table."""
        return _biases(self.rel_pos_table_list, patch_offsets(self.side))


class AudioAdapter(nn.Module):
    """Waveforms (B, S) -> tokens (B, 1 + frames, D), positions added."""

    def __init__(self, sizes: Sizes, channels: int, depth: int, kernel: int, groups: int, buckets: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.cls_embedding = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.cls_pos_embed = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.embed_audios = nn.Sequential(
            SoundConvolutions(channels), Turn(), nn.LayerNorm(channels), nn.Linear(channels, sizes.width)
        )
        self.embed_positions = nn.Sequential(
            Turn(), *(PositionConvolution(sizes.width, kernel, groups) for _ in range(depth)), Turn()
        )
        entries = 2 * buckets - 1 + 3
        self.rel_pos_table_list = nn.ModuleList(nn.Embedding(entries, sizes.heads) for _ in range(sizes.tables))

    @classmethod
    def of(cls, state: Mapping[str, Tensor], sizes: Sizes) -> AudioAdapter:
        """The part whose weights these are."""
        channels = len(state["adapter.embed_audios.0.conv_layers.0.0.weight"])
        depth = count(state, r"adapter\.embed_positions\.(\d+)\..*") - 1
        _, grouped, kernel = state["adapter.embed_positions.1.0.weight"].shape
        entries = len(state["adapter.rel_pos_table_list.0.weight"])
        return cls(sizes, channels, depth, kernel, sizes.width // grouped, (entries - 2) // 2)

    def forward(self, waveforms: Tensor) -> Tensor:
        frames = self.embed_audios(waveforms[:, None])  # (B, frames, D)
        x = torch.cat([self.cls_embedding.expand(len(frames), -1, -1), frames], dim=1)
        positions = self.embed_positions(frames)
        return x + torch.cat([self.cls_pos_embed.expand(len(frames), -1, -1), positions], dim=1)

    def biases(self, length: int) -> list[Tensor]:
        """Of the attention, (1, H, L, L) for each table."""
        return _biases(self.rel_pos_table_list, sound_buckets(length, self.buckets))


class SoundConvolutions(nn.Module):
    """Waveforms (B, 1, S) -> frames (B, C, frames), 50 a second."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList()
        for i, (kernel, stride) in enumerate(_SPEC):
            conv = nn.Conv1d(channels if i else 1, channels, kernel, stride, bias=False)
            norm = nn.Sequential(Turn(), nn.LayerNorm(channels), Turn())
            self.conv_layers.append(nn.Sequential(conv, nn.Identity(), norm, nn.GELU()))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.conv_layers:
            x = layer(x)
        return x


class PositionConvolution(nn.Sequential):
    """Convolution over neighbours, norm without weights, GELU; (B, D, frames) both sides."""

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__(nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=groups))
        self.even = kernel % 2 == 0

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1]
        x = self[0](x)[..., :length] if self.even else self[0](x)
        return F.gelu(F.layer_norm(x.transpose(1, 2), x.shape[1:2]).transpose(1, 2))


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.layer_norm(x.permute(0, 2, 3, 1))
        return normed.permute(0, 3, 1, 2)


class Turn(nn.Module):
    """(B, C, N) to (B, N, C) and back."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


@cache
def patch_offsets(side: int) -> Tensor:
    """Which entry of the table two tokens of a picture share, (L, L): their offset, three more for the class."""
    at = torch.cartesian_prod(torch.arange(side), torch.arange(side))  # (n^2, 2)
    apart = at[:, None] - at[None] + side - 1
    entries = (2 * side - 1) ** 2
    index = torch.empty(1 + side**2, 1 + side**2, dtype=torch.long)
    index[1:, 1:] = apart[..., 0] * (2 * side - 1) + apart[..., 1]
    index[0], index[:, 0], index[0, 0] = entries, entries + 1, entries + 2
    return index


@cache
def sound_buckets(length: int, buckets: int) -> Tensor:
    """Which entry of the table two tokens of a sound share, (L, L): by distance, from afar by its logarithm."""
    apart = torch.arange(length - 1)[:, None] - torch.arange(length - 1)[None]
    middle = buckets // 2
    far = apart.abs().clamp(min=middle).float()
    logs = torch.log(far / middle) / math.log(_FURTHEST / middle) * (middle - 1)
    place = torch.where(apart.abs() <= middle, apart, apart.sign() * (torch.ceil(logs).long() + middle))
    entries = 2 * buckets - 1
    index = torch.empty(length, length, dtype=torch.long)
    index[1:, 1:] = place.clamp(1 - buckets, buckets - 1) + buckets - 1
    index[0], index[:, 0], index[0, 0] = entries, entries + 1, entries + 2
    return index


def _biases(tables: nn.ModuleList, index: Tensor) -> list[Tensor]:
    weights = (table.weight for table in tables if isinstance(table, nn.Embedding))
    return [weight[index.to(weight.device)].permute(2, 0, 1)[None] for weight in weights]
