"""A small network of every method, and the losses that go with it."""

from __future__ import annotations

from dataclasses import replace

import torch

from avloc.config import (
    ActionFormerConfig,
    AnchorLossConfig,
    AnyLossConfig,
    AttentionConfig,
    CcnetConfig,
    DenseLossConfig,
    FamilyConfig,
    GroundedConfig,
    LocoConfig,
    LocoLossConfig,
    NetworkConfig,
    QueryLossConfig,
    TadTrConfig,
    TriDetConfig,
    TwoStreamConfig,
    UnavConfig,
    UniavConfig,
    VsgnConfig,
)
from avloc.models.build import build_network
from avloc.models.grounded import Grounded
from avloc.models.network import Network

STEPS = 64
_SIZES = {"classes": 3, "visual_width": 7, "audio_width": 5, "width": 16, "levels": 4}
_FAMILY = {**_SIZES, "steps": STEPS, "head_width": 16, "reads_padding": False}

SMALL: dict[str, NetworkConfig] = {
    "loco": LocoConfig(**_SIZES, heads=2, ffn_ratio=2.0, unimodal_blocks=1),  # type: ignore[arg-type]
    "grounded": GroundedConfig(
        classes=3, visual_width=5 + 1 + 2, audio_width=6 + 2, sounds=2, objects=2, width=8, levels=4
    ),
    "actionformer": ActionFormerConfig(**_FAMILY, heads=2),  # type: ignore[arg-type]
    "tridet": TriDetConfig(**_FAMILY, hidden=24, bins=4, position=True),  # type: ignore[arg-type]
    "tadtr": TadTrConfig(
        classes=3,
        visual_width=7,
        audio_width=5,
        width=16,
        heads=2,
        groups=4,
        queries=30,
        encoder_layers=2,
        decoder_layers=2,
        ffn_width=24,
    ),
    "unav": UnavConfig(**_FAMILY, heads=2, dependency_width=8),  # type: ignore[arg-type]
    "uniav": UniavConfig(**_FAMILY, heads=2, text_width=12),  # type: ignore[arg-type]
    "ccnet": CcnetConfig(**_FAMILY, heads=2, dependency_width=8),  # type: ignore[arg-type]
    "vsgn": VsgnConfig(**_SIZES, steps=STEPS, groups=4, neighbours=4, head_blocks=2),  # type: ignore[arg-type]
}
"""One a method; a method that is missing here is not tested."""

VARIANTS: dict[str, NetworkConfig] = {
    **SMALL,
    "actionformer, local": replace(SMALL["actionformer"], windows=(3, 7, 5, -1)),  # type: ignore[call-arg]
    "tridet, wide": replace(SMALL["tridet"], windows=(1, 3, 3, 1), head_kernel=5, boundary_kernel=1),  # type: ignore[call-arg]
    "unav, no dependency": replace(SMALL["unav"], dependency=False, class_aware=False, head_kernel=5),  # type: ignore[call-arg]
    "unav, pointwise heads": replace(SMALL["unav"], head_kernel=1),  # type: ignore[call-arg]
    "uniav, actions": replace(SMALL["uniav"], task="TAL", class_aware=False, class_bias=True),  # type: ignore[call-arg]
    "ccnet, wide heads": replace(SMALL["ccnet"], head_kernel=5, class_aware=False),  # type: ignore[call-arg]
    "vsgn, stitched": replace(SMALL["vsgn"], steps=128, stem_stride=2, stitch=True, stitch_gap=6),  # type: ignore[call-arg]
    "vsgn, without graphs": replace(SMALL["vsgn"], graph=False),  # type: ignore[call-arg]
}
"""Settings under which padding changes nothing."""

PUBLISHED: dict[str, NetworkConfig] = {
    name: replace(config, reads_padding=True) for name, config in VARIANTS.items() if isinstance(config, FamilyConfig)
}
"""Settings under which it does, so that everything is padded to one length."""

FLAT: dict[str, NetworkConfig] = {
    "loco": replace(SMALL["loco"], levels=1, attention=AttentionConfig(window=4)),  # type: ignore[call-arg]
    "grounded": replace(SMALL["grounded"], levels=2),  # type: ignore[call-arg]
    "actionformer": replace(PUBLISHED["actionformer, local"], levels=2, stem_blocks=1, windows=(3, -1)),  # type: ignore[call-arg]
    "tridet": replace(PUBLISHED["tridet, wide"], levels=2, stem_blocks=1, windows=(1, 3)),  # type: ignore[call-arg]
    "tadtr": SMALL["tadtr"],
    "vsgn": replace(SMALL["vsgn"], levels=2),  # type: ignore[call-arg]
    "unav": replace(PUBLISHED["unav"], levels=1, stem_blocks=1),  # type: ignore[call-arg]
    "uniav": replace(PUBLISHED["uniav"], levels=1, stem_blocks=1),  # type: ignore[call-arg]
    "ccnet": replace(PUBLISHED["ccnet"], levels=1, stem_blocks=1),  # type: ignore[call-arg]
}
"""One or two levels, for what takes its time with every layer: export."""


def small(config: NetworkConfig) -> Network:
    """A network whose weights are all of a size that matters: norms, biases and scales too."""
    torch.manual_seed(0)
    network = build_network(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in network.named_parameters():
            size = 0.02 if "adaptation" in name else 0.2  # more, and windows would lie outside the video
            p.add_(size * torch.randn(p.shape, generator=generator) + (0.5 if name.endswith("scale") else 0.0))
        if isinstance(network, Grounded):
            g = network.grounding
            g.seen.copy_(torch.rand(g.seen.shape, generator=generator))
            g.sound_index.copy_(torch.randint(0, 6, g.sound_index.shape, generator=generator))
            g.sound_weight.copy_(torch.rand(g.sound_weight.shape, generator=generator))
            g.voice.copy_(torch.tensor([[0.3, 0.5, -0.5, 1], [1.1, 0.5, -0.9, 1], [0, 1, 0, 0]]))
            g.context.copy_(torch.tensor([0, 1, 2]))
    return network.eval()


def losses_of(config: NetworkConfig) -> AnyLossConfig:
    """Losses that a method is trained with."""
    if isinstance(config, LocoConfig):
        return LocoLossConfig()
    if isinstance(config, TadTrConfig):
        return QueryLossConfig()
    if isinstance(config, GroundedConfig) or (
        isinstance(config, TwoStreamConfig) and getattr(config, "class_aware", True)
    ):
        return DenseLossConfig(assignment="class-aware", centre_radius=None)
    if isinstance(config, VsgnConfig):
        return AnchorLossConfig()
    return DenseLossConfig(iou_weight_power=0.2 if isinstance(config, TriDetConfig) else None)
