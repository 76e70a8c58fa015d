"""CCNet: streams that gate one another > granularities look at one another around the dependency of classes > heads.

CCNet (AAAI 2025), written from a description of its arithmetic. Beside UnAV's pyramid, each stream of a level is
weighed by a gate from the other one; before the dependency of classes each level asks the coarser one, behind it each
asks the finer one. Some layers run along time, so that the length of all inputs is a part of the weights.
Legend: B batch, T time (Tl on level l, Tn on the next coarser one), C channels, S steps of all levels in one row,
K classes, E channels of a class, P points of all levels.
"""

from __future__ import annotations

import itertools
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from avloc.config import CcnetConfig
from avloc.errors import ModelError
from avloc.models.blocks import MaskedConv, downsample, masked, zero_biases
from avloc.models.conv_attention import OFFICIAL_BLOCK, ConvAttention, ConvAttentionBlock
from avloc.models.dependency import OFFICIAL_BRANCHES, Dependency
from avloc.models.family import OFFICIAL_NAMES, Row, head, joined, padded
from avloc.models.heads import ClassificationHead, RegressionHead
from avloc.models.network import Network
from avloc.models.outputs import DenseOutputs
from avloc.models.two_streams import Block, Level, TwoStreams, official_streams

Levels = list[Float[Tensor, "B Tl C"]]
Masks = list[Bool[Tensor, "B Tl"]]


class Gate(nn.Module):
    """What a stream says of each step of a level, from 0 to 1, by attention to itself (B, Tl, 1)."""

    def __init__(self, config: CcnetConfig, stride: int) -> None:
        super().__init__()
        self.reads_padding = config.reads_padding
        self.stride = stride
        self.norm_stream = nn.LayerNorm(config.width)
        self.norm_query = nn.LayerNorm(config.width)
        self.attention = ConvAttention(config.width, config.heads, stride)
        self.open = nn.Linear(config.width, 1)

    def forward(self, stream: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B Tl 1"]:
        """One half in padded steps. As published, gates that halve the rate listen to padded steps as well."""
        half = mask[:, :: self.stride]
        keys, asks = self.norm_stream(stream), self.norm_query(stream)
        if not self.reads_padding:
            keys, asks = masked(keys, mask), masked(asks, mask)
        listens_there = self.reads_padding and self.stride > 1
        return torch.sigmoid(masked(self.open(self.attention(asks, keys, half, listens_there)), half))


class GatedLevel(Level):
    """A level of the pyramid whose streams are strengthened where the other one of the level before says so."""

    def __init__(self, block: Block, stride: int, config: CcnetConfig) -> None:
        super().__init__(block, stride)
        self.from_visual = Gate(config, stride)
        self.from_audio = Gate(config, stride)

    def forward(
        self,
        visual: Float[Tensor, "B T C"],
        audio: Float[Tensor, "B T C"],
        mask: Bool[Tensor, "B T"],
        task: str = "",
    ) -> tuple[Float[Tensor, "B Tl C"], Float[Tensor, "B Tl C"], Bool[Tensor, "B Tl"]]:
        seen, heard, half = super().forward(visual, audio, mask, task)
        return seen * (1 + self.from_audio(audio, mask)), heard * (1 + self.from_visual(visual, mask)), half


class TimeLayers(nn.Module):
    """A level as a whole: channels look at one another with time as their features, and say what classes do when."""

    def __init__(self, config: CcnetConfig, length: int) -> None:
        super().__init__()
        E = config.dependency_width
        self.block = ConvAttentionBlock(length, 1, drop_path=config.drop_path, crossed=True, ffn_width=E)
        self.spread = nn.Linear(length, config.classes * length)

    def forward(self, x: Float[Tensor, "B T E"]) -> Float[Tensor, "B T K E"]:
        """A row of `spread` is read on as if classes came before channels, as published: the two are mixed."""
        B, T, E = x.shape
        rows = x.transpose(1, 2)  # (B, E, T)
        rows, _ = self.block(rows, rows.new_ones(B, E, dtype=torch.bool))
        spread = torch.relu(self.spread(rows)).reshape(B, -1, E, T)  # (B, K, E, T)
        return spread.permute(0, 3, 1, 2)


class TimedDependency(Dependency):
    """Dependency of classes that also knows each level as a whole."""

    room = 0  # the network is large enough

    def __init__(self, config: CcnetConfig, lengths: list[int]) -> None:
        c = config
        both = 2 * c.width
        super().__init__(both, c.classes, c.dependency_width, drop_path=c.drop_path, reads_padding=c.reads_padding)
        self.press = MaskedConv(both, c.dependency_width, bias=False, reads_padding=c.reads_padding)
        self.time = nn.ModuleList(TimeLayers(c, length) for length in lengths)

    def expanded(self, row: Row) -> Float[Tensor, "B S K E"]:
        pressed = torch.relu(self.press(row.x, row.mask, row.real))
        over_time = [
            F.pad(self._over_time(layers, x), (0, 0, 0, 0, 0, row.gap))
            for layers, x in zip(self.time, row.levels(pressed), strict=True)
        ]
        return super().expanded(row) + torch.cat(over_time, dim=1)

    def _over_time(self, layers: nn.Module, x: Float[Tensor, "B T E"]) -> Float[Tensor, "B T K E"]:
        """Made anew for the gradient, as it is a hundred times as large as its input."""
        if self.training and torch.is_grad_enabled():
            return checkpoint(layers, x, use_reentrant=False)  # type: ignore[no-any-return]
        return layers(x)  # type: ignore[no-any-return]


class Granularities(nn.Module):
    """Levels > each asks the coarser one > dependency of classes > each asks the finer one."""

    def __init__(self, config: CcnetConfig) -> None:
        super().__init__()
        c = config
        self.reads_padding = c.reads_padding
        self.gap = max(1, c.head_kernel // 2)
        lengths = [c.steps >> level for level in range(c.levels)]

        def block(heads: int) -> ConvAttentionBlock:
            return ConvAttentionBlock(
                2 * c.width, heads, drop_path=c.drop_path, crossed=True, reads_padding=c.reads_padding
            )

        self.stretch = nn.ModuleList(nn.Linear(low, high) for high, low in itertools.pairwise(lengths))
        self.to_finer = block(c.heads)
        self.dependency = TimedDependency(c, lengths)
        self.to_coarser = nn.ModuleList(block(1) for _ in lengths[1:])

    def forward(self, levels: Levels, masks: Masks) -> Row:
        finer = self._ask_coarser(levels, masks)
        row = self.dependency(joined(finer, masks, self.gap))
        return joined(self._ask_finer(row.levels(row.x), masks), masks, self.gap)

    def _ask_coarser(self, levels: Levels, masks: Masks) -> Levels:
        """The question is the coarser level as the pyramid made it, stretched along time."""
        asked = []
        for level, mask, coarser, stretch in zip(levels, masks, levels[1:], self.stretch, strict=False):
            question = torch.relu(stretch(coarser.transpose(1, 2))).transpose(1, 2)
            asked.append(self.to_finer(level, mask, question)[0])
        return [*asked, levels[-1]]

    def _ask_finer(self, levels: Levels, masks: Masks) -> Levels:
        """Each level is what it was plus the finer one, pooled, as far as it bears on it."""
        done = levels[:1]
        for level, finer_mask, mask, block in zip(levels[1:], masks, masks[1:], self.to_coarser, strict=False):
            pooled = downsample(done[-1], None if self.reads_padding else finer_mask)
            done.append(level + block(pooled, mask, level)[0])
        return done


class Ccnet(Network):
    """Features of both modalities on one grid -> DenseOutputs. T is a multiple of 2^(levels - 1), at most `steps`."""

    official_names: ClassVar = (
        *official_streams("CMI_Visual", "CMI_Audio"),
        (r"^backbone\.(visual|audio)_TCG\.(\d+)\.(query|key|value|proj)", r"streams.levels.\2.from_\1.attn.\3"),
        (r"^backbone\.(visual|audio)_TCG\.(\d+)\.", r"streams.levels.\2.from_\1."),
        (r"\.gate_linear\.conv\.", ".open."),
        (r"^MTGC_block\.C2F_linear\.", "granularities.stretch."),
        (r"^MTGC_block\.C2F_attention\.", "granularities.to_finer."),
        (r"^MTGC_block\.F2C_attention_block\.", "granularities.to_coarser."),
        (r"^MTGC_block\.feature_tem_press\.", "granularities.dependency.press."),
        (r"^MTGC_block\.feature_tem_block\.(\d+)\.", r"granularities.dependency.time.\1.spread."),
        (r"^MTGC_block\.channel_att\.(\d+)\.", r"granularities.dependency.time.\1.block."),
        (r"^MTGC_block\.", "granularities.dependency."),
        *OFFICIAL_BRANCHES,
        *OFFICIAL_NAMES,
        *OFFICIAL_BLOCK,
    )

    def __init__(self, config: CcnetConfig) -> None:
        super().__init__()
        self.config: CcnetConfig = config
        self.multiple = 2 ** (config.levels - 1)
        c = config
        self.streams = TwoStreams(c, level=lambda block, stride: GatedLevel(block, stride, c))
        self.granularities = Granularities(c)
        zero_biases(self)
        self.classify = ClassificationHead(head(c, c.classes, width_in=2 * c.width), c.class_prior)
        segments = c.classes if c.class_aware else 1
        self.regress = RegressionHead(head(c, 2 * segments, width_in=2 * c.width), c.levels, start=0.0)

    def forward(
        self, visual: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], mask: Bool[Tensor, "B T"]
    ) -> DenseOutputs:
        """Raises ModelError where there are more steps than it has weights for."""
        T, c = mask.shape[1], self.config
        if c.steps < T:
            raise ModelError(
                f"ccnet reads at most {c.steps} steps, as many as its layers along time have inputs; here {T}: "
                "cut it, or detect in windows (avloc detect)"
            )
        (seen, m), (heard, _) = padded(visual, mask, c.steps), padded(audio, mask, c.steps)
        row: Row = self.granularities(*self.streams(seen, heard, m))
        logits = self.classify(row.x, row.mask, row.real)
        offsets = self.regress(row.x, row.mask, row.lengths, row.real)
        return row.outputs(logits, offsets, T)


def build(config: CcnetConfig) -> Ccnet:
    """The network of these settings."""
    return Ccnet(config)
