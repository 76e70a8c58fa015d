"""One training run in a folder: data > network > fit > model folder, with validation choosing the weights.

out/config.json, model.safetensors   the best weights by validation: a model folder
out/run.json                         all settings
out/metrics.jsonl                    a line an epoch
out/trainer/state.safetensors        what --resume goes on from
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from avloc.config import FeatureConfig, ModelConfig, RunConfig, from_dict, to_dict
from avloc.datasets.annotations import read_annotations
from avloc.datasets.check import check_dataset
from avloc.datasets.feature_dataset import FeatureDataset
from avloc.errors import ConfigError, ModelError
from avloc.evaluation.mean_ap import mean_ap
from avloc.features.layout import open_layout
from avloc.files import replace_file
from avloc.models.loco import Loco
from avloc.training.checkpoint import save_model
from avloc.training.fit import Epoch, Step, Watch, fit, make_fabric
from avloc.training.predict import predict
from avloc.training.state import read_place

RUN, METRICS, STATE = "run.json", "metrics.jsonl", Path("trainer/state.safetensors")


@dataclass(frozen=True)
class Result:
    """Where the best weights lie, and their validation mAP."""

    folder: Path
    validation_map: float
    epoch: int


def open_split(run: RunConfig, split: str, labels: tuple[str, ...] | None = None) -> FeatureDataset:
    """One split of a run's data.

    Raises:
        ConfigError: features or annotations are not named.
        FormatError, FeatureError: they cannot be read.
    """
    _require_named(run)
    annotations = read_annotations(run.data.annotations, labels)
    layout = open_layout(run.data.features, run.data.layout)
    return FeatureDataset(annotations, run.data.features, layout, split, cache=run.data.cache)


def require_sound(run: RunConfig) -> None:
    """Look over all that a training will read, before its first step.

    Raises:
        ConfigError: features or annotations are not named.
        FormatError, FeatureError: something is wrong; the video is named.
    """
    _require_named(run)
    splits = (run.data.train_split, run.data.validation_split)
    check_dataset(
        read_annotations(run.data.annotations, strict=False),
        run.data.features,
        open_layout(run.data.features, run.data.layout),
        splits=splits,
        needed=splits,
        levels=run.network.levels,
    ).require()


def _require_named(run: RunConfig) -> None:
    for name in ("features", "annotations"):
        if not getattr(run.data, name):
            raise ConfigError(f"data.{name} is not set; name it with --data.{name}")


def fitted_to(run: RunConfig, data: FeatureDataset) -> RunConfig:
    """The run with the widths and the number of classes that its data has."""
    network = replace(
        run.network,
        visual_width=data.layout.visual_width,
        audio_width=data.layout.audio_width,
        classes=len(data.labels),
    )
    return replace(run, network=network)


def model_config(run: RunConfig, data: FeatureDataset, name: str) -> ModelConfig:
    """What the model folder of a run says of itself."""
    grid = data.layout.grid
    return ModelConfig(
        name=name,
        labels=data.labels,
        features=FeatureConfig(
            data.layout.store.extractor if data.layout.store else data.layout.name,
            grid.stride_s,
            grid.window_s,
            grid.offset_s,
            scores=data.scores,
        ),
        network=run.network,
        decoding=run.decoding,
        window_steps=run.train.longest_steps,
    )


def train(
    run: RunConfig,
    out: Path,
    *,
    resume: bool = False,
    on_step: Callable[[Step], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Result:
    """Train in the folder `out`; the weights with the best validation mAP stay there as a model folder.

    Raises:
        ConfigError, FormatError, FeatureError: settings or data are wrong.
        ModelError: `out` holds a run already and `resume` is not asked for, or the run was of other settings.
        OutputError: `out` cannot be written to.
    """
    require_sound(run)
    data = open_split(run, run.data.train_split)
    validation = open_split(run, run.data.validation_split, data.labels)
    run = fitted_to(run, data)
    state = out / STATE
    if state.is_file() and not resume:
        raise ModelError(f"{out}: holds a run already; go on with --resume, or name another folder")
    state.parent.mkdir(parents=True, exist_ok=True)
    settings = json.dumps(to_dict(run), indent=1)
    if not state.is_file():  # a run that goes on keeps its own, against which these settings are held
        replace_file(out / RUN, settings.encode())
    torch.manual_seed(run.train.seed)
    network = Loco(run.network)
    lines = _lines_before(out / METRICS, state) if resume else []
    config = model_config(run, data, out.name)

    def validate(average: Loco) -> float:
        return mean_ap(predict(average, validation, run.decoding), validation.truth).average

    def keep(epoch: Epoch, average: Loco) -> None:
        lines.append(json.dumps(asdict(epoch)))
        replace_file(out / METRICS, ("\n".join(lines) + "\n").encode())
        if epoch.is_best:
            save_model(out, average, config)
        if on_epoch is not None:
            on_epoch(epoch)

    fabric = make_fabric(run.train)
    fabric.launch()
    fit(
        network,
        data,
        run.loss,
        run.train,
        watch=Watch(on_step, keep, validate),
        fabric=fabric,
        state=state,
        resume=resume and state.is_file(),
        settings=settings,
    )
    fabric.barrier()
    place = read_place(state)
    return Result(out, max(place.best_map, 0.0), place.best_epoch)


def read_run(folder: Path) -> RunConfig:
    """The settings that a run was trained with.

    Raises:
        ModelError: the folder holds no run.
    """
    try:
        return from_dict(RunConfig, json.loads((folder / RUN).read_text("utf-8")), where=RUN)
    except (OSError, ValueError, ConfigError) as error:
        raise ModelError(
            f"{folder}: holds no training run that can be read ({error}); name a folder of --out"
        ) from None


def _lines_before(path: Path, state: Path) -> list[str]:
    """Metrics of the epochs that the saved state has behind it; a later line would be written a second time."""
    if not path.is_file() or not state.is_file():
        return []
    done = read_place(state).epoch
    lines = path.read_text("utf-8").splitlines()
    return [line for line in lines if json.loads(line)["number"] <= done]
