"""Settings of the network of the default model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from avloc.config.checks import number
from avloc.config.networks.base import NetworkConfig, PyramidLevels


@dataclass(frozen=True)
class GroundedConfig(PyramidLevels, NetworkConfig):
    """The network of the default model (avloc.models.grounded): encoders' class scores instead of embeddings."""

    method: ClassVar[str] = "grounded"
    needs_both: ClassVar[bool] = True

    visual_width: int = number(1000 + 1 + 80, least=1)
    audio_width: int = number(521 + 2, least=3)
    sounds: int = number(1, least=1)
    """Most sound classes that ground one class."""
    objects: int = number(80, least=0)
    """Of visual_width, classes of the object detector; they come last, behind the face."""
    width: int = number(32, least=1)
    levels: int = number(6, least=1, most=10)
    members: int = number(1, least=1)
    """Pyramids, each trained from a start of its own, whose logits and offsets are averaged."""
    class_prior: float = number(0.02, above=0, below=1)

    def check(self) -> None:
        """Objects are a part of what is seen."""
        self.require("objects", self.objects < self.visual_width, f"0 to {self.visual_width - 1}")
