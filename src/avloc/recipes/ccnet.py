"""Recipes of CCNet (AAAI 2025): functions that return a RunConfig.

Layers along time make 256 steps the length of every input: longer videos are cropped in training, and detected in
windows.
"""

from __future__ import annotations

from avloc.config import CcnetConfig, DataConfig, RunConfig
from avloc.recipes.common import class_aware_losses, small_training, unav100_decoding, unav100_training


def ccnet_unav100_onepeace() -> RunConfig:
    """CCNet as its authors report it: ONE-PEACE features, width 512, 256 steps of 0.25 s.

    Settings: official; batches are drawn by length, which theirs are not (--train.pool-batches 1).
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=CcnetConfig(visual_width=1536, audio_width=1536, steps=256),
        loss=class_aware_losses(),
        train=unav100_training(256),
        decoding=unav100_decoding(),
    )


def ccnet_unav100_i3d_vggish() -> RunConfig:
    """CCNet with the sizes of its authors' settings file: I3D and VGGish features, width 512, 256 steps of 0.32 s.

    Settings: official, though no result with them is known; batches are drawn by length (--train.pool-batches 1).
    """
    return RunConfig(
        data=DataConfig(layout="i3d-vggish"),
        network=CcnetConfig(visual_width=2048, audio_width=128, steps=256),
        loss=class_aware_losses(),
        train=unav100_training(256),
        decoding=unav100_decoding(),
    )


def ccnet_small() -> RunConfig:
    """The same network, narrow: up to 20 minutes of a CPU core on 1,000 videos of simulated features of width 128.

    Settings: ours.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=CcnetConfig(
            visual_width=128,
            audio_width=128,
            steps=256,
            width=64,
            head_width=64,
            stem_blocks=1,
            dependency_width=8,
        ),
        loss=class_aware_losses(),
        train=small_training(3, 1),
        decoding=unav100_decoding(),
    )
