"""Recipes of LoCo: functions that return a RunConfig. What a recipe does not name is the paper's default.

Settings: paper, Section 4.1; where its text is silent, those of the works it builds on (see avloc.config).
"""

from __future__ import annotations

from dataclasses import replace

from avloc.config import DataConfig, LocoConfig, RunConfig, TrainConfig
from avloc.recipes.common import small_training


def loco_unav100_onepeace() -> RunConfig:
    """The paper's model on ONE-PEACE features: width 512, 256 steps of 0.25 s.

    Settings: the paper's; where its text is silent, ours (docs/training.md).
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=LocoConfig(ffn_ratio=1.5, fusion_ffn_ratio=1.0, fusion_attention_width=512),
        train=TrainConfig(longest_steps=256),
    )


def loco_unav100_i3d_vggish() -> RunConfig:
    """The paper's model on I3D and VGGish features: width 512, 224 steps of 0.32 s.

    Settings: the paper's; where its text is silent, ours (docs/training.md).
    """
    return RunConfig(
        data=DataConfig(layout="i3d-vggish"),
        network=LocoConfig(
            visual_width=2048, audio_width=128, ffn_ratio=1.5, fusion_ffn_ratio=1.0, fusion_attention_width=512
        ),
        train=TrainConfig(longest_steps=224),
    )


def loco_small() -> RunConfig:
    """The same network, narrow, trained until its validation curve is flat: 23 minutes of a CPU core, on 1,000 videos
    of simulated features of width 128.

    Settings: ours.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=LocoConfig(
            visual_width=128,
            audio_width=128,
            width=64,
            ffn_ratio=2.0,
            fusion_ffn_ratio=1.0,
            fusion_attention_width=64,
            unimodal_blocks=1,
        ),
        # Chosen with the base model, on validation (docs/training.md).
        train=replace(small_training(), learning_rate=2e-3),
    )


def loco_medium() -> RunConfig:
    """Between the small one and the paper's: for a GPU or a night, on simulated features of width 128.

    Settings: ours.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=LocoConfig(
            visual_width=128,
            audio_width=128,
            width=128,
            ffn_ratio=2.0,
            fusion_ffn_ratio=1.0,
            fusion_attention_width=128,
        ),
        train=TrainConfig(
            epochs=40,
            warmup_epochs=4,
            batch=16,
            learning_rate=1e-3,
            weight_decay=0.01,
            ema_decay=0.99,
            longest_steps=256,
            validate_every=2,
        ),
    )


def loco_composed() -> RunConfig:
    """The model that ships as loco, made again from composed videos, which `avloc compose --features` makes.

    Settings: ours.
    """
    return RunConfig(
        data=DataConfig(layout="avloc"),
        network=LocoConfig(
            visual_width=1280 + 1000,
            audio_width=1024 + 521,
            width=88,
            ffn_ratio=2.0,
            input_dropout=0.2,
            dropout=0.1,
        ),
        train=TrainConfig(
            epochs=20,
            warmup_epochs=3,
            learning_rate=1e-3,
            weight_decay=0.05,
            crop_share=(0.5, 1.0),
            longest_steps=256,
            validate_every=5,
        ),
    )
