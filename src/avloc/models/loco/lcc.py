"""LCC's part of the network: both modalities in the common space, temperature and sigma (paper, Section 3.3).

The correspondence objective and the loss stand in `avloc.learning.correspondence`.
Legend: B batch, T time, C channels, E width of the common space (C / 2, or C without projections).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import LccConfig


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Unit vectors of both modalities, their mask, the softmax temperature, and sigma of Eq. 3 in steps."""

    visual: Float[Tensor, "B T E"]
    audio: Float[Tensor, "B T E"]
    mask: Bool[Tensor, "B T"]
    temperature: Float[Tensor, ""]
    sigma_steps: Float[Tensor, ""]


class CorrespondenceHead(nn.Module):
    """f_v, f_a (B, T, C) -> Correspondence. Sigma is learned in log space inside its range."""

    def __init__(self, width: int, config: LccConfig) -> None:
        super().__init__()
        self.config = config
        if config.projection != "none":
            self.visual = nn.Linear(width, width // 2)
        if config.projection == "each":
            self.audio = nn.Linear(width, width // 2)
        self.temperature = nn.Parameter(torch.tensor(config.temperature))
        self.log_sigma = nn.Parameter(
            torch.tensor(math.log(config.sigma_steps)), requires_grad=config.objective == "learnable"
        )

    def temperature_now(self) -> Float[Tensor, ""]:
        """The temperature, inside its range."""
        return _bounded(self.temperature, *self.config.temperature_range)

    def sigma_now(self) -> Float[Tensor, ""]:
        """Sigma in steps, inside its range."""
        low, high = (math.log(s) for s in self.config.sigma_range_steps)
        return _bounded(self.log_sigma, low, high).exp()

    @torch.no_grad()
    def keep_in_range(self) -> None:
        """Clamp both parameters, so that momentum does not carry them far beyond a bound; call it after each step."""
        low, high = (math.log(s) for s in self.config.sigma_range_steps)
        self.log_sigma.clamp_(low, high)
        self.temperature.clamp_(*self.config.temperature_range)

    def forward(
        self, visual: Float[Tensor, "B T C"], audio: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]
    ) -> Correspondence:
        see, hear = self._projections()
        return Correspondence(
            visual=F.normalize(_at_least_single(see(visual)), dim=-1),
            audio=F.normalize(_at_least_single(hear(audio)), dim=-1),
            mask=mask,
            temperature=self.temperature_now(),
            sigma_steps=self.sigma_now(),
        )

    def _projections(self) -> tuple[nn.Module, nn.Module]:
        """W of both modalities (Eq. 2)."""
        if self.config.projection == "none":
            return nn.Identity(), nn.Identity()
        return self.visual, self.audio if self.config.projection == "each" else self.visual


def _at_least_single(x: Tensor) -> Tensor:
    """Cosines are divided by a small temperature, which makes the rounding of mixed precision large."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _bounded(x: Tensor, low: float, high: float) -> Tensor:
    """Clamped value whose gradient passes, so that a parameter at its bound can come back."""
    return x + (x.clamp(low, high) - x).detach()
