"""Recipes of UniAV (Geng et al. 2024), its audio-visual events alone: functions that return a RunConfig.

Its authors train on three tasks at once; on one alone, settings are not theirs. Classes are text embeddings of
ONE-PEACE ("An audio visual event of <class>."), which their repository holds as data/unav100/unav100_prompt.npy: name
the file with --network.class-embeddings. Without it a table of the same size is learned, and the run says so.
"""

from __future__ import annotations

from avloc.config import DataConfig, RunConfig, UniavConfig
from avloc.recipes.common import class_aware_losses, small_training, unav100_decoding, unav100_training


def uniav_unav100_onepeace() -> RunConfig:
    """UniAV's audio-visual events on ONE-PEACE features: width 512, 256 steps of 0.25 s.

    Settings: ours, from the authors' for this task among three and the schedule of UnAV.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=UniavConfig(visual_width=1536, audio_width=1536, steps=256),
        loss=class_aware_losses(300.0),
        train=unav100_training(256),
        decoding=unav100_decoding(),
    )


def uniav_unav100_i3d_vggish() -> RunConfig:
    """UniAV's audio-visual events on I3D and VGGish features: width 512, 224 steps of 0.32 s.

    Settings: ours, from the authors' for this task among three and the schedule of UnAV.
    """
    return RunConfig(
        data=DataConfig(layout="i3d-vggish"),
        network=UniavConfig(visual_width=2048, audio_width=128, steps=224),
        loss=class_aware_losses(300.0),
        train=unav100_training(224),
        decoding=unav100_decoding(),
    )


def uniav_small() -> RunConfig:
    """The same network, narrow: up to 20 minutes of a CPU core on 1,000 videos of simulated features of width 128.

    Settings: ours; class embeddings are learned.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=UniavConfig(
            visual_width=128, audio_width=128, steps=256, width=64, head_width=64, stem_blocks=1, text_width=64
        ),
        loss=class_aware_losses(300.0),
        train=small_training(18),
        decoding=unav100_decoding(),
    )
