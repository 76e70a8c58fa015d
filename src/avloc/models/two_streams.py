"""A stream for each modality, and a pyramid on whose levels each asks the other (Geng et al. 2023, Section 4.2).

On every level keys, values and the residual are a modality's own; the query is the other's. Both streams of a level
are made from both of the level before.
Legend: B batch, T time (Tl on level l), C channels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import TwoStreamConfig
from avloc.models.conv_attention import ConvAttentionBlock
from avloc.models.family import Embedding

_MOST_LEVELS = 10
Block = Callable[[int], ConvAttentionBlock]
"""Stride > a block."""


def plain_block(config: TwoStreamConfig) -> Block:
    """Blocks that have a norm of their own for the query, also where the stream asks itself."""

    def block(stride: int) -> ConvAttentionBlock:
        return ConvAttentionBlock(
            config.width,
            config.heads,
            stride=stride,
            drop_path=config.drop_path,
            crossed=True,
            reads_padding=config.reads_padding,
        )

    return block


class Stream(nn.Module):
    """One modality alone: embedding > blocks of self-attention."""

    def __init__(self, embedding: Embedding, stem: list[ConvAttentionBlock]) -> None:
        super().__init__()
        self.embedding = embedding
        self.stem = nn.ModuleList(stem)

    def forward(
        self, x: Float[Tensor, "B T Din"], mask: Bool[Tensor, "B T"], task: str = ""
    ) -> Float[Tensor, "B T C"]:
        x = self.embedding(x, mask)
        for block in self.stem:
            x, _ = block(x, mask, task=task)
        return x


class Level(nn.Module):
    """Both streams of a level from those of the level before; a subclass may weigh what they say by one another."""

    def __init__(self, block: Block, stride: int) -> None:
        super().__init__()
        self.visual = block(stride)
        self.audio = block(stride)

    def forward(
        self,
        visual: Float[Tensor, "B T C"],
        audio: Float[Tensor, "B T C"],
        mask: Bool[Tensor, "B T"],
        task: str = "",
    ) -> tuple[Float[Tensor, "B Tl C"], Float[Tensor, "B Tl C"], Bool[Tensor, "B Tl"]]:
        seen, half = self.visual(visual, mask, audio, task=task)
        heard, _ = self.audio(audio, mask, visual, task=task)
        return seen, heard, half


class TwoStreams(nn.Module):
    """Features of both modalities > levels, each with both streams side by side.

    `block`, `level` and `embedding` are what methods change.
    """

    def __init__(
        self,
        config: TwoStreamConfig,
        *,
        block: Block | None = None,
        level: Callable[[Block, int], Level] = Level,
        embedding: Callable[[int], Embedding] | None = None,
    ) -> None:
        super().__init__()
        c = config
        make = plain_block(c) if block is None else block
        embed = embedding or (lambda width: Embedding(width, c))
        self.visual = Stream(embed(c.visual_width), [make(1) for _ in range(c.stem_blocks)])
        self.audio = Stream(embed(c.audio_width), [make(1) for _ in range(c.stem_blocks)])
        self.levels = nn.ModuleList(level(make, 1 if i == 0 else 2) for i in range(c.levels))

    def forward(
        self,
        visual: Float[Tensor, "B T Dv"],
        audio: Float[Tensor, "B T Da"],
        mask: Bool[Tensor, "B T"],
        task: str = "",
    ) -> tuple[list[Float[Tensor, "B Tl C2"]], list[Bool[Tensor, "B Tl"]]]:
        """Levels and their masks; `task` chooses among the experts of blocks that have some."""
        seen, heard = self.visual(visual, mask, task), self.audio(audio, mask, task)
        levels, masks = [], []
        for level in self.levels:
            seen, heard, mask = level(seen, heard, mask, task)
            levels.append(torch.cat([seen, heard], dim=-1))
            masks.append(mask)
        return levels, masks


def official_streams(visual: str, audio: str) -> tuple[tuple[str, str], ...]:
    """From the authors' names of a backbone to ours; `visual` and `audio` are those of its cross-modal blocks."""
    names = []
    for letter, stream in (("V", "visual"), ("A", "audio")):
        names += [
            (rf"^backbone\.embd_{letter}\.", f"streams.{stream}.embedding.convs."),
            (rf"^backbone\.embd_norm_{letter}\.", f"streams.{stream}.embedding.norms."),
            (rf"^backbone\.self_att_{letter}\.", f"streams.{stream}.stem."),
        ]
    for theirs, stream in ((visual, "visual"), (audio, "audio")):
        names.append((rf"^backbone\.ori_{theirs}\.", f"streams.levels.0.{stream}."))
        # Theirs count the halving ones, from 0.
        names += [
            (rf"^backbone\.{theirs}\.{i}\.", f"streams.levels.{i + 1}.{stream}.") for i in range(_MOST_LEVELS - 1)
        ]
    return tuple(names)
