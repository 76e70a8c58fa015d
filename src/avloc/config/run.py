"""Settings of a training run: data, network, losses, optimisation, decoding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from avloc.config.checks import Settings, number
from avloc.config.decoding import DecodingConfig
from avloc.config.losses import AnyLossConfig, LocoLossConfig
from avloc.config.networks import AnyNetworkConfig, LocoConfig
from avloc.config.training import TrainConfig


@dataclass(frozen=True)
class DataConfig(Settings):
    """Where a data set's features and annotations lie."""

    group: ClassVar[str] = "data"

    features: str = ""
    """Folder of feature files."""
    annotations: str = ""
    """Annotations: JSON in the form of ActivityNet, CSV, or a data set as it was published (docs/data.md)."""
    layout: Literal["onepeace", "i3d-vggish", "onepeace-activitynet", "i3d-thumos14", "avloc", "other"] = "onepeace"
    """other: features that avloc does not read, of recipes for imported checkpoints."""
    train_split: str = "train"
    validation_split: str = "validation"
    test_split: str = "test"
    """The split that `avloc test` takes without --split."""
    thresholds: tuple[float, ...] = number((), above=0, most=1)
    """tIoU thresholds of the data set's own mAP, which is validated and tested; none: 0.1, 0.2, ... 0.9."""
    scores: bool = True
    """Whether the network reads the encoders' class scores beside the embeddings; the layout avloc alone has them."""
    resize_steps: int | None = number(None, least=1)
    """Features of every video are stretched to this many steps, as is usual on ActivityNet; None leaves them."""
    forgiving: bool = False
    """Whether events past the end of their video, or of no length, are left as they are instead of refused: for
    annotations that were released with some."""
    lenient: bool = False
    """Whether entries and videos with which anything is wrong are left out and counted, instead of refused. What is
    wrong with the whole set, such as another stride, is refused all the same."""
    modalities: tuple[str, ...] = ()
    """What is read: visual or audio alone, or encoders by their names, such as rgb of I3D's; without any all."""
    cache: bool = True
    """Whether features stay in memory, in half precision, after they were read once; off, each is read every time."""


@dataclass(frozen=True)
class RunConfig(Settings):
    """All settings of one training run; a recipe is a function that returns one."""

    data: DataConfig = field(default_factory=DataConfig)
    network: AnyNetworkConfig = field(default_factory=LocoConfig)
    loss: AnyLossConfig = field(default_factory=LocoLossConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)

    def check(self) -> None:
        """Crops are of a length that the network can take; regression ranges are none or one for each level."""
        multiple, steps = self.network.multiple, self.train.longest_steps
        nearest = max(1, round(steps / multiple)) * multiple
        needed = f"a multiple of {multiple}, the stride of the network's coarsest level, such as {nearest},"
        self.train.require("longest_steps", steps % multiple == 0, needed)
        ranges, levels = getattr(self.loss, "ranges", ()), getattr(self.network, "levels", None)
        if levels is not None:
            self.loss.require("ranges", len(ranges) in (0, levels), f"none, or one for each of {levels} levels,")
        most = self.network.longest
        self.train.require(
            "longest_steps", most is None or steps <= most, f"at most {most}, the network's own length,"
        )
