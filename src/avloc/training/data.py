"""What a run trains on: its data set, or several, opened and looked over; and what its model folder says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import get_args

from avloc.config import (
    AnyNetworkConfig,
    DataConfig,
    FeatureConfig,
    JointRunConfig,
    ModelConfig,
    RunConfig,
    TaskConfig,
)
from avloc.datasets.annotations import Annotations, read_annotations
from avloc.datasets.check import Report, check_dataset
from avloc.datasets.feature_dataset import FeatureDataset
from avloc.datasets.lenient import left_out
from avloc.errors import ConfigError
from avloc.features.layout import open_layout


@dataclass(frozen=True)
class Part:
    """One data set of a run: the run on it alone, and its two splits."""

    run: RunConfig
    train: FeatureDataset
    validation: FeatureDataset

    @property
    def task(self) -> str:
        """The task that it is for, of a network of several; else ""."""
        return next(iter(self.run.network.tasks), "")


Remark = Callable[[str], None]
"""Is told what a person should know of the data."""


def open_parts(run: RunConfig, on_remark: Remark | None = None) -> tuple[RunConfig, dict[str, Part]]:
    """The run fitted to its data, and its data sets by their names, all looked over; one alone has the name "".

    `on_remark` is told how much of a data set was left out, where that is wanted (`lenient`).

    Raises:
        ConfigError: features or annotations are not named, or several sets have features of other widths.
        FormatError, FeatureError: something is wrong with them; the video is named.
    """
    if not isinstance(run, JointRunConfig):
        train, validation = _splits(run.data, on_remark)
        run = fitted_to(run, train)
        return run, {"": Part(run, train, validation)}
    run.require_named()
    opened = {name: _splits(run.sets[name], on_remark) for name in run.tasks}
    first, widths = run.tasks[0], opened[run.tasks[0]][0].widths
    for name, (train, _) in opened.items():
        if train.widths != widths:
            raise ConfigError(
                f"sets.{name}.features are {train.widths[0]} and {train.widths[1]} wide, those of sets.{first} "
                f"{widths[0]} and {widths[1]}; one network needs features of the same encoders"
            )
    run = run.fitted({name: len(train.labels) for name, (train, _) in opened.items()}, widths)
    return run, {name: Part(run.of(name), *splits) for name, splits in opened.items()}


def _splits(data: DataConfig, on_remark: Remark | None) -> tuple[FeatureDataset, FeatureDataset]:
    """Both splits, looked over before the first step of training."""
    _require_named(data)
    splits = tuple(dict.fromkeys((data.train_split, data.validation_split)))
    if data.lenient:
        sound = _sound(data, splits, None, on_remark)
    else:
        _check(data, read_annotations(data.annotations, strict=False), splits).require()
        sound = read_annotations(data.annotations, forgiving=data.forgiving)
    return _opened(data, sound, data.train_split), _opened(data, sound, data.validation_split)


def open_split(
    run: RunConfig, split: str, labels: tuple[str, ...] | None = None, scores: bool | None = None
) -> FeatureDataset:
    """As `open_data`, of a run on one data set."""
    return open_data(run.data, split, labels, scores)


def open_data(
    data: DataConfig,
    split: str,
    labels: tuple[str, ...] | None = None,
    scores: bool | None = None,
    on_remark: Remark | None = None,
) -> FeatureDataset:
    """One split of a data set.

    scores: whether encoders' class scores are read; by default as the settings say, where the layout has any.
    on_remark: is told how much was left out, where that is wanted (`lenient`).

    Raises:
        ConfigError: features or annotations are not named.
        FormatError, FeatureError: they cannot be read.
    """
    _require_named(data)
    if data.lenient:
        return _opened(data, _sound(data, (split,), labels, on_remark), split, scores)
    return _opened(data, read_annotations(data.annotations, labels, forgiving=data.forgiving), split, scores)


def _opened(data: DataConfig, annotations: Annotations, split: str, scores: bool | None = None) -> FeatureDataset:
    layout = open_layout(data.features, data.layout)
    if scores is None:
        store = layout.store
        scores = data.scores and store is not None and store.visual_classes + store.audio_classes > 0
    return FeatureDataset(
        annotations,
        data.features,
        layout,
        split,
        scores=scores,
        cache=data.cache,
        resize_steps=data.resize_steps,
        modalities=data.modalities,
    )


def _check(data: DataConfig, annotations: Annotations, splits: Sequence[str]) -> Report:
    return check_dataset(
        annotations,
        data.features,
        open_layout(data.features, data.layout),
        splits=splits,
        needed=splits,
        forgiving=data.forgiving,
    )


def _sound(
    data: DataConfig, splits: Sequence[str], labels: tuple[str, ...] | None, on_remark: Remark | None
) -> Annotations:
    """The annotations without all that is wrong with single entries and videos of these splits."""
    loose = read_annotations(data.annotations, labels, strict=False)
    sound, gone = left_out(loose, _check(data, loose, splits), forgiving=data.forgiving, kept=splits)
    if gone is not None and on_remark is not None:
        on_remark(f"{data.annotations}: {gone}")
    return sound


def _require_named(data: DataConfig) -> None:
    for name in ("features", "annotations"):
        if not getattr(data, name):
            raise ConfigError(f"data.{name} is not set; name it with --data.{name}")


def fitted_to(run: RunConfig, data: FeatureDataset) -> RunConfig:
    """The run with the widths and the number of classes that its data has.

    Raises:
        ConfigError: one modality is there alone, and the network asks for both.
    """
    visual, audio = data.widths
    if not (visual and audio) and run.network.needs_both:
        alone = "audio" if audio else "visual"
        able = ", ".join(kind.method for kind in get_args(AnyNetworkConfig) if not kind.needs_both)
        raise ConfigError(
            f"the features are {alone} alone, and network.method {run.network.method!r} reads both modalities; "
            f"those that read one are {able}"
        )
    network = replace(run.network, visual_width=visual, audio_width=audio, classes=len(data.labels))
    return replace(run, network=network)


def model_config(run: RunConfig, parts: Mapping[str, Part], name: str, shown: Mapping[str, float]) -> ModelConfig:
    """What the model folder of a run says of itself; `shown` are the scores from which people see events, by part."""
    configs = {key: _part_config(part, name, shown.get(key)) for key, part in parts.items()}
    return in_one(configs, run.main) if isinstance(run, JointRunConfig) else configs[""]


def in_one(configs: Mapping[str, ModelConfig], main: str) -> ModelConfig:
    """What a folder says of a model of several tasks, from what each would say alone; `main` is its own."""
    kept = [f.name for f in fields(TaskConfig) if f.name != "task"]
    others = [
        TaskConfig(task=config.network.tasks[0], **{field: getattr(config, field) for field in kept})
        for name, config in configs.items()
        if name != main
    ]
    return replace(configs[main], others=tuple(others))


def _part_config(part: Part, name: str, shown: float | None) -> ModelConfig:
    run, data, grid = part.run, part.train, part.train.layout.grid
    config = ModelConfig(
        name=name,
        labels=data.labels,
        features=FeatureConfig(
            data.layout.streams,
            grid.stride_s,
            grid.window_s,
            grid.offset_s,
            scores=data.scores,
            resize_steps=data.resize_steps,
            visual_columns=data.columns.visual,
            audio_columns=data.columns.audio,
        ),
        network=run.network,
        decoding=run.decoding,
        window_steps=run.train.longest_steps,
    )
    return config if shown is None else replace(config, show_score=shown)
