"""One training run in a folder: data > network > fit > model folder, with validation choosing the weights.

out/config.json, model.safetensors   the best weights by validation: a model folder
out/run.json                         all settings
out/metrics.jsonl                    a line an epoch
out/trainer/state.safetensors        what --resume goes on from
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from avloc.config import JointRunConfig, RunConfig, from_dict, to_dict
from avloc.devices import Device
from avloc.errors import ConfigError, ModelError
from avloc.evaluation.mean_ap import THRESHOLDS, mean_ap
from avloc.evaluation.operating_point import best_f1
from avloc.events import Events
from avloc.files import replace_file
from avloc.models.network import Network
from avloc.training.batches import Batches, CroppedBatches
from avloc.training.checkpoint import save_model
from avloc.training.data import Part, model_config, open_parts
from avloc.training.fit import fit
from avloc.training.joint import JointBatches
from avloc.training.loggers.base import Logger, telling
from avloc.training.method import build_method
from avloc.training.predict import predict
from avloc.training.processes import make_fabric, placed
from avloc.training.start import Taken, take_weights
from avloc.training.state import Place, read_place, require_same
from avloc.training.watch import Epoch, Step, Watch

RUN, METRICS, STATE = "run.json", "metrics.jsonl", Path("trainer/state.safetensors")


@dataclass(frozen=True)
class Result:
    """Where the best weights lie, and their validation mAP."""

    folder: Path
    validation_map: float
    epoch: int


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
    loggers: Sequence[Logger] = (),
) -> Result:
    """Train in the folder `out`; the weights with the best validation mAP stay there as a model folder.

    Of several data sets in turn that is the mean of their mAPs. The score from which the model shows events to people
    is the one with the best F1 on the validation split. `init` is a model folder to take weights from; `on_init` is
    told which fit, `on_remark` what there is to know of the network's settings. `loggers` hear of the run from its
    beginning to its end.

    Raises:
        ConfigError, FormatError, FeatureError: settings or data are wrong.
        TrainingError: the loss is no finite number.
        ModelError: `out` holds a run already and `resume` is not asked for, or the run was of other settings.
        OutputError: `out` cannot be written to.
    """
    run = replace(run, train=placed(run.train))
    fabric = make_fabric(run.train, device, in_turn=isinstance(run, JointRunConfig))
    run, parts = open_parts(run, on_remark)
    state = out / STATE
    begun = state.is_file()
    if begun and not resume:
        raise ModelError(f"{out}: holds a run already; go on with --resume, or name another folder")
    state.parent.mkdir(parents=True, exist_ok=True)
    settings = json.dumps(to_dict(run), indent=1)
    if begun:
        require_same(state, settings, run.train)
    torch.manual_seed(run.train.seed)
    method = build_method(run)
    for remark in (*method.network.remarks(), *_remarks(run)):
        if on_remark is not None:
            on_remark(remark)
    if init is not None and not begun:
        taken = take_weights(method.network, {part.task: part.train.labels for part in parts.values()}, init)
        if on_init is not None:
            on_init(taken)
    elif init is not None and on_remark is not None:
        on_remark("--init is not looked at: the run goes on from its own state")
    replace_file(out / RUN, settings.encode())
    lines = _lines_before(out / METRICS, state) if resume else []
    found: dict[str, dict[str, Events]] = {}  # in the validation splits, by the weights of the epoch at hand

    def validate(average: Network) -> float | dict[str, float]:
        maps = {}
        for name, part in parts.items():
            found[name] = predict(average, part.validation, part.run.decoding, task=part.task)
            maps[part.task] = mean_ap(found[name], part.validation.truth, thresholds_of(part.run)).average
        return maps if isinstance(run, JointRunConfig) else next(iter(maps.values()))

    def keep(epoch: Epoch, average: Network) -> None:
        lines.append(json.dumps(asdict(epoch)))
        replace_file(out / METRICS, ("\n".join(lines) + "\n").encode())
        if epoch.is_best:
            best = {name: best_f1(found[name], part.validation.truth) for name, part in parts.items()}
            shown = {name: point.score for name, point in best.items() if point}
            save_model(out, average, model_config(run, parts, out.name, shown))
        for hear in (on_epoch, *(logger.on_epoch for logger in listening)):
            if hear is not None:
                hear(epoch)

    def step_ended(step: Step) -> None:
        for hear in (on_step, *(logger.on_step for logger in listening)):
            if hear is not None:
                hear(step)

    fabric.launch()
    if fabric.broadcast(begun) != begun:
        raise ModelError(f"{out}: holds a run on one machine and none on another; take storage that all share")
    listening = tuple(loggers) if fabric.is_global_zero else ()
    with telling(listening, json.loads(settings), out) as ended:
        fit(
            method,
            _batches(run, parts, method.network.multiple),
            run.train,
            watch=Watch(step_ended, keep, validate),
            fabric=fabric,
            state=state,
            resume=begun,
            settings=settings,
        )
        fabric.barrier()
        place: Place = fabric.broadcast(read_place(state) if fabric.is_global_zero else Place())
        ended.append(max(place.best_map, 0.0))
    return Result(out, ended[0], place.best_epoch)


def _remarks(run: RunConfig) -> Iterator[str]:
    """What there is to know of how the run feeds its steps."""
    c = run.train
    if c.accumulate > 1:
        yield (
            f"a step of the optimiser is of {c.accumulate} batches of {c.batch} videos; what a loss compares across "
            "videos, as LCC its negatives, it compares within each batch"
        )
    caches = not isinstance(run, JointRunConfig) and run.data.cache
    if c.loaders > 1 and caches:
        yield f"each of {c.loaders} loaders keeps features of its own; --data.cache False leaves them to the system"


def _batches(run: RunConfig, parts: Mapping[str, Part], multiple: int) -> Batches:
    each = {part.task: CroppedBatches(part.train, part.run.train, multiple) for part in parts.values()}
    return JointBatches(each, run.rest) if isinstance(run, JointRunConfig) else next(iter(each.values()))


def thresholds_of(run: RunConfig) -> tuple[float, ...]:
    """tIoU thresholds at which the run's data set is scored."""
    return run.data.thresholds or THRESHOLDS


def read_run(folder: Path) -> RunConfig:
    """The settings that a run was trained with.

    Raises:
        ModelError: the folder holds no run.
    """
    try:
        told = json.loads((folder / RUN).read_text("utf-8"))
        kind = JointRunConfig if isinstance(told, dict) and "sets" in told else RunConfig
        return from_dict(kind, told, where=RUN)
    except (OSError, ValueError, ConfigError) as error:
        raise ModelError(
            f"{folder}: holds no training run that can be read ({error}); name a folder of --out"
        ) from None


def on_task(run: RunConfig, task: str) -> RunConfig:
    """The run on one of its data sets, by the name of its task in any letters; of one data set `task` is "".

    Raises:
        ConfigError: `task` is none of the run's, or is missing where there are several.
    """
    if not isinstance(run, JointRunConfig):
        if task:
            raise ConfigError("the run is on one data set; leave --task out")
        return run
    if not task:
        raise ConfigError(f"the run has several tasks; name one with --task: {', '.join(run.tasks)}")
    return run.of(task.lower())


def _lines_before(path: Path, state: Path) -> list[str]:
    """Metrics of the epochs that the saved state has behind it; a later line would be written a second time."""
    if not path.is_file() or not state.is_file():
        return []
    done = read_place(state).epoch
    lines = path.read_text("utf-8").splitlines()
    try:
        return [line for line in lines if json.loads(line)["number"] <= done]
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{path}: a line of it is no metrics of an epoch; mend or delete the file") from None
