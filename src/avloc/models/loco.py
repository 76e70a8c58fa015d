"""LoCo: unimodal encoders > LCC > CDP pyramid > fusion > heads.

Locality-aware Cross-modal Correspondence Learning for Dense Audio-Visual Events Localization
(arXiv 2409.07967), Section 3.2, Eq. 1.
Legend: B batch, T time, C channels, L levels, P moments of all levels, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import LocoConfig
from avloc.models.attention import TransformerBlock
from avloc.models.encoder import UnimodalEncoder
from avloc.models.heads import ClassificationHead, RegressionHead
from avloc.models.lcc import Correspondence, CorrespondenceHead
from avloc.models.pyramid import CrossModalPyramid, apart, in_one_row


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the network says of a batch: all levels' moments in one row, finest level first.

    logits (B, P, K); offsets (B, P, K, 2) to start and end in strides of the moment's level; mask (B, P) is
    true where a moment lies inside its video.
    """

    logits: Float[Tensor, "B P K"]
    offsets: Float[Tensor, "B P K 2"]
    mask: Bool[Tensor, "B P"]
    correspondence: Correspondence


class Loco(nn.Module):
    """Features of both modalities on one grid -> Outputs. T must be a multiple of 2^(levels - 1)."""

    def __init__(self, config: LocoConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        self.visual = UnimodalEncoder(c.visual_width, c)
        self.audio = UnimodalEncoder(c.audio_width, c)
        self.correspondence = CorrespondenceHead(c.width, c.lcc)
        self.pyramid = CrossModalPyramid(c)
        fusion_ratio = c.ffn_ratio if c.fusion_ffn_ratio is None else c.fusion_ffn_ratio
        self.fusion = nn.ModuleList(
            TransformerBlock(
                2 * c.width, c.heads, fusion_ratio, c.dropout, c.drop_path, c.self_window, c.fusion_attention_width
            )
            for _ in range(c.fusion_blocks)
        )
        self.norm = nn.LayerNorm(2 * c.width)
        self.classify = ClassificationHead(2 * c.width, c.width, c.classes, c.class_prior)
        self.regress = RegressionHead(2 * c.width, c.width, c.classes, c.levels)

    def forward(
        self,
        visual: Float[Tensor, "B T Dv"],
        audio: Float[Tensor, "B T Da"],
        mask: Bool[Tensor, "B T"],
    ) -> Outputs:
        f_v = self.visual(visual, mask)
        f_a = self.audio(audio, mask)
        correspondence = self.correspondence(f_v, f_a)
        levels, masks = self.pyramid(f_v, f_a, mask)
        z, z_mask, lengths = in_one_row(levels, masks)
        for block in self.fusion:
            z = block(z, z_mask, lengths)
        z = self.norm(z)
        logits = self.classify(z, z_mask)
        offsets = self.regress(z, z_mask, lengths)
        return Outputs(apart(logits, lengths), apart(offsets, lengths), apart(z_mask, lengths), correspondence)
