"""Recipes of TriDet (Shi et al. 2023): functions that return a RunConfig.

The authors never trained on UnAV-100 and the rivals' settings in its papers are not stated: where a recipe says
"ours", sizes are the authors' for THUMOS14 and the schedule is that of UnAV (Geng et al. 2023).
"""

from __future__ import annotations

from avloc.config import DataConfig, DecodingConfig, DenseLossConfig, RunConfig, TrainConfig, TriDetConfig
from avloc.recipes.common import small_training, thumos14_data, unav100_decoding, unav100_training


def tridet_unav100_i3d_vggish() -> RunConfig:
    """TriDet on I3D and VGGish features side by side: width 512, 16 bins, 224 steps of 0.32 s.

    Settings: ours, from the authors' for THUMOS14 and the schedule of UnAV.
    """
    return RunConfig(
        data=DataConfig(layout="i3d-vggish"),
        network=TriDetConfig(visual_width=2048, audio_width=128, steps=224),
        loss=DenseLossConfig(iou_weight_power=0.2, normalizer_start=250.0),
        train=unav100_training(224),
        decoding=unav100_decoding(),
    )


def tridet_unav100_onepeace() -> RunConfig:
    """TriDet on ONE-PEACE features side by side: width 512, 16 bins, 256 steps of 0.25 s.

    Settings: ours, from the authors' for THUMOS14 and the schedule of UnAV.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=TriDetConfig(visual_width=1536, audio_width=1536, steps=256),
        loss=DenseLossConfig(iou_weight_power=0.2, normalizer_start=250.0),
        train=unav100_training(256),
        decoding=unav100_decoding(),
    )


def tridet_small() -> RunConfig:
    """The same network, narrow: up to 20 minutes of a CPU core on 1,000 videos of simulated features of width 128.

    Settings: ours.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=TriDetConfig(
            visual_width=128, audio_width=128, steps=256, width=64, head_width=64, hidden=96, stem_blocks=1
        ),
        loss=DenseLossConfig(iou_weight_power=0.2),
        train=small_training(),
        decoding=unav100_decoding(),
    )


def tridet_thumos_i3d() -> RunConfig:
    """The authors' model of THUMOS14: two-stream I3D features, width 512, 16 bins, 2304 steps of 0.13 s.

    Settings: official. As is usual there, the epoch is chosen by the test videos.
    """
    return RunConfig(
        data=thumos14_data(),
        network=TriDetConfig(classes=20, visual_width=2048, audio_width=0, steps=2304),
        loss=DenseLossConfig(iou_weight_power=0.2, normalizer_start=100.0),
        train=TrainConfig(
            epochs=40,
            warmup_epochs=20,
            least_rate=1e-8,
            batch=2,
            drop_last=True,
            learning_rate=1e-4,
            weight_decay=0.025,
            ema_warmup=False,
            longest_steps=2304,
        ),
        decoding=DecodingConfig(keep=2000, min_length_steps=0.05, clip="after", nms_sigma=0.5),
    )


def tridet_anet_tsp() -> RunConfig:
    """The authors' model of ActivityNet 1.3: proposals of one class on TSP features, 768 steps of 1.07 s.

    Settings: official. For `avloc import`; avloc has no layout for these features.
    """
    return RunConfig(
        data=DataConfig(layout="other"),
        network=TriDetConfig(
            classes=1,
            visual_width=512,
            audio_width=0,
            steps=768,
            width=256,
            head_width=512,
            hidden=2048,
            windows=(15,),
            window_growth=1.3,
            bins=12,
            position=True,
            start_deviation=0.2,
            input_noise=0.5,
        ),
        loss=DenseLossConfig(iou_weight_power=1.0, smoothing=0.1, normalizer_start=400.0),
        train=TrainConfig(
            epochs=15,
            warmup_epochs=10,
            least_rate=5e-5,
            batch=16,
            drop_last=True,
            learning_rate=1e-3,
            weight_decay=0.04,
            clip_norm=0.4,
            ema_warmup=False,
            longest_steps=768,
        ),
        decoding=DecodingConfig(
            keep=200,
            min_length_steps=0.1,
            clip="after",
            nms_sigma=0.7,
            nms_classes="all",
            voting_iou=0.95,
        ),
    )


def tridet_hacs_i3d() -> RunConfig:
    """The authors' model of HACS Segments: I3D features at two a second, width 1024, 512 steps, 7 levels.

    Settings: official. For `avloc import`; avloc has no layout for these features.
    """
    return RunConfig(
        data=DataConfig(layout="other"),
        network=TriDetConfig(
            classes=200,
            visual_width=2048,
            audio_width=0,
            steps=512,
            width=1024,
            levels=7,
            head_width=1024,
            head_kernel=5,
            boundary_kernel=1,
            hidden=1024,
            windows=(15,),
            window_growth=1.2,
            bins=12,
            position=True,
            start_deviation=0.1,
            input_noise=0.0,
        ),
        loss=DenseLossConfig(iou_weight_power=1.0, smoothing=0.1, normalizer_start=400.0),
        train=TrainConfig(
            epochs=13,
            warmup_epochs=10,
            least_rate=2e-4,
            batch=16,
            drop_last=True,
            learning_rate=1e-3,
            weight_decay=0.03,
            ema_warmup=False,
            longest_steps=512,
        ),
        decoding=DecodingConfig(keep=250, min_length_steps=0.05, clip="after", nms_sigma=0.75),
    )
