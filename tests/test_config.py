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
    RunConfig,
    TrainConfig,
    from_dict,
    to_dict,
)
from avloc.errors import ConfigError

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
        (LccConfig, {"sigma_range_steps": [0, 16]}, "lcc.sigma_range_steps is (0.0, 16.0); a finite range above 0"),
        (LccConfig, {"sigma_range_steps": [16, 0.3]}, "lcc.sigma_range_steps is (16.0, 0.3)"),
        (LccConfig, {"sigma_steps": 20}, "lcc.sigma_steps is 20.0; 0.3 to 16, its range, is needed"),
        (LccConfig, {"sigma_steps": NAN}, "lcc.sigma_steps is nan"),
        (LccConfig, {"temperature_range": [-0.1, 0.5]}, "lcc.temperature_range is (-0.1, 0.5)"),
        (LccConfig, {"temperature": 0.7}, "lcc.temperature is 0.7; 0.001 to 0.5, its range, is needed"),
        (LccConfig, {"softening": 1.5}, "lcc.softening is 1.5; a share from 0 to 1 is needed"),
        (LocoConfig, {"class_prior": 0}, "network.class_prior is 0.0; a share between 0 and 1 is needed"),
        (LocoConfig, {"class_prior": 1}, "network.class_prior is 1.0"),
        (LocoConfig, {"drop_path": 1}, "network.drop_path is 1.0; a share from 0 to below 1 is needed"),
        (LocoConfig, {"fusion_ffn_ratio": 0}, "network.fusion_ffn_ratio is 0.0; a finite number above 0 is needed"),
        (LossConfig, {"normalizer_start": 0}, "loss.normalizer_start is 0.0; a number above 0 is needed"),
        (LossConfig, {"normalizer_momentum": 1}, "loss.normalizer_momentum is 1.0; a share from 0 to below 1"),
        (LossConfig, {"lcc_weight": -0.1}, "loss.lcc_weight is -0.1; a finite weight of 0 or more is needed"),
        (LossConfig, {"lcc_weight": INF}, "loss.lcc_weight is inf"),
        (TrainConfig, {"learning_rate": 0}, "train.learning_rate is 0.0; a number above 0 is needed"),
        (TrainConfig, {"ema_decay": 1}, "train.ema_decay is 1.0; a share from 0 to below 1 is needed"),
        (TrainConfig, {"warmup_epochs": -1}, "train.warmup_epochs is -1; 0 or more is needed"),
        (RunConfig, {"train": {"longest_steps": 250}}, "train.longest_steps is 250; a multiple of 32, as 6 levels"),
        (RunConfig, {"train": {"longest_steps": 250}}, "such as 256, is needed"),
        (RunConfig, {"train": {"longest_steps": 3}}, "such as 32, is needed"),
    ],
)
def test_a_value_out_of_its_range_is_one_line(cls: type, data: Any, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict(cls, data)
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_the_place_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^model\.json\.network has no setting"):
        from_dict(ModelConfig, {**to_dict(MODEL), "network": {"heds": 1}}, where="model.json")


def test_configs_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MODEL.name = "other"  # type: ignore[misc]
