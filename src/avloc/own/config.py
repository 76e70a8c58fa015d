"""Settings of a training on one's own labelled videos. No torch: the command line reads them."""

from __future__ import annotations

from dataclasses import dataclass, field

from avloc.config import AnyLossConfig, RunConfig, TrainConfig
from avloc.errors import ConfigError


@dataclass(frozen=True)
class OwnDataConfig:
    """Where the labels and the videos lie."""

    annotations: str = ""
    """File of labels in any format that avloc reads, or a folder with one such file for each video."""
    videos: str = ""
    """Folder of the videos, sub folders included; labels find them by name, with or without ending."""
    features: str = ""
    """Folder where the features of the videos are kept; without it `features` in --out."""
    train_split: str = "train"
    validation_split: str = "validation"
    test_split: str = "test"


@dataclass(frozen=True)
class OwnConfig:
    """Fine-tuning of a model, or training of its network anew, on a few labelled videos (docs/own_labels.md)."""

    data: OwnDataConfig = field(default_factory=OwnDataConfig)
    start: str = "loco"
    """Name of a shipped model, or a model folder, to start from."""
    from_scratch: bool = False
    """Take the network of --start, and none of its weights."""
    steps: int = 100
    """Least number of batches: where the videos are few, each stands in an epoch several times, cropped anew."""
    folds: int = 5
    """Parts of the cross-validation that gives the figure and the threshold; 0 leaves it out."""
    skip_bad: bool = False
    """Leave out videos that are missing or cannot be read, and cut events at the ends of their videos."""
    input_dropout: float | None = None
    """Share of the features that training hides; without it as in the model to start from."""
    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=10,
            warmup_epochs=1,
            batch=8,
            pool_batches=1,
            learning_rate=1e-3,
            weight_decay=0.05,
            crop_share=(0.5, 1.0),
        )
    )
    loss: AnyLossConfig = field(default_factory=lambda: RunConfig().loss)

    def __post_init__(self) -> None:
        if self.train.devices * self.train.nodes != 1:
            raise ConfigError(
                f"train.devices is {self.train.devices}, train.nodes {self.train.nodes}; own labels are trained on "
                "with 1 device of 1 node"
            )
        if self.steps < 1:
            raise ConfigError(f"steps is {self.steps}; at least 1 is needed")
        if self.folds < 0 or self.folds == 1:
            raise ConfigError(f"folds is {self.folds}; 2 or more are needed, or 0 for no cross-validation")


def require_named(config: OwnConfig) -> None:
    """Raise ConfigError where labels or videos are not named."""
    for name in ("annotations", "videos"):
        if not getattr(config.data, name):
            raise ConfigError(f"data.{name} is not set; name it with --data.{name}")
