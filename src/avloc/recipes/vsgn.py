"""Recipes of VSGN (Zhao, Thabet and Ghanem 2021): functions that return a RunConfig.

Its authors published settings for THUMOS14 alone; those of the works that compare with it on UnAV-100 are not known.
Events of UnAV-100 may be as long as their videos, far longer than the anchors of THUMOS14: scales are larger here.
"""

from __future__ import annotations

from dataclasses import replace

from avloc.config import AnchorLossConfig, DataConfig, DecodingConfig, RunConfig, TrainConfig, VsgnConfig
from avloc.recipes.common import small_training, unav100_decoding


def _training(steps: int, epochs: int) -> TrainConfig:
    """As the authors train: Adam with L2 regularisation of everything, one rate, nothing clipped or averaged."""
    return TrainConfig(
        epochs=epochs,
        warmup_epochs=0,
        schedule="constant",
        batch=32,
        optimizer="adam",
        learning_rate=5e-5,
        weight_decay=1e-4,
        decay="all",
        clip_norm=None,
        ema_decay=None,
        longest_steps=steps,
    )


def vsgn_unav100_i3d_vggish() -> RunConfig:
    """VSGN on I3D and VGGish features side by side, not stitched: width 256, 256 steps of 0.32 s, strides 2 to 32.

    Settings: width, levels, graphs, losses, optimiser, rate and batch are the authors' for THUMOS14. Ours: anchors of
    3 and 7.5 strides (6 to 240 steps), 30 epochs (more than their 10, as videos are not cut into overlapping
    windows),
    crops and class-wise soft-NMS as for the other methods.
    """
    return RunConfig(
        data=DataConfig(layout="i3d-vggish"),
        network=VsgnConfig(visual_width=2048, audio_width=128),
        loss=AnchorLossConfig(),
        train=_training(256, 30),
        decoding=unav100_decoding(),
    )


def vsgn_unav100_i3d_vggish_stitched() -> RunConfig:
    """VSGN with self-stitching: every video beside its magnified copy, in 640 steps, strides 4 to 64.

    Settings: as without stitching, and the authors' share and gap. Ours: 640 steps, of which 0.4 are 256, so that
    every video of UnAV-100 counts as short; anchors of 12 to 480 steps, which hold a magnified video.
    """
    run = vsgn_unav100_i3d_vggish()
    network = VsgnConfig(visual_width=2048, audio_width=128, steps=640, stem_stride=2, stitch=True)
    return replace(run, network=network)


def vsgn_small() -> RunConfig:
    """The same network, narrow: up to 20 minutes of a CPU core on 1,000 videos of simulated features of width 128.

    Settings: ours.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=VsgnConfig(visual_width=128, audio_width=128, width=64, groups=16, head_blocks=2),
        loss=AnchorLossConfig(),
        train=small_training(),
        decoding=unav100_decoding(),
    )


def vsgn_thumos() -> RunConfig:
    """The authors' model of THUMOS14: two-stream features of every frame, 20 classes, 1280 steps, stitched.

    Settings: official, but that soft-NMS is not preceded by hard NMS within a window, that all lengths are kept, and
    that training takes crops where theirs takes overlapping windows. For `avloc import`; avloc has no layout
    for these
    features.
    """
    return RunConfig(
        data=DataConfig(layout="other"),
        network=VsgnConfig(
            classes=20, visual_width=2048, audio_width=0, steps=1280, stem_stride=2, scales=(1.0, 1.5), stitch=True
        ),
        loss=AnchorLossConfig(),
        train=_training(1280, 10),
        decoding=DecodingConfig(keep=200, nms_sigma=0.46, nms_classes="all"),
    )
