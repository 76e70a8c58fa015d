"""Recipes for data sets besides UnAV-100 and those that methods brought with them: functions that return a RunConfig.

AVE, OV-AVEBench and LLP are clips of ten seconds, labelled by the second: few levels, for events of a second to all
of the clip. EPIC-Sounds are videos of minutes in which short sounds follow one another.
"""

from __future__ import annotations

from dataclasses import replace

from avloc.config import ActionFormerConfig, DataConfig, DenseLossConfig, LocoConfig, LocoLossConfig, RunConfig
from avloc.recipes.common import small_training, unav100_decoding, unav100_training

_CLIP_STEPS = 40
"""Ten seconds of ONE-PEACE's 0.25 s."""

EPIC_SOUNDS_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""tIoU thresholds of EPIC-Sounds' detection challenge."""


def _ten_seconds(data: DataConfig) -> RunConfig:
    network = LocoConfig(levels=4, ffn_ratio=1.5, fusion_ffn_ratio=1.0, fusion_attention_width=512)
    train = unav100_training(_CLIP_STEPS)
    return RunConfig(data=data, network=network, loss=LocoLossConfig(first_reach=8.0), train=train)


def loco_ave() -> RunConfig:
    """LoCo on AVE: clips of ten seconds with one event each, ONE-PEACE features. For `avloc test --metrics
    segment-accuracy`.

    Settings: ours; the paper has no such row.
    """
    return _ten_seconds(DataConfig(layout="onepeace", validation_split="val", forgiving=True))


def loco_ave_small() -> RunConfig:
    """The same, narrow and trained shortly: a few minutes of a CPU core on simulated features of width 128.

    Settings: ours.
    """
    run = loco_ave()
    network = LocoConfig(
        visual_width=128, audio_width=128, width=64, levels=4, ffn_ratio=2.0, fusion_ffn_ratio=1.0,
        fusion_attention_width=64, unimodal_blocks=1,
    )  # fmt: skip
    return replace(run, network=network, train=replace(small_training(10), longest_steps=_CLIP_STEPS))


def loco_llp() -> RunConfig:
    """LoCo on LLP, ONE-PEACE features: each class as heard and as seen. Training clips tell what is in them, not
    when: it is taken to be there all the time. For `avloc test --metrics by-modality`.

    Settings: ours; the paper has no such row.
    """
    return _ten_seconds(DataConfig(layout="onepeace", validation_split="val", forgiving=True))


def loco_ov_ave() -> RunConfig:
    """LoCo on the classes of OV-AVEBench, ONE-PEACE features; it learns those alone that training clips have. For
    `avloc test --metrics segment-accuracy`.

    Settings: ours; the paper has no such row.
    """
    return _ten_seconds(DataConfig(layout="onepeace", validation_split="val"))


def actionformer_epic_sounds() -> RunConfig:
    """ActionFormer on EPIC-Sounds, features of `avloc extract`: local attention, 2304 steps. The test set's labels
    are not public: the validation split is validated and tested.

    Settings: ours, from the authors' for THUMOS14.
    """
    return RunConfig(
        data=DataConfig(
            layout="avloc",
            validation_split="validation",
            test_split="validation",
            thresholds=EPIC_SOUNDS_THRESHOLDS,
            forgiving=True,
        ),
        network=ActionFormerConfig(classes=43, steps=2304, windows=(19,) * 6, position=False),
        loss=DenseLossConfig(normalizer_start=250.0),
        train=replace(unav100_training(2304), batch=2),
        decoding=replace(unav100_decoding(), keep=2000),
    )
