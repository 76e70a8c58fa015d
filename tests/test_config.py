"""Settings from plain data, strictly."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from avloc.config import (
    AttentionConfig,
    DecodingConfig,
    FeatureConfig,
    LccConfig,
    LocoConfig,
    LossConfig,
    ModelConfig,
    TrainConfig,
    from_dict,
    to_dict,
)
from avloc.errors import ConfigError

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


@pytest.mark.parametrize("config", [MODEL, LossConfig(), TrainConfig(crop_share=(0.5, 1.0)), LocoConfig()])
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
        (FeatureConfig, {"extractor": ["a"]}, "str is needed"),
        (AttentionConfig, {"kind": "globl"}, "config.kind is 'globl'; one of 'global', 'fixed', 'cdp' is needed"),
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


def test_the_place_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^model\.json\.network has no setting"):
        from_dict(ModelConfig, {**to_dict(MODEL), "network": {"heds": 1}}, where="model.json")


def test_configs_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MODEL.name = "other"  # type: ignore[misc]
