"""LoCo's losses (paper, Section 3.5): detection, and correspondence between the modalities."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from avloc.config import LccConfig, LocoConfig, LocoLossConfig, NetworkConfig
from avloc.errors import ConfigError
from avloc.learning.correspondence import correspondence_parts
from avloc.learning.dense import DenseCriterion
from avloc.learning.losses import Losses, Truth
from avloc.models.loco.lcc import Correspondence
from avloc.models.loco.network import LocoOutputs


class LocoCriterion(DenseCriterion):
    """Eq. 9. Beside the losses it tells what LCC has learned so far, and how alike a video's segments are."""

    def __init__(self, config: LocoLossConfig, lcc: LccConfig) -> None:
        super().__init__(config)
        self.weight = config.lcc_weight
        self.after_warmup = config.lcc_after_warmup
        self.lcc = lcc
        self.watched = ("visual_inside", "audio_inside", *(LCC_WATCHED if self.weight else ()))

    def forward(self, outputs: LocoOutputs, truth: Truth) -> Losses:  # type: ignore[override]
        """Losses of a batch."""
        detection = super().forward(outputs, truth)
        parts = self._correspondence(outputs, truth)
        weight = 0.0 if self.after_warmup and self.warming else self.weight
        total = detection.total + weight * parts[0]
        named = dict(zip(("correspondence", *LCC_WATCHED), parts, strict=False))
        mask = outputs.correspondence.mask
        inside = {
            f"{name}_inside": share_inside(encoded, mask)
            for name, encoded in zip(("visual", "audio"), outputs.encoded, strict=True)
        }
        return Losses(total, {**detection.parts, **named, **inside})

    def _correspondence(self, outputs: LocoOutputs, truth: Truth) -> tuple[Float[Tensor, ""], ...]:
        """LCC over the whole batch: negatives come from the videos of all processes. Without weight a zero alone."""
        c = outputs.correspondence
        if not self.weight:
            # Zero, yet of these parameters: several processes wait for a gradient of each.
            return (0.0 * (c.visual.sum() + c.audio.sum() + c.temperature + c.sigma_steps),)
        gather = self.ranks.gather
        everyone = Correspondence(gather(c.visual), gather(c.audio), gather(c.mask), c.temperature, c.sigma_steps)
        on = None
        if self.lcc.negatives == "unlike":
            on = gather(classes_on(truth, c.mask.shape[1], outputs.logits.shape[-1]))
        p = correspondence_parts(everyone, self.lcc, on)
        return p.loss, p.video, p.moment, p.guess_video, p.guess_moment


LCC_WATCHED = ("lcc_video", "lcc_moment", "lcc_video_guess", "lcc_moment_guess")


@torch.no_grad()
def share_inside(x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, ""]:
    """Share of the variance over all segments that lies inside videos, around each video's mean."""
    x = x.float() * mask[..., None]
    count = mask.sum(dim=1).clamp(min=1)[:, None]  # (B, 1)
    mean = x.sum(dim=1) / count  # (B, C)
    inside = ((x - mean[:, None]) ** 2 * mask[..., None]).sum()
    between = (count * (mean - (count * mean).sum(dim=0) / count.sum()) ** 2).sum()
    return inside / (inside + between).clamp(min=1e-12)


def classes_on(truth: Truth, length: int, classes: int) -> Bool[Tensor, "B T K"]:
    """Which classes have an event at each step."""
    step = torch.arange(length, device=truth.segments.device, dtype=truth.segments.dtype)[None, :, None]
    start, end = truth.segments[:, None, :, 0], truth.segments[:, None, :, 1]
    inside = (step >= start) & (step <= end) & (truth.labels >= 0)[:, None, :]  # (B, T, N)
    label = torch.nn.functional.one_hot(truth.labels.clamp(min=0), classes)  # (B, N, K)
    return inside.float() @ label.float() > 0


def build(loss: LocoLossConfig, network: NetworkConfig) -> LocoCriterion:
    """The criterion of these settings.

    Raises:
        ConfigError: the network is another one, which has no correspondence to learn.
    """
    if not isinstance(network, LocoConfig):
        raise ConfigError(f"loss.method is 'loco', network.method is {network.method!r}; take losses of 'dense'")
    return LocoCriterion(loss, network.lcc)
