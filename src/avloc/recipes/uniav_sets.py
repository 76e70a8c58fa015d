"""Recipes of UniAV (Geng et al. 2024) on three data sets in turn (AT), and from its weights on one (STF).

Each data set has a task, experts of its own, and flags: --sets.tal (actions: ActivityNet-1.3), --sets.avel
(audio-visual events: UnAV-100), --sets.sed (sound events: DESED); --tasks leaves some out. Classes are text
embeddings of ONE-PEACE, which the authors' repository holds (anet_prompt.npy, unav100_prompt.npy, dcase_prompt.npy):
name them with --sets.tal.class-embeddings and so on. Without them tables are learned.
"""

from __future__ import annotations

from dataclasses import fields, replace

from avloc.config import DataConfig, JointRunConfig, RunConfig, SetConfig, TrainConfig, UniavConfig
from avloc.recipes.common import (
    ACTIVITYNET_THRESHOLDS,
    class_aware_losses,
    small_training,
    unav100_decoding,
    unav100_training,
)
from avloc.recipes.uniav import uniav_small


def _activitynet() -> SetConfig:
    return SetConfig(
        layout="onepeace-activitynet",
        train_split="training",
        validation_split="validation",
        test_split="validation",
        resize_steps=256,
        forgiving=True,
        normalizer_start=400.0,
        smoothing=0.1,
        nms_sigma=0.75,
        thresholds=ACTIVITYNET_THRESHOLDS,
    )


def _desed() -> SetConfig:
    return SetConfig(
        train_split="validation",
        validation_split="public_eval",
        test_split="public_eval",
        steps=64,
        keep_share=0.3,
        normalizer_start=400.0,
    )


def _joint(train: TrainConfig, network: UniavConfig, sets: dict[str, SetConfig]) -> JointRunConfig:
    run = JointRunConfig(
        loss=class_aware_losses(300.0), train=train, decoding=unav100_decoding(), network=network, sets=sets
    )
    return run.fitted({"tal": 200, "avel": 100, "sed": 10}, (network.visual_width, network.audio_width))


def uniav_at_onepeace() -> JointRunConfig:
    """UniAV (AT): ActivityNet-1.3, UnAV-100 and DESED in turn on ONE-PEACE features, width 512.

    Settings: official, but that UnAV-100's validation split is validated where the authors take its test split.
    """
    train = TrainConfig(
        epochs=7,
        warmup_epochs=2,
        least_rate=1e-8,
        batch=16,
        drop_last=True,
        learning_rate=1e-3,
        weight_decay=1e-4,
        ema_warmup=False,
        longest_steps=256,
    )
    sets = {"tal": _activitynet(), "avel": SetConfig(), "sed": _desed()}
    return _joint(train, UniavConfig(visual_width=1536, audio_width=1536), sets)


def uniav_at_small() -> JointRunConfig:
    """The same network, narrow and trained shortly, on simulated features of width 128 of three data sets.

    Settings: ours; each set has the splits train and validation. Class embeddings are learned.
    """
    sets = {
        name: replace(own, train_split="train", validation_split="validation", test_split="test")
        for name, own in (("tal", _activitynet()), ("avel", SetConfig()), ("sed", _desed()))
    }
    network = uniav_small().network
    assert isinstance(network, UniavConfig)
    return _joint(small_training(5), network, sets)


def _from_all_tasks(train: TrainConfig) -> TrainConfig:
    """Fine-tuning from weights of all tasks; what the authors did is not stated."""
    return replace(train, epochs=8, warmup_epochs=1, learning_rate=1e-4, weight_decay=1e-4)


def uniav_stf_unav100_onepeace() -> RunConfig:
    """UniAV (STF) on UnAV-100: begin with --init and the folder of a run of uniav-at-onepeace; width 512.

    Settings: ours; those of the authors are not stated.
    """
    return RunConfig(
        data=DataConfig(layout="onepeace"),
        network=UniavConfig(visual_width=1536, audio_width=1536, steps=256),
        loss=class_aware_losses(300.0),
        train=_from_all_tasks(unav100_training(256)),
        decoding=unav100_decoding(),
    )


def uniav_stf_activitynet_onepeace() -> RunConfig:
    """UniAV (STF) on ActivityNet-1.3: begin with --init and the folder of a run of uniav-at-onepeace; width 512.

    Settings: ours; those of the authors are not stated.
    """
    return _alone(uniav_at_onepeace(), "tal")


def uniav_stf_desed_onepeace() -> RunConfig:
    """UniAV (STF) on DESED: begin with --init and the folder of a run of uniav-at-onepeace; width 512.

    Settings: ours; those of the authors are not stated.
    """
    return _alone(uniav_at_onepeace(), "sed")


def uniav_stf_small() -> RunConfig:
    """Audio-visual events alone, from the weights of uniav-at-small: begin with --init and the folder of its run.

    Settings: ours.
    """
    run = uniav_small()
    return replace(run, train=replace(run.train, epochs=3, warmup_epochs=1, learning_rate=3e-4))


def _alone(joint: JointRunConfig, name: str) -> RunConfig:
    """The run on one of the data sets, by a network that has no other task."""
    run, own = joint.of(name), joint.sets[name]
    assert isinstance(run.network, UniavConfig)
    kept = {field.name: getattr(own, field.name) for field in fields(DataConfig)}
    return replace(
        run,
        data=DataConfig(**kept),
        network=run.network.alone(),
        train=_from_all_tasks(run.train),
    )
