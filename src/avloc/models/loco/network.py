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
from avloc.models.blocks import apart, in_one_row
from avloc.models.heads import ClassificationHead, ConvHead, RegressionHead
from avloc.models.loco.encoder import UnimodalEncoder
from avloc.models.loco.lcc import Correspondence, CorrespondenceHead
from avloc.models.loco.pyramid import CrossModalPyramid
from avloc.models.network import Network
from avloc.models.outputs import DenseOutputs, pyramid_points


@dataclass(frozen=True)
class LocoOutputs(DenseOutputs):
    """All levels' points in one row, finest level first, what LCC learns from, and f_v and f_a (B, T, C)."""

    correspondence: Correspondence
    encoded: tuple[Float[Tensor, "B T C"], Float[Tensor, "B T C"]]


class Loco(Network):
    """Features of both modalities on one grid -> LocoOutputs. T must be a multiple of 2^(levels - 1)."""

    def __init__(self, config: LocoConfig) -> None:
        super().__init__()
        self.config: LocoConfig = config
        self.multiple = 2 ** (config.levels - 1)
        c = config
        self.visual = UnimodalEncoder(c.visual_width, c)
        self.audio = UnimodalEncoder(c.audio_width, c)
        self.correspondence = CorrespondenceHead(c.width, c.lcc)
        self.pyramid = CrossModalPyramid(c)
        fusion_ratio = c.ffn_ratio if c.fusion_ffn_ratio is None else c.fusion_ffn_ratio
        self.fusion = nn.ModuleList(
            TransformerBlock(
                2 * c.width,
                c.heads,
                fusion_ratio,
                c.dropout,
                c.drop_path,
                c.self_window,
                c.fusion_attention_width,
                c.residual_scales,
            )
            for _ in range(c.fusion_blocks * (c.levels if c.fusion_by_level else 1))
        )
        self.norm = nn.LayerNorm(2 * c.width)
        self.classify = ClassificationHead(ConvHead(2 * c.width, c.width, c.classes), c.class_prior)
        # Distances start near one stride: a ReLU that starts at zero on all moments would not learn.
        self.regress = RegressionHead(ConvHead(2 * c.width, c.width, 2 * c.classes), c.levels, start=1.0)

    def forward(
        self,
        visual: Float[Tensor, "B T Dv"],
        audio: Float[Tensor, "B T Da"],
        mask: Bool[Tensor, "B T"],
    ) -> LocoOutputs:
        f_v = self.visual(visual, mask)
        f_a = self.audio(audio, mask)
        correspondence = self.correspondence(f_v, f_a, mask)
        levels, masks = self.pyramid(f_v, f_a, mask)
        if self.config.fusion_by_level:
            levels = [self._fused(i, z, m) for i, (z, m) in enumerate(zip(levels, masks, strict=True))]
        z, z_mask, lengths = in_one_row(levels, masks)
        if not self.config.fusion_by_level:
            for block in self.fusion:
                z = block(z, z_mask, lengths)
        z = self.norm(z)
        logits = self.classify(z, z_mask)
        offsets = self.regress(z, z_mask, lengths)
        points = pyramid_points(mask.shape[1], self.config.levels, z.device)
        logits, offsets, z_mask = (apart(x, lengths, [n - 1 for n in lengths]) for x in (logits, offsets, z_mask))
        return LocoOutputs(logits, offsets, z_mask, points, correspondence, (f_v, f_a))

    def _fused(self, level: int, z: Float[Tensor, "B Tl C2"], mask: Bool[Tensor, "B Tl"]) -> Float[Tensor, "B Tl C2"]:
        count = self.config.fusion_blocks
        for block in self.fusion[level * count : (level + 1) * count]:
            z = block(z, mask)
        return z

    def after_step(self) -> None:
        """Temperature and sigma stay inside their ranges."""
        self.correspondence.keep_in_range()

    def watched(self) -> dict[str, float]:
        """Temperature of LCC's softmax and sigma in steps."""
        c = self.correspondence
        return {"temperature": float(c.temperature_now().detach()), "sigma_steps": float(c.sigma_now().detach())}

    def parts(self) -> dict[str, tuple[str, ...]]:
        """As the paper names them."""
        return {
            "visual encoder": ("visual",),
            "audio encoder": ("audio",),
            "pyramid": ("pyramid",),
            "fusion": ("fusion", "norm"),
            "classification head": ("classify",),
            "regression head": ("regress",),
        }

    def details(self, length: int) -> dict[str, tuple[tuple[str, ...], int]]:
        """What LCC adds in training (the similarities of Eq. 2 on one video included), and CDP to fixed windows."""
        similarity = 2 * length * length * (self.config.width // 2)  # both directions
        adaptations = tuple(name for name, _ in self.named_modules() if name.endswith("adaptation"))
        return {"LCC": (("correspondence",), similarity), "window adaptation": (adaptations, 0)}

    def training_only(self) -> tuple[str, ...]:
        """LCC's head."""
        return ("correspondence",)


def build(config: LocoConfig) -> Loco:
    """The network of these settings, with fresh weights."""
    return Loco(config)
