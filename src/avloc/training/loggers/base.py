"""Logger: what a training tells as it happens; subclasses override what they want to hear."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from avloc.config import LoggerName
from avloc.errors import TrainingError
from avloc.training.watch import Epoch, Step


class Logger:
    """Hears of a run from its beginning to its end, in the first process alone; all methods may be left out.

    An exception that one of them raises ends the training; the state that was saved last is from before.
    """

    def begin(self, settings: Mapping[str, Any], folder: Path) -> None:
        """The run begins, or goes on: all its settings as plain data, and its folder."""

    def on_step(self, step: Step) -> None:
        """A step of the optimiser has ended."""

    def on_epoch(self, epoch: Epoch) -> None:
        """An epoch has ended, validated or not; its line stands in metrics.jsonl."""

    def end(self, validation_map: float | None) -> None:
        """The run has ended: the best validation mAP; None where it was stopped or failed."""


LOGGERS: Mapping[LoggerName, tuple[str, str]] = {
    "tensorboard": ("tensorboard", "avloc.training.loggers.tensorboard"),
    "wandb": ("wandb", "avloc.training.loggers.wandb"),
    "mlflow": ("mlflow", "avloc.training.loggers.mlflow"),
}
"""Package that each needs, and where it lies."""


def make_loggers(names: Sequence[LoggerName]) -> list[Logger]:
    """Loggers by their names, each once.

    Raises:
        TrainingError: there is no such logger, or a package is not installed; the extra is named.
    """
    made: list[Logger] = []
    for name in dict.fromkeys(names):
        if name not in LOGGERS:
            raise TrainingError(f"there is no logger {name!r}; known are {', '.join(LOGGERS)}")
        package, module = LOGGERS[name]
        if find_spec(package) is None:
            raise TrainingError(
                f"--log {name} needs it installed; avloc has an extra, in its checkout: pip install '.[{name}]'"
            )
        make: Callable[[], Logger] = import_module(module).make
        made.append(make())
    return made


@contextmanager
def telling(loggers: Sequence[Logger], settings: Mapping[str, Any], folder: Path) -> Iterator[list[float]]:
    """From the beginning of a run to its end, however it ends; yields where its validation mAP is put."""
    result: list[float] = []
    begun: list[Logger] = []
    try:
        for logger in loggers:
            logger.begin(settings, folder)
            begun.append(logger)
        yield result
    finally:
        for logger in begun:
            logger.end(result[0] if result else None)


def step_values(step: Step) -> dict[str, float]:
    """Numbers of a step by the names that curves have."""
    values = {"total": step.total, **step.losses, "learning_rate": step.learning_rate}
    return {f"step/{name}": value for name, value in values.items()}


def epoch_values(epoch: Epoch) -> dict[str, float]:
    """Numbers of an epoch by the names that curves have; without a validation mAP where it was not validated."""
    tasks = {f"validation_map_{task}": value for task, value in epoch.by_task.items()}
    values = {"total": epoch.total, **epoch.losses, "validation_map": epoch.validation_map, **tasks, **epoch.watched}
    return {f"epoch/{name}": value for name, value in values.items() if value is not None}


def place_of(step: Step) -> int:
    """The number of a step in the whole run, from 1 on."""
    return (step.epoch - 1) * step.steps + step.step


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Groups of settings > names with dots."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        inner = isinstance(value, Mapping)
        found |= flat(value, f"{before}{name}.") if inner else {f"{before}{name}": value}
    return found
