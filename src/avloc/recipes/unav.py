"""Recipes of UnAV (Geng et al. 2023): functions that return a RunConfig."""

from __future__ import annotations

from avloc.config import DataConfig, RunConfig, UnavConfig
from avloc.recipes.common import class_aware_losses, small_training, unav100_decoding, unav100_training


def unav_unav100_i3d_vggish() -> RunConfig:
    """UnAV as its authors trained it: I3D and VGGish features, width 512, 224 steps of 0.32 s.

    Settings: official; batches are drawn by length, which theirs are not (--train.pool-batches 1).
    """
    return RunConfig(
        data=DataConfig(layout="i3d-vggish"),
        network=UnavConfig(visual_width=2048, audio_width=128, steps=224),
        loss=class_aware_losses(),
        train=unav100_training(224),
        decoding=unav100_decoding(),
    )


def unav_unav100_onepeace() -> RunConfig:
    """UnAV on ONE-PEACE features: width 512, 256 steps of 0.25 s.

    Settings: official; batches are drawn by length, which theirs are not (--train.pool-batches 1).
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=UnavConfig(visual_width=1536, audio_width=1536, steps=256),
        loss=class_aware_losses(),
        train=unav100_training(256),
        decoding=unav100_decoding(),
    )


def unav_small() -> RunConfig:
    """The same network, narrow: up to 20 minutes of a CPU core on 1,000 videos of simulated features of width 128.

    Settings: ours.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=UnavConfig(
            visual_width=128,
            audio_width=128,
            steps=256,
            width=64,
            head_width=64,
            stem_blocks=1,
            dependency_width=8,
        ),
        loss=class_aware_losses(),
        train=small_training(5, 1),
        decoding=unav100_decoding(),
    )
