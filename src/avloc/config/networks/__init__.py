"""Settings of the networks, one class a method. Where a paper's text leaves a choice open, the choice is a field."""

from avloc.config.networks.base import CustomNetworkConfig, NetworkConfig
from avloc.config.networks.family import ActionFormerConfig, FamilyConfig, OneStreamConfig, TriDetConfig
from avloc.config.networks.grounded import GroundedConfig
from avloc.config.networks.loco import AttentionConfig, LccConfig, LocoConfig
from avloc.config.networks.tadtr import TadTrConfig
from avloc.config.networks.two_streams import CcnetConfig, Task, TwoStreamConfig, UnavConfig, UniavConfig
from avloc.config.networks.vsgn import VsgnConfig

AnyNetworkConfig = (
    LocoConfig
    | GroundedConfig
    | ActionFormerConfig
    | TriDetConfig
    | TadTrConfig
    | VsgnConfig
    | UnavConfig
    | UniavConfig
    | CcnetConfig
)
"""A network of any method; the tag `method` says which."""

__all__ = [
    "ActionFormerConfig",
    "AnyNetworkConfig",
    "AttentionConfig",
    "CcnetConfig",
    "CustomNetworkConfig",
    "FamilyConfig",
    "GroundedConfig",
    "LccConfig",
    "LocoConfig",
    "NetworkConfig",
    "OneStreamConfig",
    "TadTrConfig",
    "Task",
    "TriDetConfig",
    "TwoStreamConfig",
    "UnavConfig",
    "UniavConfig",
    "VsgnConfig",
]
