"""Settings as frozen dataclasses: read strictly, checked field by field, saved with every run and model."""

from avloc.config.decoding import DecodingConfig
from avloc.config.losses import AnyLossConfig, DenseLossConfig, LocoLossConfig
from avloc.config.model import FeatureConfig, ModelConfig
from avloc.config.networks import (
    ActionFormerConfig,
    AnyNetworkConfig,
    AttentionConfig,
    CustomNetworkConfig,
    FamilyConfig,
    GroundedConfig,
    LccConfig,
    LocoConfig,
    NetworkConfig,
    OneStreamConfig,
    TriDetConfig,
    TwoStreamConfig,
    UnavConfig,
    UniavConfig,
)
from avloc.config.reader import from_dict, read_as, to_dict
from avloc.config.run import DataConfig, RunConfig
from avloc.config.training import TrainConfig

__all__ = [
    "ActionFormerConfig",
    "AnyLossConfig",
    "AnyNetworkConfig",
    "AttentionConfig",
    "CustomNetworkConfig",
    "DataConfig",
    "DecodingConfig",
    "DenseLossConfig",
    "FamilyConfig",
    "FeatureConfig",
    "GroundedConfig",
    "LccConfig",
    "LocoConfig",
    "LocoLossConfig",
    "ModelConfig",
    "NetworkConfig",
    "OneStreamConfig",
    "RunConfig",
    "TrainConfig",
    "TriDetConfig",
    "TwoStreamConfig",
    "UnavConfig",
    "UniavConfig",
    "from_dict",
    "read_as",
    "to_dict",
]
