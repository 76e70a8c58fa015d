"""Settings of optimisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from avloc.config.checks import Settings, number, share

LoggerName = Literal["tensorboard", "wandb", "mlflow"]
"""Where a training can tell its course, beside metrics.jsonl."""


@dataclass(frozen=True)
class TrainConfig(Settings):
    """Optimisation (paper, Section 4.1; values of the works it builds on) and the random crop of training."""

    group: ClassVar[str] = "train"

    epochs: int = number(45, least=1)
    """Warm-up included: 5 and 40."""
    warmup_epochs: int = number(5, least=0)
    warmup_steps: int | None = number(None, least=0)
    """Warm-up by steps instead of epochs."""
    schedule: Literal["cosine", "steps", "constant"] = "cosine"
    """After warm-up: half a cosine down to `least_rate`, a drop at each of `drop_epochs`, or no change."""
    drop_epochs: tuple[int, ...] = number((), least=1)
    """Epochs after which the rate drops, with schedule steps."""
    drop_factor: float = number(0.1, above=0, most=1)
    least_rate: float = number(0.0, least=0)
    """Learning rate at which the cosine ends."""
    batch: int = number(16, least=1)
    accumulate: int = number(1, least=1)
    """Batches to a step of the optimiser, which takes the mean of their gradients. What a loss compares across
    videos, as LCC its negatives, it compares within each batch."""
    pool_batches: int = number(8, least=1)
    """Batches that are drawn together and shared out by length, so that little of them is padding; 1: by chance."""
    drop_last: bool = False
    """Whether the videos of an epoch that do not fill a batch are left out."""
    optimizer: Literal["adamw", "adam"] = "adamw"
    """adam: weight decay is added to the gradient, as L2 regularisation is."""
    learning_rate: float = number(1e-4, above=0)
    rate_factors: tuple[tuple[str, float], ...] = ()
    """Parameters whose name holds the text learn at this multiple of the rate."""
    weight_decay: float = number(1e-4, least=0)
    decay: Literal["matrices", "all"] = "matrices"
    """Which parameters decay: matrices and kernels (no biases, norms, scales), or all."""
    clip_norm: float | None = number(1.0, above=0)
    """Largest norm of the gradient; None clips nothing."""
    ema_decay: float | None = share(0.999, below=1)
    """Of the moving average of the weights, which is what is validated and kept; None keeps the weights."""
    ema_warmup: bool = True
    """Whether the average follows faster in the first steps; off, it decays alike from the first step on."""
    crop_share: tuple[float, float] = number((0.9, 1.0), above=0, most=1)
    keep_share: float = share(0.5)
    """An event that a crop leaves less than this share of is no event of the crop."""
    longest_steps: int = number(256, least=1)
    """Longer crops are cut to this; detection uses windows of this length."""
    validate_every: int = number(1, least=1)
    """Epochs from one validation to the next; the last epoch is always validated."""
    seed: int = number(0, least=0, most=2**63 - 1)
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    """auto: bf16-mixed on a GPU that has it, else 32-true."""
    compile: bool = False
    """torch.compile: pays on a GPU; on a CPU its first call takes half a minute and gains nothing."""
    devices: int = number(1, least=1)
    """Processes of each machine that share a batch, a GPU each where there are any."""
    nodes: int = number(1, least=1)
    """Machines that share a batch."""
    loaders: int = number(0, least=0)
    """Processes that make batches ahead, beside each that trains; 0: a thread of it does."""
    save_every_minutes: float = number(5.0, least=0)
    """Within an epoch the trainer's state is saved this often; at the end of an epoch always."""

    def check(self) -> None:
        """Ranges are in order, and factors are numbers."""
        low, high = self.crop_share
        self.require("crop_share", low <= high, "two shares of the video, the smaller first,")
        self.require("rate_factors", all(0 < f < float("inf") for _, f in self.rate_factors), "factors above 0")
        rising = all(a < b for a, b in zip(self.drop_epochs, self.drop_epochs[1:], strict=False))
        self.require("drop_epochs", rising, "epochs in rising order")
        self.require(
            "drop_epochs", bool(self.drop_epochs) == (self.schedule == "steps"), "epochs with schedule steps"
        )
        self.require("least_rate", self.least_rate <= self.learning_rate, "at most the learning rate")
