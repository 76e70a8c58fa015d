"""What training, description and export ask of any network, beside its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import NetworkConfig
from avloc.models.outputs import Outputs


class Network(nn.Module):
    """Features of both modalities on one grid > Outputs. Legend: B batch, T time.

    T must be a multiple of `multiple`. `forward` does not ask whether it trains.
    """

    config: NetworkConfig
    multiple: int = 1
    learns_classes: bool = True
    """Whether classes are outputs that labels can teach; off where they are given by constants."""

    official_names: ClassVar[tuple[tuple[str, str], ...]] = ()
    """From the names in the authors' own checkpoints to those of this network: patterns and what replaces them, in
    order. A name that ends in [i] is the i-th entry of a tensor."""
    official_hint: ClassVar[str] = "is it of another recipe?"
    """What to look at where an authors' checkpoint does not fit."""

    def forward(
        self, visual: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], mask: Bool[Tensor, "B T"]
    ) -> Outputs:
        """`mask` is true where a step lies inside its video."""
        raise TypeError(f"{type(self).__name__} has no forward of its own")

    def from_official(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The authors' tensors by their names, cut as this network's are; a part has its name of `official_names`."""
        return state

    def given(self) -> Mapping[str, str]:
        """Tensors of its state that are read from files when it is made anew, by name, and the files: numbers that no
        training changes and no authors' checkpoint holds. A model folder keeps them with the weights."""
        return {}

    def leaves(self, name: str) -> bool:
        """Whether an authors' checkpoint may hold a tensor that would have this name and is of no use here."""
        return False

    def remarks(self) -> tuple[str, ...]:
        """What a person should know of these settings before training."""
        return ()

    def after_step(self) -> None:
        """What the method does to its weights after each step of training, such as keeping them inside ranges."""

    def watched(self) -> Mapping[str, float]:
        """Quantities to look at while it trains, by name."""
        return {}

    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Names of its sub-modules by the words in which a description speaks of them."""
        return {name.replace("_", " "): (name,) for name, _ in self.named_children()}

    def details(self, length: int) -> Mapping[str, tuple[tuple[str, ...], int]]:
        """Parts of parts that are worth a line of their own: sub-modules, and multiply-accumulates of the loss alone
        on one video of `length` steps."""
        return {}

    def training_only(self) -> tuple[str, ...]:
        """Sub-modules that detection does not run."""
        return ()
