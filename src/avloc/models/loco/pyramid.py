"""Cross-modal feature pyramid: both streams downsampled by 2 from level to level, each perceiving the other.

Paper, Section 3.2 (dynamic cross-modal perception pyramid).
Legend: B batch, T time of the level, C channels, L levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import LocoConfig
from avloc.models.loco.cdp import CdpLayer


def downsample(x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B Th C"]:
    """Maximum over the valid ones of three steps around every second step."""
    low = torch.finfo(x.dtype).min
    y = x.masked_fill(~mask[..., None], low).transpose(1, 2)
    y = F.max_pool1d(y, kernel_size=3, stride=2, padding=1).transpose(1, 2)
    return y.masked_fill(~mask[:, ::2, None], 0.0)


def in_one_row(
    levels: list[Float[Tensor, "B Tl C"]], masks: list[Bool[Tensor, "B Tl"]]
) -> tuple[Float[Tensor, "B S C"], Bool[Tensor, "B S"], list[int]]:
    """All levels behind one another, with their lengths: what they share then runs once instead of level by level.

    Each is followed by a step of padding, which its length counts: a convolution over three steps does not reach from
    one level into the next.
    """
    row = torch.cat([F.pad(z, (0, 0, 0, 1)) for z in levels], dim=1)
    mask = torch.cat([F.pad(m, (0, 1)) for m in masks], dim=1)
    return row, mask, [z.shape[1] + 1 for z in levels]


def apart(x: Tensor, lengths: Sequence[int]) -> Tensor:
    """(B, S, ...) of `in_one_row` without its steps of padding: (B, P, ...), P moments."""
    return torch.cat([part[:, :-1] for part in torch.split(x, list(lengths), dim=1)], dim=1)


class CrossModalPyramid(nn.Module):
    """f_v, f_a (B, T, C) -> per level Z_l = concat(V_l, A_l) (B, T / 2^l, 2C) and its mask."""

    def __init__(self, config: LocoConfig) -> None:
        super().__init__()

        def layers() -> nn.ModuleList:
            return nn.ModuleList(
                CdpLayer(
                    config.width,
                    config.heads,
                    config.ffn_ratio,
                    config.dropout,
                    config.drop_path,
                    config.attention,
                )
                for _ in range(config.levels)
            )

        self.visual = layers()
        self.audio = layers()

    def forward(
        self, visual: Float[Tensor, "B T C"], audio: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]
    ) -> tuple[list[Float[Tensor, "B Tl C2"]], list[Bool[Tensor, "B Tl"]]]:
        levels, masks = [], []
        for i, (see, hear) in enumerate(zip(self.visual, self.audio, strict=True)):
            if i > 0:
                visual, audio = downsample(visual, mask), downsample(audio, mask)
                mask = mask[:, ::2]
            visual, audio = see(visual, audio, mask), hear(audio, visual, mask)
            levels.append(torch.cat([visual, audio], dim=-1))
            masks.append(mask)
        return levels, masks
