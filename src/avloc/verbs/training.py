"""Training: recipes, train, test, describe, export."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from avloc.cli.settings_file import with_settings
from avloc.cli.train import with_training
from avloc.config import LoggerName, RunConfig
from avloc.errors import AvlocError
from avloc.evaluation.duplicates import without_duplicates
from avloc.evaluation.mean_ap import MeanAp, mean_ap
from avloc.events import Events
from avloc.recipes.table import RECIPES
from avloc.zoo import find_model

if TYPE_CHECKING:
    from avloc.training.describe import Description
    from avloc.training.export import Exported
    from avloc.training.loggers import Logger
    from avloc.training.run import Result
    from avloc.training.watch import Epoch

PathLike = str | Path
Device = Literal["auto", "cpu", "cuda"]


def recipes() -> tuple[str, ...]:
    """Names of the recipes that `train` takes."""
    return tuple(RECIPES)


def train(
    recipe: str | RunConfig,
    out: PathLike,
    *,
    features: PathLike | None = None,
    annotations: PathLike | None = None,
    settings: Mapping[str, Any] | None = None,
    resume: bool = False,
    device: Device = "auto",
    init: PathLike | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    loggers: Sequence[LoggerName | Logger] = (),
) -> Result:
    """Train in the folder `out`: `result.folder`, `result.validation_map`, `result.epoch`.

    settings: as flags are called, {"train.epochs": 4, "network.width": 32}, laid over the recipe. on_epoch: is told
    of each epoch. loggers: by the names of `--log`, or objects of `avloc.training.loggers.Logger`. What there is to
    know of the data and settings is a warning.

    Raises:
        ConfigError, FormatError, FeatureError: settings or data are wrong. TrainingError, ModelError, OutputError.
    """
    with_training()
    from avloc.training.loggers import make_loggers
    from avloc.training.run import train as run_training

    listening = [each for one in loggers for each in (make_loggers([one]) if isinstance(one, str) else [one])]
    run = _recipe(recipe)
    given = {"data.features": features, "data.annotations": annotations}
    paths = {name: str(Path(path).resolve()) for name, path in given.items() if path is not None}
    run = with_settings(run, _nested({**paths, **(settings or {})}), "settings")
    start = None if init is None else find_model(Path(init))
    return run_training(
        run, Path(out), resume=resume, device=device, init=start, on_epoch=on_epoch, on_remark=_warn,
        loggers=listening,
    )  # fmt: skip


@dataclass(frozen=True)
class Tested:
    """A trained model on a split: what it found, what there is, each event once, and how well they agree."""

    detections: dict[str, Events]
    truth: dict[str, Events]
    durations_s: dict[str, float]
    scores: MeanAp


def test(run: PathLike, split: str | None = None, device: Device = "auto") -> Tested:
    """Run a trained model, the folder of a run, on a split, or on its data set's test split.

    Raises:
        ModelError, FormatError, FeatureError: the run or its data cannot be read.
    """
    with_training()
    from avloc.devices import pick_device
    from avloc.training.checkpoint import load_model
    from avloc.training.data import open_data
    from avloc.training.predict import predict
    from avloc.training.run import on_task, read_run, thresholds_of

    settings = on_task(read_run(Path(run)), "")
    network, config = load_model(Path(run))
    network.to(pick_device(device))
    part = split or settings.data.test_split
    videos = open_data(settings.data, part, config.labels, config.features.scores, _warn)
    config.features.read.require(videos.layout.streams, f"{settings.data.features}: its features")
    found = predict(network, videos, config.decoding)
    truth = without_duplicates(videos.truth)[0]
    return Tested(found, truth, videos.durations_s, mean_ap(found, truth, thresholds_of(settings)))


def describe(recipe: str | RunConfig, length: int = 256) -> Description:
    """Parameters and multiply-accumulates of a recipe's network on one video of `length` steps.

    Raises:
        ConfigError: there is no such recipe.
    """
    with_training()
    from avloc.training.describe import describe as count

    return count(_recipe(recipe).network, length)


def export(model: PathLike) -> Exported:
    """Write model.onnx beside the weights of a model folder: what detection runs on.

    Raises:
        ModelError: the folder is none.
    """
    with_training()
    from avloc.training.export import export_model

    return export_model(find_model(Path(model)))


def _warn(remark: str) -> None:
    warnings.warn(remark, stacklevel=3)


def _recipe(recipe: str | RunConfig) -> RunConfig:
    if isinstance(recipe, RunConfig):
        return recipe
    if recipe not in RECIPES:
        raise AvlocError(f"there is no recipe {recipe!r}; avloc.verbs.recipes() has their names")
    return RECIPES[recipe]()


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """{"train.epochs": 4} > {"train": {"epochs": 4}}."""
    nested: dict[str, Any] = {}
    for name, value in settings.items():
        *groups, last = name.split(".")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return nested
