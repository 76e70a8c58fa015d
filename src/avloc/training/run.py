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
from avloc.evaluation.operating_point import best_f1
from avloc.events import Events
from avloc.features.layout import open_layout
from avloc.files import replace_file
from avloc.models.network import Network
from avloc.training.batches import CroppedBatches
from avloc.training.checkpoint import save_model
from avloc.training.devices import Device
from avloc.training.fit import fit, make_fabric
from avloc.training.method import build_method
from avloc.training.predict import predict
from avloc.training.start import Taken, take_weights
from avloc.training.state import read_place, require_same
from avloc.training.watch import Epoch, Step, Watch

RUN, METRICS, STATE = "run.json", "metrics.jsonl", Path("trainer/state.safetensors")


@dataclass(frozen=True)
class Result:
    """Where the best weights lie, and their validation mAP."""

    folder: Path
    validation_map: float
    epoch: int


def open_split(
    run: RunConfig, split: str, labels: tuple[str, ...] | None = None, scores: bool | None = None
) -> FeatureDataset:
    """One split of a run's data.

    scores: whether encoders' class scores are read; by default as the settings say, where the layout has any.

    Raises:
        ConfigError: features or annotations are not named.
        FormatError, FeatureError: they cannot be read.
    """
    _require_named(run)
    annotations = read_annotations(run.data.annotations, labels, forgiving=run.data.forgiving)
    layout = open_layout(run.data.features, run.data.layout)
    if scores is None:
        scores = run.data.scores and layout.store is not None
    return FeatureDataset(
        annotations,
        run.data.features,
        layout,
        split,
        scores=scores,
        cache=run.data.cache,
        resize_steps=run.data.resize_steps,
    )


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
        forgiving=run.data.forgiving,
    ).require()


def _require_named(run: RunConfig) -> None:
    for name in ("features", "annotations"):
        if not getattr(run.data, name):
            raise ConfigError(f"data.{name} is not set; name it with --data.{name}")


def fitted_to(run: RunConfig, data: FeatureDataset) -> RunConfig:
    """The run with the widths and the number of classes that its data has."""
    visual, audio = data.widths
    network = replace(run.network, visual_width=visual, audio_width=audio, classes=len(data.labels))
    return replace(run, network=network)


def model_config(run: RunConfig, data: FeatureDataset, name: str) -> ModelConfig:
    """What the model folder of a run says of itself."""
    grid = data.layout.grid
    return ModelConfig(
        name=name,
        labels=data.labels,
        features=FeatureConfig(
            data.layout.streams,
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
    device: Device = "auto",
    init: Path | None = None,
    on_init: Callable[[Taken], None] | None = None,
    on_remark: Callable[[str], None] | None = None,
    on_step: Callable[[Step], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Result:
    """Train in the folder `out`; the weights with the best validation mAP stay there as a model folder.

    The score from which the model shows events to people is the one with the best F1 on the validation split. `init`
    is a model folder to take weights from; `on_init` is told which fit, `on_remark` what there is to know of the
    network's settings.

    Raises:
        ConfigError, FormatError, FeatureError: settings or data are wrong.
        TrainingError: the loss is no finite number.
        ModelError: `out` holds a run already and `resume` is not asked for, or the run was of other settings.
        OutputError: `out` cannot be written to.
    """
    fabric = make_fabric(run.train, device)
    require_sound(run)
    data = open_split(run, run.data.train_split)
    validation = open_split(run, run.data.validation_split, data.labels)
    run = fitted_to(run, data)
    state = out / STATE
    if state.is_file() and not resume:
        raise ModelError(f"{out}: holds a run already; go on with --resume, or name another folder")
    state.parent.mkdir(parents=True, exist_ok=True)
    settings = json.dumps(to_dict(run), indent=1)
    if state.is_file():
        require_same(state, settings, run.train)
    torch.manual_seed(run.train.seed)
    method = build_method(run)
    for remark in method.network.remarks():
        if on_remark is not None:
            on_remark(remark)
    if init is not None and not state.is_file():
        taken = take_weights(method.network, data.labels, init)
        if on_init is not None:
            on_init(taken)
    replace_file(out / RUN, settings.encode())
    lines = _lines_before(out / METRICS, state) if resume else []
    config = model_config(run, data, out.name)

    found: dict[str, Events] = {}  # in the validation split, by the weights of the epoch at hand

    def validate(average: Network) -> float:
        found.update(predict(average, validation, run.decoding))
        return mean_ap(found, validation.truth).average

    def keep(epoch: Epoch, average: Network) -> None:
        lines.append(json.dumps(asdict(epoch)))
        replace_file(out / METRICS, ("\n".join(lines) + "\n").encode())
        if epoch.is_best:
            best = best_f1(found, validation.truth)
            save_model(out, average, replace(config, show_score=best.score) if best else config)
        if on_epoch is not None:
            on_epoch(epoch)

    fabric.launch()
    fit(
        method,
        CroppedBatches(data, run.train, method.network.multiple),
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
