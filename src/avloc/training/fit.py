"""The training loop: batches > losses > AdamW with warm-up and cosine, gradient clip, moving average of weights.

Paper, Section 4.1 (implementation details). The loop is plain; devices, precision and several processes are Lightning
Fabric's business. Everything random is a function of (seed, epoch, step or video), so that a run that was stopped
anywhere goes on exactly as if it had not been.
"""

from __future__ import annotations

import contextlib
import copy
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from avloc.ahead import ahead
from avloc.config import LossConfig, TrainConfig
from avloc.datasets.batch import Batch, Sample, collate
from avloc.datasets.labelled import random_crop, shuffled
from avloc.errors import TrainingError
from avloc.learning.criterion import Criterion, Ranks
from avloc.learning.targets import Truth
from avloc.models.loco import Loco
from avloc.training.devices import Device, pick_device
from avloc.training.state import Place, load_state, save_state


class Samples(Protocol):
    """Videos to train on: how many, how long each is about, and each as a Sample."""

    @property
    def lengths(self) -> NDArray[np.int_]:
        """Steps of each video (N,); batches are made of videos of like length."""
        ...

    def __len__(self) -> int: ...

    def sample(self, index: int) -> Sample: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it ends: its place, losses, learning rate, and the seconds that the run may still take."""

    epoch: int
    step: int
    steps: int
    total: float
    classification: float
    regression: float
    correspondence: float
    learning_rate: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch came to: mean losses over its steps, validation mAP (None: not validated), seconds, and best."""

    number: int
    total: float
    classification: float
    regression: float
    correspondence: float
    learning_rate: float
    temperature: float
    sigma_steps: float
    seconds: float
    validation_map: float | None
    is_best: bool


@dataclass(frozen=True)
class Watch:
    """What the caller wants to see and do on the way; all on the first process."""

    on_step: Callable[[Step], None] | None = None
    on_epoch: Callable[[Epoch, Loco], None] | None = None
    validate: Callable[[Loco], float] | None = None
    """Validation mAP of the averaged weights, once an epoch."""


def make_fabric(config: TrainConfig, device: Device = "auto") -> Fabric:
    """The engine for the devices at hand; several processes talk over the batch's negatives.

    Raises:
        ConfigError: a GPU is asked for and there is none.
    """
    accelerator = pick_device(device)
    precision = config.precision
    if precision == "auto":
        precision = "bf16-mixed" if accelerator == "cuda" and torch.cuda.is_bf16_supported() else "32-true"
    several = config.devices > 1
    return Fabric(
        accelerator=accelerator,
        devices=config.devices,
        strategy="ddp" if several else "auto",
        precision=precision,
    )


def fit(
    network: Loco,
    data: Samples,
    loss: LossConfig,
    config: TrainConfig,
    *,
    watch: Watch = Watch(),
    fabric: Fabric | None = None,
    state: Path | None = None,
    resume: bool = False,
    settings: str = "{}",
) -> Loco:
    """Train `network`; the result is the moving average of its weights, in evaluation mode.

    With `state` the trainer's state is kept in that file, every few minutes and at each epoch's end, and on Ctrl-C;
    `resume` goes on from it. `settings` is the run's config as JSON, which must not change in between.

    Raises:
        ModelError: the state to resume from is broken or of other settings.
        OutputError: the state cannot be written.
        TrainingError: the loss or its gradient is no finite number; the state last saved is from before.
        KeyboardInterrupt: after the state was saved; in every process at the same step.
    """
    fabric = make_fabric(config) if fabric is None else fabric
    return _Trainer(network, data, loss, config, watch, fabric, state, settings).run(resume)


class _Objective(nn.Module):
    """Network and criterion as the engine sees them: a batch -> (total, classification, regression, lcc)."""

    def __init__(self, network: Loco, criterion: Criterion) -> None:
        super().__init__()
        self.network = network
        self.criterion = criterion

    def forward(self, visual: Tensor, audio: Tensor, mask: Tensor, segments: Tensor, labels: Tensor) -> Tensor:
        losses = self.criterion(self.network(visual, audio, mask), mask, Truth(segments, labels))
        parts = (losses.total, losses.classification, losses.regression, losses.correspondence)
        return torch.stack([part.float() for part in parts])


class _Trainer:
    def __init__(
        self,
        network: Loco,
        data: Samples,
        loss: LossConfig,
        config: TrainConfig,
        watch: Watch,
        fabric: Fabric,
        state: Path | None,
        settings: str,
    ) -> None:
        self.data, self.config, self.watch, self.fabric = data, config, watch, fabric
        self.state, self.settings = state, settings
        self.network = network
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        ranks = _ranks(fabric) if fabric.world_size > 1 else None
        self.criterion = Criterion(loss, network.config.lcc, network.config.levels, ranks)
        optimizer = torch.optim.AdamW(_groups(network, config.weight_decay), lr=config.learning_rate, fused=True)
        if config.compile:
            network.compile()
        self.model, self.optimizer = fabric.setup(_Objective(network, self.criterion), optimizer)
        self.average.to(fabric.device)
        self.steps_per_epoch = max(1, math.ceil(len(data) / config.batch))
        self.place = Place()
        self.stopping = threading.Event()
        self.stopped = False  # as all processes agree
        self.began = self.saved = time.monotonic()
        self.done = 0

    def run(self, resume: bool) -> Loco:
        if resume and self.state is not None:
            self.place = load_state(
                self.state, self.network, self.average, self.optimizer, self.criterion, self.settings
            )
        with _stopping() as self.stopping:
            while self.place.epoch < self.config.epochs:
                self._epoch()
        return self.average

    def _epoch(self) -> None:
        began = time.monotonic()
        number = self.place.epoch + 1
        self.model.train()
        batches = self._batches(number, self.place.step)
        with contextlib.closing(ahead(batches)) as prefetched:
            for batch in prefetched:
                self._tell(number, self._step(number, batch))
                if self.stopped:
                    self._save()
                    self.fabric.barrier()  # a process that ends early may take the one that saves with it
                    raise KeyboardInterrupt
                if time.monotonic() - self.saved > 60 * self.config.save_every_minutes:
                    self._save()
        validation = self.watch.validate(self.average) if self.watch.validate and self.fabric.is_global_zero else None
        is_best = validation is not None and validation > self.place.best_map
        if is_best and validation is not None:
            self.place.best_map, self.place.best_epoch = validation, number
        total, classification, regression, correspondence = (x / max(self.place.step, 1) for x in self.place.losses)
        self.place.epoch, self.place.step, self.place.losses = number, 0, [0.0] * 4
        if self.watch.on_epoch and self.fabric.is_global_zero:
            c = self.network.correspondence
            epoch = Epoch(
                number,
                total,
                classification,
                regression,
                correspondence,
                self._rate(self._steps_done - 1),
                float(c.temperature_now().detach()),
                float(c.sigma_now().detach()),
                time.monotonic() - began,
                validation,
                is_best,
            )
            self.watch.on_epoch(epoch, self.average)
        self._save()
        self.fabric.barrier()

    def _batches(self, epoch: int, first_step: int) -> Iterator[Batch]:
        """The epoch's batches from `first_step` on; of each, the videos of this process."""
        c, fabric = self.config, self.fabric
        batches = shuffled(self.data.lengths, c.batch, c.pool_batches, np.random.default_rng([c.seed, epoch]))
        multiple = 2 ** (self.network.config.levels - 1)
        for indices in batches[first_step:]:
            longest = 0
            crops: list[Sample] = []
            for place, i in enumerate(indices):
                rng = np.random.default_rng([c.seed, epoch, int(i)])
                cropped = random_crop(self.data.sample(int(i)), c.crop_share, c.longest_steps, c.keep_share, rng)
                longest = max(longest, len(cropped.visual))
                if place % fabric.world_size == fabric.global_rank:
                    crops.append(cropped)
            # What is gathered must have one shape: processes with a video less get an empty one.
            share = -(-len(indices) // fabric.world_size)
            crops += [_nothing_of(cropped)] * (share - len(crops))
            yield collate(crops, multiple, -(-longest // multiple) * multiple)

    def _step(self, epoch: int, batch: Batch) -> list[float]:
        """Losses of the step, the mean over all processes: total, classification, regression, correspondence."""
        c, fabric = self.config, self.fabric
        step = (epoch - 1) * self.steps_per_epoch + self.place.step
        torch.manual_seed(c.seed * 1_000_003 + step * fabric.world_size + fabric.global_rank)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(step)
        visual, audio, mask, segments, labels = (
            torch.from_numpy(x).to(fabric.device)
            for x in (batch.visual, batch.audio, batch.mask, batch.segments, batch.labels)
        )
        losses = self.model(visual, audio, mask, segments, labels)
        fabric.backward(losses[0])
        norm = fabric.clip_gradients(self.model, self.optimizer, max_norm=c.clip_norm, error_if_nonfinite=False)
        assert norm is not None
        _require_finite(float(norm), epoch, self.place.step + 1, c)  # the same in all processes
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.network.correspondence.keep_in_range()
        self._follow(min(c.ema_decay, (2 + step) / (11 + step)))
        self.place.step += 1
        self.done += 1
        stopping = losses.new_tensor([float(self.stopping.is_set())])
        everyone = fabric.all_reduce(torch.cat([losses.detach(), stopping]), reduce_op="mean")
        assert isinstance(everyone, Tensor)
        *means, asked = everyone.tolist()
        _require_finite(means[0], epoch, self.place.step, c)
        self.stopped = asked > 0
        self.place.losses = [x + y for x, y in zip(self.place.losses, means, strict=True)]
        return means

    @torch.no_grad()
    def _follow(self, decay: float) -> None:
        for slow, fast in zip(self.average.parameters(), self.network.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)

    def _tell(self, epoch: int, losses: list[float]) -> None:
        if self.watch.on_step is None or not self.fabric.is_global_zero:
            return
        left = (self.config.epochs - epoch) * self.steps_per_epoch + self.steps_per_epoch - self.place.step
        seconds_left = (time.monotonic() - self.began) / self.done * left
        total, classification, regression, correspondence = losses
        place = (epoch, self.place.step, self.steps_per_epoch)
        rate = self._rate(self._steps_done - 1)
        self.watch.on_step(Step(*place, total, classification, regression, correspondence, rate, seconds_left))

    @property
    def _steps_done(self) -> int:
        return self.place.epoch * self.steps_per_epoch + self.place.step

    def _rate(self, step: int) -> float:
        return self.config.learning_rate * learning_rate_factor(step / self.steps_per_epoch, self.config)

    def _save(self) -> None:
        self.saved = time.monotonic()
        if self.state is not None and self.fabric.is_global_zero:
            save_state(
                self.state, self.network, self.average, self.optimizer, self.criterion, self.place, self.settings
            )


@contextlib.contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, so that a step is never left half done; the second stops at once."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.getsignal(signal.SIGINT)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def learning_rate_factor(epoch: float, config: TrainConfig) -> float:
    """Linear warm-up, then half a cosine to zero, at a fractional epoch; a factor of the learning rate."""
    if epoch < config.warmup_epochs:
        return (epoch + 1e-3) / config.warmup_epochs
    share = (epoch - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1)
    return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def _require_finite(value: float, epoch: int, step: int, config: TrainConfig) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"epoch {epoch}, step {step}: the loss or its gradient is {value}; look for odd features with "
            f"`avloc check-data`, or train anew with --train.learning-rate below {config.learning_rate:g}"
        )


def _groups(network: Loco, weight_decay: float) -> list[dict[str, object]]:
    """Matrices decay; biases, norms, scales, temperature and sigma do not."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _ranks(fabric: Fabric) -> Ranks:
    def total(x: Tensor) -> Tensor:
        return fabric.all_reduce(x, reduce_op="sum")  # type: ignore[return-value]

    def gather(x: Tensor) -> Tensor:
        everyone = fabric.all_gather(x, sync_grads=True)
        assert isinstance(everyone, Tensor)
        if everyone.requires_grad:
            # Its backward sends this memory as it lies: strides would be lost without a word.
            everyone.register_hook(lambda gradient: gradient.contiguous())  # type: ignore[no-untyped-call]
        return everyone.flatten(0, 1)

    return Ranks(fabric.world_size, total, gather)


def _nothing_of(sample: Sample) -> Sample:
    return Sample(sample.visual[:0], sample.audio[:0], sample.segments[:0], sample.labels[:0])
