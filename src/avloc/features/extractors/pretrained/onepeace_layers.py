"""The transformer of ONE-PEACE, with and without the adapters of its video networks.

Legend: B items, T pictures of a window, L tokens, D width, H heads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_PUBLISHED = (1536, 24, 6144, 40)  # width, heads, feed-forward width, layers


@dataclass(frozen=True)
class Sizes:
    """Of the transformer, as a state of weights tells them."""

    width: int
    heads: int
    ffn_width: int
    layers: int
    tables: int

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> Sizes:
        """Raises KeyError where a tensor that tells of them is missing."""
        ffn_width, width = state["encoder.layers.0.ffn.0.wi_0.weight"].shape
        heads = state["adapter.rel_pos_table_list.0.weight"].shape[1]
        layers = count(state, r"encoder\.layers\.(\d+)\..*")
        tables = count(state, r"adapter\.rel_pos_table_list\.(\d+)\.weight")
        if width % heads:
            raise ValueError(f"{heads} heads of width {width}")
        return cls(width, heads, ffn_width, layers, tables)

    @property
    def published(self) -> bool:
        """Whether these are those of the released weights."""
        return (self.width, self.heads, self.ffn_width, self.layers) == _PUBLISHED


def count(names: Iterable[str], pattern: str) -> int:
    """How many there are of what the names number by the pattern's group.

    Raises:
        ValueError: there is none, or the highest number is beyond how many names there are.
    """
    numbers = [int(found[1]) for name in names if (found := re.fullmatch(pattern, name))]
    if not numbers or max(numbers) > len(numbers):  # a network of as many parts would be built
        raise ValueError(f"{len(numbers)} names are like {pattern}, numbered up to {max(numbers, default=0)}")
    return 1 + max(numbers)


class Encoder(nn.Module):
    """Tokens (B, L, D), with adapters those of T pictures of each window in turn."""

    def __init__(self, sizes: Sizes, adapter_width: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            AdaptedLayer(sizes, adapter_width) if adapter_width else Layer(sizes) for _ in range(sizes.layers)
        )
        self.norm = nn.LayerNorm(sizes.width)

    def forward(self, x: Tensor, biases: list[Tensor], frames: int = 1) -> Tensor:
        for i, layer in enumerate(self.layers):
            x = layer(x, biases[i if len(biases) > 1 else 0], frames)
        normed: Tensor = self.norm(x)
        return normed


class Layer(nn.Module):
    """Attention with a bias by position, then a gated feed-forward network."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.self_attn = Attention(sizes.width, sizes.heads)
        self.self_attn_layer_norm = nn.LayerNorm(sizes.width)
        self.gamma_1 = nn.Parameter(torch.zeros(sizes.width))
        self.ffn = nn.Sequential(
            Gated(sizes.width, sizes.ffn_width),
            nn.Identity(),
            nn.LayerNorm(sizes.ffn_width),
            nn.Linear(sizes.ffn_width, sizes.width),
        )
        self.final_layer_norm = nn.LayerNorm(sizes.width)
        self.gamma_2 = nn.Parameter(torch.zeros(sizes.width))

    def forward(self, x: Tensor, bias: Tensor, frames: int) -> Tensor:
        x = x + self.gamma_1 * self.self_attn(self.self_attn_layer_norm(x), bias)
        out: Tensor = x + self.gamma_2 * self.ffn(self.final_layer_norm(x))
        return out


class AdaptedLayer(Layer):
    """The same attention along time first, without a bias; what it finds is only looked at, not added."""

    adapter_scale = 0.5

    def __init__(self, sizes: Sizes, adapter_width: int) -> None:
        super().__init__(sizes)
        self.T_Adapter = Adapter(sizes.width, adapter_width)
        self.S_Adapter = Adapter(sizes.width, adapter_width)
        self.MLP_Adapter = Adapter(sizes.width, adapter_width)

    def forward(self, x: Tensor, bias: Tensor, frames: int) -> Tensor:
        _, L, D = x.shape
        along = x.reshape(-1, frames, L, D).transpose(1, 2).flatten(0, 1)  # (B L, T, D)
        along = self.T_Adapter(self.self_attn(self.self_attn_layer_norm(along), None))
        moved = x + along.reshape(-1, L, frames, D).transpose(1, 2).flatten(0, 1)
        across = self.self_attn(self.self_attn_layer_norm(moved), bias)
        x = x + self.gamma_1 * (across + self.S_Adapter(across))
        y = self.final_layer_norm(x)
        out: Tensor = x + self.gamma_2 * self.ffn(y) + self.adapter_scale * self.MLP_Adapter(y)
        return out


class Attention(nn.Module):
    """Multi-head attention with a norm before its output; keys have no bias of their own."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(3))
        self.k_proj = nn.Linear(width, width, bias=False)
        self.ln = nn.LayerNorm(width)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        q, k, v = (
            p(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj)
        )
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)  # (B, H, L, D / H)
        out: Tensor = self.out_proj(self.ln(y.transpose(1, 2).flatten(2)))
        return out


class Gated(nn.Module):
    """GELU of one projection times another."""

    def __init__(self, width: int, wider: int) -> None:
        super().__init__()
        self.wi_0, self.wi_1 = (nn.Linear(width, wider, bias=False) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = F.gelu(self.wi_0(x)) * self.wi_1(x)
        return out


class Adapter(nn.Module):
    """Through a narrow layer; whoever wants a path beside it adds one."""

    def __init__(self, width: int, narrow: int) -> None:
        super().__init__()
        self.D_fc1, self.D_fc2 = nn.Linear(width, narrow), nn.Linear(narrow, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.D_fc2(F.gelu(self.D_fc1(x)))
        return out
