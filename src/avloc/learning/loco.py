"""LoCo's losses (paper, Section 3.5): detection, and correspondence between the modalities."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from avloc.config import LccConfig, LocoConfig, LocoLossConfig, NetworkConfig
from avloc.errors import ConfigError
from avloc.learning.correspondence import correspondence_loss
from avloc.learning.dense import DenseCriterion
from avloc.learning.losses import Losses, Truth
from avloc.models.loco.lcc import Correspondence
from avloc.models.loco.network import LocoOutputs


class LocoCriterion(DenseCriterion):
    """Eq. 9."""

    def __init__(self, config: LocoLossConfig, lcc: LccConfig) -> None:
        super().__init__(config)
        self.weight = config.lcc_weight
        self.lcc = lcc

    def forward(self, outputs: LocoOutputs, truth: Truth) -> Losses:  # type: ignore[override]
        """Losses of a batch."""
        detection = super().forward(outputs, truth)
        correspondence = self._correspondence(outputs.correspondence)
        total = detection.total + self.weight * correspondence
        return Losses(total, {**detection.parts, "correspondence": correspondence})

    def _correspondence(self, c: Correspondence) -> Float[Tensor, ""]:
        """LCC over the whole batch: negatives come from the videos of all processes."""
        if not self.weight:
            # Zero, yet of these parameters: several processes wait for a gradient of each.
            return 0.0 * (c.visual.sum() + c.audio.sum() + c.temperature + c.sigma_steps)
        gather = self.ranks.gather
        everyone = Correspondence(gather(c.visual), gather(c.audio), gather(c.mask), c.temperature, c.sigma_steps)
        return correspondence_loss(everyone, self.lcc)


def build(loss: LocoLossConfig, network: NetworkConfig) -> LocoCriterion:
    """The criterion of these settings.

    Raises:
        ConfigError: the network is another one, which has no correspondence to learn.
    """
    if not isinstance(network, LocoConfig):
        raise ConfigError(f"loss.method is 'loco', network.method is {network.method!r}; take losses of 'dense'")
    return LocoCriterion(loss, network.lcc)
