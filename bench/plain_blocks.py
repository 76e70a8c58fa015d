"""Parts of UnAV the way its authors' code goes about them: the yardstick of `bench/methods.py --plain`.

Wide convolutions level by level, features brought into the order of channels first for every depthwise convolution,
everything masked and scaled as it is said, nothing made anew for the gradient.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor

from avloc.models.attention import attention, merge_heads, split_heads
from avloc.models.blocks import downsample, masked
from avloc.models.conv_attention import ConvAttention, ConvAttentionBlock, ConvProjection
from avloc.models.dependency import Dependency
from avloc.models.family import Row
from avloc.models.wide_conv import plain_convolutions


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Within, networks run that way."""
    with (
        plain_convolutions(),
        mock.patch.object(ConvProjection, "forward", _projection),
        mock.patch.object(ConvAttention, "forward", _attention),
        mock.patch.object(ConvAttentionBlock, "forward", _block),
        mock.patch.object(Dependency, "forward", _dependency),
    ):
        yield


def _projection(self: ConvProjection, x: Tensor, mask: Tensor) -> Tensor:
    return self.project(self.norm(masked(self.conv(x.transpose(1, 2)).transpose(1, 2), mask)))


def _attention(self: ConvAttention, query: Tensor, stream: Tensor, mask: Tensor) -> Tensor:
    q, k, v = self.query(query, mask), self.key(stream, mask), self.value(stream, mask)
    q, k, v = (split_heads(x, self.heads) for x in (q, k, v))
    return masked(self.out(merge_heads(attention(q, k, v, mask, self.window))), mask)


def _block(
    self: ConvAttentionBlock, stream: Tensor, mask: Tensor, query: Tensor | None = None, task: str = ""
) -> tuple[Tensor, Tensor]:
    half = mask[:, :: self.stride]
    asks = self.norm_query(stream if query is None else query)
    skip = downsample(stream) if self.stride > 1 else stream
    x = masked(skip, half) + self.path_attention(self.attention(asks, self.norm_stream(stream), half))
    norm, feed = self._expert(task)
    return x + self.path_ffn(masked(feed(norm(x)), half)), half


def _dependency(self: Dependency, row: Row) -> Row:
    related = []
    for x, mask in zip(row.levels(row.x), row.levels(row.mask), strict=True):
        expanded = torch.relu(self.expand(x, mask)).reshape(*x.shape[:2], self.classes, -1)
        related.append(self.squeeze(self.branches(expanded, mask).flatten(2), mask))
    return replace(row, x=torch.cat([F.pad(x, (0, 0, 0, row.gap)) for x in related], dim=1))
