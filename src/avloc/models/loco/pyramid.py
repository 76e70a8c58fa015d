"""Cross-modal feature pyramid: both streams downsampled by 2 from level to level, each perceiving the other.

Paper, Section 3.2 (dynamic cross-modal perception pyramid).
Legend: B batch, T time of the level, C channels, L levels.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import LocoConfig
from avloc.models.blocks import downsample
from avloc.models.loco.cdp import CdpLayer


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
                    config.residual_scales,
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
