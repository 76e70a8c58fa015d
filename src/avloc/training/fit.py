"""The training loop: batches > losses > optimiser with warm-up and schedule, gradient clip, average of the weights.

Paper, Section 4.1 (implementation details). The loop is plain and knows no method by name; devices, precision and
several processes are Lightning Fabric's business. Everything random is a function of (seed, epoch, step or video), so
that a run that was stopped anywhere goes on exactly as if it had not been.
"""

from __future__ import annotations

import contextlib
import copy
import math
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from avloc.config import TrainConfig
from avloc.errors import ConfigError, TrainingError
from avloc.learning.losses import Truth
from avloc.models.network import Network
from avloc.training.batches import Batches, Listens
from avloc.training.interrupt import stopping
from avloc.training.loading import Loaded, Loader, deaths_told
from avloc.training.method import Method
from avloc.training.optimizer import learning_rate, make_optimizer, warmup_epochs
from avloc.training.processes import make_fabric, ranks_of
from avloc.training.state import Place, Trainer, load_state, save_state
from avloc.training.watch import Epoch, Step, Watch

_BLIND = Watch()


def fit(
    method: Method,
    data: Batches,
    config: TrainConfig,
    *,
    watch: Watch = _BLIND,
    fabric: Fabric | None = None,
    state: Path | None = None,
    resume: bool = False,
    settings: str = "{}",
) -> Network:
    """Train the method's network; the result is the moving average of its weights, in evaluation mode.

    With `state` the trainer's state is kept in that file, every few minutes and at each epoch's end, and on Ctrl-C;
    `resume` goes on from it. `settings` is the run's config as JSON, which must not change in between, but for more
    epochs where the schedule allows them.

    Raises:
        ConfigError: the criterion has parameters, which nothing would train, a rate factor is of no parameter, or
            gradients are to be accumulated over tasks in turn.
        ModelError: the state to resume from is broken or of other settings.
        OutputError: the state cannot be written.
        TrainingError: the loss or its gradient is no finite number; the state last saved is from before.
        KeyboardInterrupt: after the state was saved; in every process at the same step.
    """
    for name, _ in method.criterion.named_parameters():
        raise ConfigError(f"the criterion has the parameter {name}; what is learned belongs into the network")
    if config.accumulate > 1 and isinstance(data, Listens):
        raise ConfigError("train.accumulate is for one data set; tasks in turn take a step of the optimiser each")
    fabric = make_fabric(config) if fabric is None else fabric
    return _Loop(method, data, config, watch, fabric, state, settings).run(resume)


class _Objective(nn.Module):
    """Network and criterion as the engine sees them: a batch -> total loss and its parts in one row."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.network, self.criterion = method.network, method.criterion
        self.names: tuple[str, ...] = ()

    def forward(
        self, visual: Tensor, audio: Tensor, mask: Tensor, segments: Tensor, labels: Tensor, task: str
    ) -> Tensor:
        outputs = self.network(visual, audio, mask, task) if task else self.network(visual, audio, mask)
        losses = self.criterion(outputs, Truth(segments, labels, task))
        self.names = tuple(losses.parts)
        return torch.stack([loss.float() for loss in (losses.total, *losses.parts.values())])


class _Loop:
    def __init__(
        self,
        method: Method,
        data: Batches,
        config: TrainConfig,
        watch: Watch,
        fabric: Fabric,
        state: Path | None,
        settings: str,
    ) -> None:
        self.data, self.config, self.watch, self.fabric = data, config, watch, fabric
        self.state, self.settings = state, settings
        self.network = method.network
        average = copy.deepcopy(self.network).eval().requires_grad_(False)
        if fabric.world_size > 1:
            method.criterion.ranks = ranks_of(fabric)
        optimizer = make_optimizer(self.network, config)
        if config.compile:
            self.network.compile()
        self.objective = _Objective(method)
        self.model, self.optimizer = fabric.setup(self.objective, optimizer)
        self.loader = Loader(data, config.loaders, fabric.device, fabric.global_rank, fabric.world_size)
        self.trainer = Trainer(self.network, average.to(fabric.device), self.optimizer, method.criterion)
        self.place = Place()
        self.stopping = threading.Event()
        self.stopped = False  # as all processes agree
        self.within = False  # a step of the optimiser, whose batches are not all done
        self.began = self.saved = time.monotonic()
        self.done = 0

    def run(self, resume: bool) -> Network:
        if resume and self.state is not None:
            self.place = load_state(self.state, self.trainer, self.settings, self.config)
        with stopping() as self.stopping, deaths_told():
            while self.place.epoch < self.config.epochs:
                self._epoch()
        return self.trainer.average

    def _epoch(self) -> None:
        began = time.monotonic()
        number = self.place.epoch + 1
        self.model.train()
        resting = self.data.hear(self.place.validations) if isinstance(self.data, Listens) else ()
        batches = self.loader.epoch(number, self.place.step, self.place.validations)
        with contextlib.closing(batches):
            for batch in batches:
                if batch is None:
                    self.place.step += 1
                    continue
                losses = self._learn(number, batch)
                self._tell(number, losses)
                if self.within:
                    continue  # a state is saved where no gradient is under way
                if self.stopped:
                    self._save()
                    self.fabric.barrier()  # a process that ends early may take the one that saves with it
                    raise KeyboardInterrupt
                if time.monotonic() - self.saved > 60 * self.config.save_every_minutes:
                    self._save()
        validation, by_task = self._validation(number)
        is_best = validation is not None and validation > self.place.best_map
        if is_best and validation is not None:
            self.place.best_map, self.place.best_epoch = validation, number
        counts = self.place.counts
        means = {name: total / counts.get(name, self.place.step) for name, total in self.place.losses.items()}
        rate = self._rate(self._steps_done - 1)
        self.place.epoch, self.place.step, self.place.losses, self.place.counts = number, 0, {}, {}
        if self.watch.on_epoch and self.fabric.is_global_zero:
            total, watched = means.pop("total", math.nan), dict(self.network.watched())
            watched |= {name: means.pop(name) for name in self.trainer.criterion.watched if name in means}
            seconds = time.monotonic() - began
            epoch = Epoch(number, total, means, watched, rate, seconds, validation, is_best, by_task, resting)
            self.watch.on_epoch(epoch, self.trainer.average)
        self._save()
        self.fabric.barrier()

    def _validation(self, epoch: int) -> tuple[float | None, dict[str, float]]:
        """Validation mAP if it is due; where there are several tasks their mean, and that of each."""
        due = epoch % self.config.validate_every == 0 or epoch == self.config.epochs
        if self.watch.validate is None or not due:
            return None, {}
        found = self.fabric.broadcast(
            self.watch.validate(self.trainer.average) if self.fabric.is_global_zero else None
        )
        if not isinstance(found, Mapping):
            return found, {}
        by_task = dict(found)
        self.place.validations.append(by_task)
        return sum(by_task.values()) / len(by_task), by_task

    def _learn(self, epoch: int, batch: Loaded) -> dict[str, float]:
        """Losses of the batch by name, the mean over all processes; the weights change behind the last of a step."""
        c, fabric = self.config, self.fabric
        number = (epoch - 1) * self.data.steps + self.place.step
        torch.manual_seed((c.seed * 1_000_003 + number * fabric.world_size + fabric.global_rank) % 2**63)
        self.trainer.criterion.warming = number < warmup_epochs(self.data.steps, c) * self.data.steps
        first = self.place.step - self.place.step % c.accumulate
        of = min(c.accumulate, self.data.steps - first)
        self.within = self.place.step - first + 1 < of
        with fabric.no_backward_sync(self.model, enabled=self.within and fabric.world_size > 1):
            losses = self.model(*batch.to(fabric.device), batch.task)
            fabric.backward(losses[0] / of)
        if not self.within:
            self._update(epoch, number)
        self.place.step += 1
        self.done += 1
        return self._agree(losses.detach(), epoch)

    def _update(self, epoch: int, number: int) -> None:
        """One step of the optimiser, of the gradient that has come together."""
        c, fabric = self.config, self.fabric
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(number) * group["factor"]
        if c.clip_norm is not None:
            norm = fabric.clip_gradients(self.model, self.optimizer, max_norm=c.clip_norm, error_if_nonfinite=False)
            assert norm is not None
            _require_finite(float(norm), epoch, self.place.step + 1, c)  # the same in all processes
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.network.after_step()
        self._follow(number // c.accumulate)

    def _agree(self, losses: Tensor, epoch: int) -> dict[str, float]:
        """Mean losses over all processes, added up for the epoch; and whether any of them was told to stop."""
        stopping = losses.new_tensor([float(self.stopping.is_set())])
        everyone = self.fabric.all_reduce(torch.cat([losses, stopping]), reduce_op="mean")
        assert isinstance(everyone, Tensor)
        *means, asked = everyone.tolist()
        _require_finite(means[0], epoch, self.place.step, self.config)
        self.stopped = asked > 0
        named = dict(zip(("total", *self.objective.names), means, strict=True))
        for name, value in named.items():
            self.place.losses[name] = self.place.losses.get(name, 0.0) + value
            self.place.counts[name] = self.place.counts.get(name, 0) + 1
        return named

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        c = self.config
        decay = c.ema_decay or 0.0
        if c.ema_warmup:
            decay = min(decay, (2 + step) / (11 + step))
        for slow, fast in zip(self.trainer.average.parameters(), self.network.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)
        for kept, now in zip(self.trainer.average.buffers(), self.network.buffers(), strict=True):
            kept.copy_(now)  # such as the statistics of a batch norm

    def _tell(self, epoch: int, losses: dict[str, float]) -> None:
        if self.watch.on_step is None or not self.fabric.is_global_zero:
            return
        steps, at = self.data.steps, self.place.step
        left = (self.config.epochs - epoch) * steps + steps - at
        seconds_left = (time.monotonic() - self.began) / self.done * left
        total, no_parts = losses["total"], ("total", *self.trainer.criterion.watched)
        parts = {name: x for name, x in losses.items() if name not in no_parts}
        self.watch.on_step(Step(epoch, at, steps, total, parts, self._rate(self._steps_done - 1), seconds_left))

    @property
    def _steps_done(self) -> int:
        return self.place.epoch * self.data.steps + self.place.step

    def _rate(self, step: int) -> float:
        return learning_rate(step, self.data.steps, self.config)

    def _save(self) -> None:
        self.saved = time.monotonic()
        if self.state is not None and self.fabric.is_global_zero:
            save_state(self.state, self.trainer, self.place, self.settings)


def _require_finite(value: float, epoch: int, step: int, config: TrainConfig) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"epoch {epoch}, step {step}: the loss or its gradient is {value}; look for odd features with "
            f"`avloc check-data`, or train anew with --train.learning-rate below {config.learning_rate:g}"
        )
