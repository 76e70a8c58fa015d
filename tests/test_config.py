"""Settings from plain data, strictly."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

import pytest

from avloc.config import (
    LATER,
    AnyLossConfig,
    AnyNetworkConfig,
    AttentionConfig,
    DecodingConfig,
    FeatureConfig,
    LccConfig,
    LocoConfig,
    LocoLossConfig,
    ModelConfig,
    NetworkConfig,
    RunConfig,
    TrainConfig,
    came_later,
    from_dict,
    read_as,
    to_dict,
)
from avloc.errors import ConfigError
from avloc.streams import STREAMS, Streams

NAN, INF = float("nan"), float("inf")

MODEL = ModelConfig(
    "tiny",
    ("dog barking", "cat meowing"),
    FeatureConfig(stride_s=0.5, scores=False),
    LocoConfig(
        classes=2, attention=AttentionConfig(kind="fixed", window=4), lcc=LccConfig(sigma_range_steps=(0.5, 8.0))
    ),
    DecodingConfig(keep=7),
    window_steps=64,
    show_score=0.25,
)


@pytest.mark.parametrize("config", [MODEL, LocoLossConfig(), TrainConfig(crop_share=(0.5, 1.0)), LocoConfig()])
def test_there_and_back_through_json(config: Any) -> None:
    assert from_dict(type(config), json.loads(json.dumps(to_dict(config)))) == config


def test_defaults_fill_what_is_not_said() -> None:
    assert from_dict(TrainConfig, {}) == TrainConfig()
    assert from_dict(TrainConfig, {"epochs": 3}) == TrainConfig(epochs=3)


def test_a_whole_number_is_a_number() -> None:
    config = from_dict(TrainConfig, {"learning_rate": 1, "crop_share": [1, 1]})
    assert config.learning_rate == 1.0 and isinstance(config.learning_rate, float)
    assert config.crop_share == (1.0, 1.0)


@pytest.mark.parametrize(
    ("cls", "data", "reason"),
    [
        (TrainConfig, {"epoch": 3}, "config has no setting 'epoch'; did you mean 'epochs'?"),
        (LocoConfig, {"attention": {"windw": 3}}, "config.attention has no setting 'windw'; did you mean 'window'?"),
        (DecodingConfig, {"zzz": 3}, "known are before_nms, keep, min_score"),
        (DecodingConfig, {7: 3}, "config has no setting 7"),
        (TrainConfig, {"epochs": 3.0}, "config.epochs is 3.0; int is needed"),
        (TrainConfig, {"epochs": "3"}, "config.epochs is '3'; int is needed"),
        (TrainConfig, {"epochs": True}, "config.epochs is True; int is needed"),
        (TrainConfig, {"learning_rate": True}, "config.learning_rate is True; float is needed"),
        (TrainConfig, {"learning_rate": None}, "config.learning_rate is None; float is needed"),
        (TrainConfig, {"learning_rate": 10**400}, "config.learning_rate is larger than any float"),
        (FeatureConfig, {"scores": 1}, "config.scores is 1; bool is needed"),
        (FeatureConfig, {"streams": "avloc-embedded/3"}, "config.streams is str; a group of settings is needed"),
        (FeatureConfig, {"streams": {"visual": ["a"]}}, "config.streams.visual is ['a']; str is needed"),
        (FeatureConfig, {"streams": {"cue": "a"}}, "config.streams has no setting 'cue'; did you mean 'cues'?"),
        (
            AttentionConfig,
            {"kind": "globl"},
            "config.kind is 'globl'; one of 'global', 'fixed', 'cdp', 'none' is needed",
        ),
        (AttentionConfig, {"kind": ["cdp"]}, "one of 'global'"),
        (LocoConfig, {"attention": "cdp"}, "config.attention is str; a group of settings is needed"),
        (
            LocoConfig,
            {"lcc": {"temperature_range": [0.1]}},
            "config.lcc.temperature_range has 1 entries; 2 are needed",
        ),
        (LocoConfig, {"lcc": {"temperature_range": 0.1}}, "a list is needed"),
        (LocoConfig, {"lcc": {"temperature_range": [0.1, "x"]}}, r"temperature_range[1] is 'x'; float is needed"),
        (ModelConfig, {**to_dict(MODEL), "labels": ["a", 3]}, "config.labels[1] is 3; str is needed"),
        (ModelConfig, {**to_dict(MODEL), "labels": "ab"}, "config.labels is 'ab'; a list is needed"),
        (ModelConfig, {"name": "x"}, "config lacks the setting 'labels'"),
        (ModelConfig, [], "config is list; a group of settings is needed"),
        (ModelConfig, None, "config is NoneType"),
    ],
)
def test_what_is_wrong_is_named(cls: type, data: Any, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict(cls, data)
    assert reason in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("cls", "data", "reason"),
    [
        (AttentionConfig, {"window": 3}, "attention.window is 3; an even number of steps, or 0 for all, is needed"),
        (LccConfig, {"sigma_range_steps": [0, 16]}, "lcc.sigma_range_steps is (0.0, 16.0); above 0"),
        (LccConfig, {"sigma_range_steps": [16, 0.3]}, "lcc.sigma_range_steps is (16.0, 0.3)"),
        (LccConfig, {"sigma_steps": 20}, "lcc.sigma_steps is 20.0; 0.3 to 16, its range, is needed"),
        (LccConfig, {"sigma_steps": NAN}, "lcc.sigma_steps is nan"),
        (LccConfig, {"temperature_range": [-0.1, 0.5]}, "lcc.temperature_range is (-0.1, 0.5)"),
        (LccConfig, {"temperature": 0.7}, "lcc.temperature is 0.7; 0.001 to 0.5, its range, is needed"),
        (LccConfig, {"softening": 1.5}, "lcc.softening is 1.5; at least 0 and at most 1 is needed"),
        (LocoConfig, {"class_prior": 0}, "network.class_prior is 0.0; above 0 and below 1 is needed"),
        (LocoConfig, {"class_prior": 1}, "network.class_prior is 1.0"),
        (LocoConfig, {"drop_path": 1}, "network.drop_path is 1.0; at least 0 and below 1 is needed"),
        (LocoConfig, {"fusion_ffn_ratio": 0}, "network.fusion_ffn_ratio is 0.0; above 0 is needed"),
        (LocoLossConfig, {"normalizer_start": 0}, "loss.normalizer_start is 0.0; above 0 is needed"),
        (
            LocoLossConfig,
            {"normalizer_momentum": 1},
            "loss.normalizer_momentum is 1.0; at least 0 and below 1",
        ),
        (LocoLossConfig, {"lcc_weight": -0.1}, "loss.lcc_weight is -0.1; at least 0 is needed"),
        (LocoLossConfig, {"lcc_weight": INF}, "loss.lcc_weight is inf"),
        (TrainConfig, {"learning_rate": 0}, "train.learning_rate is 0.0; above 0 is needed"),
        (TrainConfig, {"ema_decay": 1}, "train.ema_decay is 1.0; at least 0 and below 1 is needed"),
        (TrainConfig, {"warmup_epochs": -1}, "train.warmup_epochs is -1; at least 0 is needed"),
        (
            FeatureConfig,
            {"embeddings": False, "scores": False},
            "features.embeddings is False; embeddings, scores",
        ),
        (FeatureConfig, {"streams": {"visual": "a/1"}}, "features.streams is a/1 (visual); an identity of audio"),
        (FeatureConfig, {"streams": {}}, "features.streams is nothing; an identity of visual, such as avloc-emb"),
        (FeatureConfig, {"streams": dict.fromkeys(STREAMS, "a\n")}, "an identity of visual"),
        (RunConfig, {"train": {"longest_steps": 250}}, "train.longest_steps is 250; a multiple of 32, the stride of"),
        (RunConfig, {"train": {"longest_steps": 250}}, "such as 256, is needed"),
        (RunConfig, {"train": {"longest_steps": 3}}, "such as 32, is needed"),
        (RunConfig, {"loss": {"method": "loco", "ranges": [[0, 4]]}}, "none, or one for each of 6 levels, is needed"),
        (TrainConfig, {"epochs": 10**400}, "train.epochs is 1000"),
        (TrainConfig, {"epochs": 10**12}, "at least 1 and at most 1e+07 is needed"),
    ],
)
def test_a_value_out_of_its_range_is_one_line(cls: type, data: Any, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict(cls, data)
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_a_model_names_the_streams_that_it_reads() -> None:
    seen = FeatureConfig(Streams(cues="b/2"), scores=False, embeddings=False, cues=3)
    assert seen.read == Streams(cues="b/2")
    every = FeatureConfig(Streams("a/1", "a/2", "a/3", "a/4", "a/5"))
    assert every.read == Streams("a/1", "a/2", "a/3", "a/4")
    assert from_dict(FeatureConfig, json.loads(json.dumps(to_dict(every)))) == every


def test_the_place_is_named() -> None:
    network = {"method": "loco", "heds": 1}
    with pytest.raises(ConfigError, match=r"^model\.json\.network of loco has no setting 'heds'; .* 'heads'"):
        from_dict(ModelConfig, {**to_dict(MODEL), "network": network}, where="model.json")


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ({"classes": 2}, "lacks the setting 'method'; one of loco, grounded"),
        ({"method": "lcoo"}, "method is 'lcoo'; did you mean 'loco'?"),
        ({"method": 7}, "method is 7; known are loco"),
        ({"method": "tridet", "heads": 4}, "network of tridet has no setting 'heads'"),
        ("loco", "is str; a group of settings is needed"),
    ],
)
def test_the_tag_says_which_settings_a_network_has(network: object, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict(ModelConfig, {**to_dict(MODEL), "network": network})
    assert reason in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [*typing.get_args(AnyNetworkConfig), *typing.get_args(AnyLossConfig)])
def test_every_kind_comes_back_by_its_tag(kind: Any) -> None:
    hint = AnyNetworkConfig if issubclass(kind, NetworkConfig) else AnyLossConfig
    data = json.loads(json.dumps(to_dict(kind())))
    assert next(iter(data)) == "method"
    assert read_as(hint, data) == kind()


ALL = [
    AttentionConfig,
    LccConfig,
    DecodingConfig,
    FeatureConfig,
    TrainConfig,
    *typing.get_args(AnyNetworkConfig),
    *typing.get_args(AnyLossConfig),
]


def numbers(kind: Any) -> list[str]:
    hints = typing.get_type_hints(kind)
    return [
        f.name for f in dataclasses.fields(kind) if {int, float} & {hints[f.name], *typing.get_args(hints[f.name])}
    ]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ALL for name in numbers(kind)])
def test_every_number_is_checked_when_it_is_read(kind: Any, name: str) -> None:
    field = next(f for f in dataclasses.fields(kind) if f.name == name)
    assert "bounds" in field.metadata, f"{kind.__name__}.{name} has no bounds"
    many = isinstance(field.default, tuple)
    for odd in (NAN, INF, -INF):
        value = (odd,) * max(1, len(field.default)) if many else odd
        with pytest.raises(ConfigError, match=rf"\.{name} is "):
            kind(**{name: value})


def test_configs_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MODEL.name = "other"  # type: ignore[misc]


def test_settings_that_came_later_are_settings_and_mean_one_thing_by_name() -> None:
    groups = dict(typing.get_type_hints(RunConfig))
    for path in LATER:
        kinds = [groups[path.split(".")[0]]]
        for name in path.split(".")[1:]:
            hints = [typing.get_type_hints(one) for kind in kinds for one in (typing.get_args(kind) or (kind,))
                     if dataclasses.is_dataclass(one)]  # fmt: skip
            kinds = [found[name] for found in hints if name in found]
            assert kinds, path
    by_name: dict[str, object] = {}
    for path, value in LATER.items():
        assert by_name.setdefault(path.rpartition(".")[2], value) == value, path


def test_what_a_run_without_a_later_setting_did() -> None:
    assert came_later("data.thresholds", []) and not came_later("data.thresholds", [0.5])
    assert came_later("sets.tal.test_split", "test") and came_later("decoding.rivals", [])
    assert not came_later("train.epochs", 3)
