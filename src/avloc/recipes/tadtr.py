"""Recipes of TadTR: functions that return a RunConfig.

Its authors published settings for THUMOS-14 alone; those of the works that compare with it on UnAV-100 are not known.
"""

from __future__ import annotations

from avloc.config import DataConfig, DecodingConfig, QueryLossConfig, RunConfig, TadTrConfig, TrainConfig
from avloc.recipes.common import unav100_decoding

_SLOW = (("reference_points", 0.1), ("sampling_offsets", 0.1))
"""What says where to look learns at a tenth of the rate."""


def tadtr_unav100_i3d_vggish() -> RunConfig:
    """TadTR on I3D and VGGish features: 40 queries, width 256, whole videos of up to 224 steps of 0.32 s.

    Settings: network, losses, rates, decay and clipping are the authors' for THUMOS-14. Ours: a video is one slice,
    cropped as for the other methods; 30 epochs, a tenth of the rate after 25; actionness is held against a video's
    own events; soft-NMS as for the other methods (the authors have none within a slice).
    """
    return RunConfig(
        data=DataConfig(layout="i3d-vggish"),
        network=TadTrConfig(visual_width=2048, audio_width=128),
        loss=QueryLossConfig(),
        train=TrainConfig(
            epochs=30,
            warmup_epochs=0,
            schedule="steps",
            drop_epochs=(25,),
            batch=16,
            learning_rate=2e-4,
            rate_factors=_SLOW,
            weight_decay=1e-4,
            decay="all",
            clip_norm=0.1,
            ema_decay=None,
            longest_steps=224,
        ),
        decoding=unav100_decoding(),
    )


def tadtr_small() -> RunConfig:
    """The same network, narrow and trained shortly: minutes on a CPU core, on simulated features of width 128.

    Settings: ours.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=TadTrConfig(
            visual_width=128, audio_width=128, width=64, heads=4, encoder_layers=2, decoder_layers=2, ffn_width=128
        ),
        loss=QueryLossConfig(),
        train=TrainConfig(
            epochs=30,
            warmup_epochs=1,
            schedule="steps",
            drop_epochs=(25,),
            batch=8,
            learning_rate=1e-3,
            rate_factors=_SLOW,
            weight_decay=1e-4,
            decay="all",
            clip_norm=1.0,
            ema_decay=0.99,
            longest_steps=256,
        ),
        decoding=unav100_decoding(),
    )


def tadtr_thumos() -> RunConfig:
    """TadTR as its authors trained it on THUMOS-14: I3D features alone, 20 classes, slices of 128 steps.

    Settings: official; slices overlap, and the authors suppress where two do, here it is everywhere. For
    `avloc import`; avloc has no layout for these features.
    """
    return RunConfig(
        data=DataConfig(layout="other"),
        network=TadTrConfig(classes=20, visual_width=2048, audio_width=0),
        loss=QueryLossConfig(actionness_events="batch"),
        train=TrainConfig(
            epochs=16,
            warmup_epochs=0,
            schedule="steps",
            drop_epochs=(14,),
            batch=16,
            learning_rate=2e-4,
            rate_factors=_SLOW,
            weight_decay=1e-4,
            decay="all",
            clip_norm=0.1,
            ema_decay=None,
            crop_share=(1.0, 1.0),
            keep_share=0.75,
            longest_steps=128,
        ),
        decoding=DecodingConfig(keep=200, clip="after", nms="hard", nms_iou=0.4),
    )
