"""Settings as frozen dataclasses: read strictly, checked field by field, saved with every run and model."""

from avloc.config.class_figures import ClassFigure, ClassFigures
from avloc.config.decoding import DecodingConfig
from avloc.config.joint import JointRunConfig, RestConfig, SetConfig
from avloc.config.later import LATER, came_later
from avloc.config.losses import AnchorLossConfig, AnyLossConfig, DenseLossConfig, LocoLossConfig, QueryLossConfig
from avloc.config.model import FeatureConfig, ModelConfig, TaskConfig
from avloc.config.networks import (
    ActionFormerConfig,
    AnyNetworkConfig,
    AttentionConfig,
    CcnetConfig,
    CustomNetworkConfig,
    FamilyConfig,
    GroundedConfig,
    LccConfig,
    LocoConfig,
    NetworkConfig,
    OneStreamConfig,
    TadTrConfig,
    TriDetConfig,
    TwoStreamConfig,
    UnavConfig,
    UniavConfig,
    VsgnConfig,
)
from avloc.config.reader import from_dict, read_as, to_dict
from avloc.config.run import DataConfig, RunConfig
from avloc.config.training import LoggerName, TrainConfig

__all__ = [
    "ActionFormerConfig",
    "AnchorLossConfig",
    "AnyLossConfig",
    "AnyNetworkConfig",
    "AttentionConfig",
    "CcnetConfig",
    "ClassFigure",
    "ClassFigures",
    "CustomNetworkConfig",
    "DataConfig",
    "DecodingConfig",
    "DenseLossConfig",
    "FamilyConfig",
    "FeatureConfig",
    "GroundedConfig",
    "JointRunConfig",
    "LATER",
    "LccConfig",
    "LocoConfig",
    "LocoLossConfig",
    "LoggerName",
    "ModelConfig",
    "NetworkConfig",
    "QueryLossConfig",
    "OneStreamConfig",
    "RestConfig",
    "RunConfig",
    "SetConfig",
    "TaskConfig",
    "TadTrConfig",
    "TrainConfig",
    "TriDetConfig",
    "VsgnConfig",
    "TwoStreamConfig",
    "UnavConfig",
    "UniavConfig",
    "came_later",
    "from_dict",
    "read_as",
    "to_dict",
]
