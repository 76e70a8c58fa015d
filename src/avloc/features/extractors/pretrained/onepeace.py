"""ONE-PEACE (Wang et al. 2023): one transformer, a branch for each modality; its visual branch also with adapters.

    picture > hMLP stem > layers > class token        waveform > seven convolutions > layers > class token
    window of pictures > stem, time > layers that look along time and across each picture > class token a picture

Legend: B items, T pictures of a window, S samples, L tokens (class token first), D width, H heads, n patches a side.

Tensors are named as in the published weights, but that a branch's feed-forward network is `ffn` and its last norm
`norm`. Every layer is pre-norm with a scale on each branch, and has a norm before the attention's output (Wang et
al. 2022, Magneto).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from avloc.features.extractors.pretrained.base import PretrainedNetwork
from avloc.features.extractors.pretrained.onepeace_inputs import AudioAdapter, ImageAdapter
from avloc.features.extractors.pretrained.onepeace_layers import Encoder, Sizes


class ImageNetwork(PretrainedNetwork):
    """Pictures (B, 3, 16n, 16n) -> unit vectors (B, D)."""

    def __init__(self, sizes: Sizes, side: int, stem_width: int, projected: int, learnt_side: int = 0) -> None:
        super().__init__()
        self.side = side
        self.width, self.published = projected, sizes.published
        self.adapter = ImageAdapter(sizes, side, stem_width, learnt_side=learnt_side)
        self.encoder = Encoder(sizes)
        self.proj = nn.Linear(sizes.width, projected)

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> ImageNetwork:
        """The network whose weights these are."""
        side, learnt_side = sides_of(state)
        return cls(Sizes.of(state), side, _stem_width(state), len(state["proj.weight"]), learnt_side)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.encoder(self.adapter(pictures), self.adapter.biases())
        return F.normalize(self.proj(x[:, 0]).float(), dim=-1)


class AudioNetwork(PretrainedNetwork):
    """Waveforms (B, S), each normalised (`normal_waveform`) -> unit vectors (B, D)."""

    def __init__(self, sizes: Sizes, adapter: AudioAdapter, projected: int) -> None:
        super().__init__()
        self.width, self.published = projected, sizes.published
        self.adapter = adapter
        self.encoder = Encoder(sizes)
        self.proj = nn.Linear(sizes.width, projected)

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> AudioNetwork:
        """The network whose weights these are."""
        sizes = Sizes.of(state)
        return cls(sizes, AudioAdapter.of(state, sizes), len(state["proj.weight"]))

    def forward(self, waveforms: Tensor, padding: Tensor | None = None) -> Tensor:
        """padding (B, L) is true at tokens that only fill a shorter sound."""
        x = self.adapter(waveforms)
        biases = self.adapter.biases(x.shape[1])
        if padding is not None:
            x = x.masked_fill(padding[..., None], 0.0)
            biases = [bias.masked_fill(padding[:, None, None], -math.inf) for bias in biases]
        return F.normalize(self.proj(self.encoder(x, biases)[:, 0]).float(), dim=-1)


class VideoNetwork(PretrainedNetwork):
    """Windows (B, 3, T, 16n, 16n) -> a class token for each picture (B, T, D)."""

    def __init__(
        self, sizes: Sizes, side: int, stem_width: int, frames: int, adapter_width: int, learnt_side: int = 0
    ) -> None:
        super().__init__()
        self.side, self.frames = side, frames
        self.width, self.published = sizes.width, sizes.published
        self.adapter = ImageAdapter(sizes, side, stem_width, frames, learnt_side)
        self.encoder = Encoder(sizes, adapter_width)

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> VideoNetwork:
        """The network whose weights these are."""
        frames = state["adapter.temporal_embedding"].shape[1]
        adapter_width = len(state["encoder.layers.0.T_Adapter.D_fc1.weight"])
        side, learnt_side = sides_of(state)
        return cls(Sizes.of(state), side, _stem_width(state), frames, adapter_width, learnt_side)

    def forward(self, windows: Tensor) -> Tensor:
        B, _, T, _, _ = windows.shape
        x = self.adapter(windows.transpose(1, 2).flatten(0, 1), T)
        x = self.encoder(x, self.adapter.biases(), T)
        tokens: Tensor = x[:, 0].reshape(B, T, -1)
        return tokens


def normal_waveform(waveforms: Tensor) -> Tensor:
    """Each of (B, S) to mean 0 and deviation 1; silence stays silence."""
    return F.layer_norm(waveforms, waveforms.shape[-1:])


def sides_of(state: Mapping[str, Tensor]) -> tuple[int, int]:
    """Patches a side by the table of offsets, and those that positions were learnt for."""
    offsets = len(state["adapter.rel_pos_table_list.0.weight"]) - 3
    return (math.isqrt(offsets) + 1) // 2, math.isqrt(len(state["adapter.pos_embed"]) - 1)


def _stem_width(state: Mapping[str, Tensor]) -> int:
    return len(state["adapter.embed_images.0.weight"])
