"""Recipes of ActionFormer (Zhang, Wu and Li 2022): functions that return a RunConfig.

The authors never trained on UnAV-100 and the rivals' settings in its papers are not stated: where a recipe says
"ours", sizes are the authors' for THUMOS14 and the schedule is that of UnAV (Geng et al. 2023), made from their code.
"""

from __future__ import annotations

from avloc.config import ActionFormerConfig, DataConfig, DecodingConfig, DenseLossConfig, RunConfig, TrainConfig
from avloc.recipes.common import (
    ACTIVITYNET_THRESHOLDS,
    small_training,
    thumos14_data,
    unav100_decoding,
    unav100_training,
)


def actionformer_unav100_i3d_vggish() -> RunConfig:
    """ActionFormer on I3D and VGGish features side by side: width 512, 224 steps of 0.32 s.

    Settings: ours, from the authors' for THUMOS14 and the schedule of UnAV.
    """
    return RunConfig(
        data=DataConfig(layout="i3d-vggish"),
        network=ActionFormerConfig(visual_width=2048, audio_width=128, steps=224),
        loss=DenseLossConfig(normalizer_start=250.0),
        train=unav100_training(224),
        decoding=unav100_decoding(),
    )


def actionformer_unav100_onepeace() -> RunConfig:
    """ActionFormer on ONE-PEACE features side by side: width 512, 256 steps of 0.25 s.

    Settings: ours, from the authors' for THUMOS14 and the schedule of UnAV.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=ActionFormerConfig(visual_width=1536, audio_width=1536, steps=256),
        loss=DenseLossConfig(normalizer_start=250.0),
        train=unav100_training(256),
        decoding=unav100_decoding(),
    )


def actionformer_small() -> RunConfig:
    """The same network, narrow: up to 20 minutes of a CPU core on 1,000 videos of simulated features of width 128.

    Settings: ours.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=ActionFormerConfig(
            visual_width=128, audio_width=128, steps=256, width=64, head_width=64, stem_blocks=1
        ),
        loss=DenseLossConfig(),
        train=small_training(),
        decoding=unav100_decoding(),
    )


def actionformer_thumos_i3d() -> RunConfig:
    """The authors' model of THUMOS14: two-stream I3D features, width 512, local attention, 2304 steps of 0.13 s.

    Settings: official. As is usual there, the epoch is chosen by the test videos.
    """
    return RunConfig(
        data=thumos14_data(),
        network=ActionFormerConfig(
            classes=20, visual_width=2048, audio_width=0, steps=2304, windows=(19,) * 6, position=False
        ),
        loss=DenseLossConfig(normalizer_start=100.0),
        train=TrainConfig(
            epochs=35,
            warmup_epochs=5,
            least_rate=1e-8,
            batch=2,
            drop_last=True,
            learning_rate=1e-4,
            weight_decay=0.05,
            ema_warmup=False,
            longest_steps=2304,
        ),
        decoding=DecodingConfig(keep=200, min_length_steps=0.05, clip="after", nms_sigma=0.5),
    )


def actionformer_anet_i3d() -> RunConfig:
    """The authors' model of ActivityNet 1.3: proposals of one class on I3D features, each video resized to 192 steps.

    Settings: official. For `avloc import`; avloc has no layout for these features.
    """
    return RunConfig(
        data=DataConfig(
            layout="other",
            train_split="training",
            test_split="validation",
            thresholds=ACTIVITYNET_THRESHOLDS,
            forgiving=True,
        ),
        network=ActionFormerConfig(
            classes=1,
            visual_width=2048,
            audio_width=0,
            steps=192,
            width=256,
            head_width=256,
            windows=(7, 7, 7, 7, 7, -1),
        ),
        loss=DenseLossConfig(smoothing=0.1, regression_weight=2.0, normalizer_start=200.0),
        train=TrainConfig(
            epochs=15,
            warmup_epochs=5,
            least_rate=1e-8,
            batch=16,
            drop_last=True,
            learning_rate=1e-3,
            weight_decay=0.05,
            ema_warmup=False,
            longest_steps=192,
        ),
        decoding=DecodingConfig(
            min_length_steps=0.001,
            clip="after",
            nms_sigma=0.75,
            nms_classes="all",
            voting_iou=0.9,
            voting="score-iou",
        ),
    )
