"""What recipes of several methods share."""

from __future__ import annotations

from avloc.config import DataConfig, DecodingConfig, DenseLossConfig, TrainConfig

ACTIVITYNET_THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
THUMOS14_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""tIoU thresholds over which papers average mAP."""


def small_training(epochs: int = 24, warmup_epochs: int = 2) -> TrainConfig:
    """What every small recipe is trained by: on 1,000 videos at most 20 minutes of a CPU core, which costly networks
    have for a few `epochs` alone."""
    return TrainConfig(
        epochs=epochs,
        warmup_epochs=warmup_epochs,
        batch=8,
        learning_rate=1e-3,
        weight_decay=0.01,
        ema_decay=0.99,
        longest_steps=256,
        validate_every=2 if epochs > 10 else 1,
    )


def unav100_training(steps: int) -> TrainConfig:
    """How UnAV was trained on UnAV-100 (Geng et al. 2023): for rivals whose settings there are not stated."""
    return TrainConfig(
        epochs=45,
        warmup_epochs=5,
        least_rate=1e-8,
        batch=16,
        drop_last=True,
        learning_rate=1e-4,
        weight_decay=1e-4,
        ema_warmup=False,
        longest_steps=steps,
    )


def class_aware_losses(normalizer_start: float = 250.0) -> DenseLossConfig:
    """How UnAV and the methods made from its code learn: each class of a point has a segment of its own, and an event
    is answered for over its whole length."""
    return DenseLossConfig(
        assignment="class-aware", centre_radius=None, same_class="last", normalizer_start=normalizer_start
    )


def unav100_decoding() -> DecodingConfig:
    """How UnAV decodes: suppression before segments are cut to the video."""
    return DecodingConfig(min_length_steps=0.05, clip="after", nms_sigma=0.4, keep=100)


def thumos14_data() -> DataConfig:
    """THUMOS-14 as its annotations and features are released: training on "Validation", no third part."""
    return DataConfig(
        layout="i3d-thumos14",
        train_split="Validation",
        validation_split="Test",
        test_split="Test",
        thresholds=THUMOS14_THRESHOLDS,
        scores=False,
        forgiving=True,
    )
