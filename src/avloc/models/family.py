"""What ActionFormer and the methods made from its code share: padding > embedding > pyramid > neck > heads.

Zhang, Wu and Li 2022, Section 3.3 to 3.5.
Legend: B batch, T time (Tl on level l), C channels, S steps of all levels in one row, P points of all levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import FamilyConfig, OneStreamConfig
from avloc.models.blocks import ConvStack, apart, in_one_row, masked, norm, real_steps, sinusoid
from avloc.models.heads import ConvHead
from avloc.models.outputs import DenseOutputs, pyramid_points

OFFICIAL_NAMES = (
    (r"^backbone\.embd\.", "embedding.convs."),
    (r"^backbone\.embd_norm\.", "embedding.norms."),
    (r"^backbone\.(stem|branch)\.", r"\1."),
    (r"^neck\.fpn_norms\.", "neck.norms."),
    (r"^cls_head\.", "classify.convs."),
    (r"^reg_head\.scale\.(\d+)\.scale$", r"regress.scales[\1]"),
    (r"^reg_head\.", "regress.convs."),
    (r"\.head\.(\d+)\.conv\.", r".convs.\1.conv."),
    (r"\.norm\.(\d+)\.", r".norms.\1."),
    (r"\.(cls_head|offset_head)\.", ".last."),
)
"""From a name in the authors' checkpoints to ours: replacements in order; [i] is the i-th entry of a tensor."""


def padded(
    x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"], length: int
) -> tuple[Float[Tensor, "B L C"], Bool[Tensor, "B L"]]:
    """Input and mask at a length, zero on all padding, whatever stood there."""
    more = length - x.shape[1]
    return F.pad(masked(x, mask), (0, 0, 0, more)), F.pad(mask, (0, more))


def spare_steps(config: FamilyConfig) -> int:
    """Padded steps that say all that padding says: one on every level, two where kernels reach two steps far."""
    return max(3, config.embedding_kernel, config.head_kernel) // 2 * config.multiple


def padded_length(length: int, config: FamilyConfig, unit: int, spare: int | None = None) -> int:
    """Steps that a network pads to: `config.steps`, and beyond it the next multiple of `unit`; as published.

    With `spare` it may stop earlier, that many steps behind the last video's end: for networks in which it does not
    matter how much padding follows, as long as some does.
    """
    if not config.reads_padding:
        return length
    if length > config.steps:
        return -(-length // unit) * unit
    return config.steps if spare is None else min(config.steps, length + spare)


class Embedding(ConvStack):
    """Features (B, T, Din) -> (B, T, C): masked convolutions, then position."""

    def __init__(self, width_in: int, config: FamilyConfig) -> None:
        c = config
        super().__init__(
            width_in,
            c.width,
            c.embedding_blocks,
            c.embedding_kernel,
            normed=c.embedding_norm,
            reads_padding=c.reads_padding,
        )
        self.config = config

    def forward(
        self, x: Float[Tensor, "B T Din"], mask: Bool[Tensor, "B T"], real: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T C"]:
        x = super().forward(x, mask, real)
        if self.config.position:
            x = x + masked(self.code(x.shape[1]).to(x)[None], mask)
        return x if self.config.reads_padding else masked(x, mask)

    def code(self, length: int) -> Float[Tensor, "T C"]:
        """Position code of so many steps."""
        return sinusoid(length, self.config.width, self.config.steps if self.config.reads_padding else None)


def pyramid(
    x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"], stem: nn.ModuleList, branch: nn.ModuleList
) -> tuple[list[Float[Tensor, "B Tl C"]], list[Bool[Tensor, "B Tl"]]]:
    """Blocks of the stem make the finest level; each block of the branch halves the rate for the next."""
    for block in stem:
        x, mask = block(x, mask)
    levels, masks = [x], [mask]
    for block in branch:
        x, mask = block(x, mask)
        levels.append(x)
        masks.append(mask)
    return levels, masks


@dataclass(frozen=True, slots=True)
class Row:
    """All levels in one row, each with `gap` empty steps behind it; `real` is false there."""

    x: Float[Tensor, "B S C"]
    mask: Bool[Tensor, "B S"]
    real: Bool[Tensor, "1 S"]
    lengths: list[int]
    gap: int

    def levels(self, y: Tensor) -> list[Tensor]:
        """Something of the row (B, S, ...) level by level (B, Tl, ...), without the empty steps."""
        parts = torch.split(y, self.lengths, dim=1)
        return [part[:, : part.shape[1] - self.gap] for part in parts]

    def points(self, y: Tensor, length: int) -> Tensor:
        """Of what a head says of the row (B, S, ...) the points of the first `length` steps (B, P, ...)."""
        return apart(y, self.lengths, [length >> level for level in range(len(self.lengths))])

    def outputs(self, logits: Tensor, offsets: Tensor, length: int) -> DenseOutputs:
        """What heads say of the row, logits (B, S, K) and offsets (B, S, K or 1, 2), of the first `length` steps."""
        points = pyramid_points(length, len(self.lengths), self.x.device)
        logits, offsets, mask = (self.points(y, length) for y in (logits, offsets, self.mask))
        return DenseOutputs(logits, offsets, mask, points)


def joined(levels: list[Float[Tensor, "B Tl C"]], masks: list[Bool[Tensor, "B Tl"]], gap: int) -> Row:
    """Levels > Row, with as many steps between them as a convolution reaches to either side."""
    row, mask, lengths = in_one_row(levels, masks, gap)
    return Row(row, mask, real_steps(lengths, gap, row.device), lengths, gap)


class Neck(nn.Module):
    """Levels > Row; each level passes a norm of its own."""

    def __init__(self, config: OneStreamConfig, widest_kernel: int) -> None:
        super().__init__()
        self.gap = widest_kernel // 2
        self.norms = nn.ModuleList(norm(config.width, config.neck_norm) for _ in range(config.levels))

    def forward(self, levels: list[Float[Tensor, "B Tl C"]], masks: list[Bool[Tensor, "B Tl"]]) -> Row:
        normed = [own_norm(x) for own_norm, x in zip(self.norms, levels, strict=True)]
        return joined(normed, masks, self.gap)


def head(config: FamilyConfig, outputs: int, kernel: int | None = None, *, width_in: int | None = None) -> ConvHead:
    """Convolutions from a level's channels, or `width_in`, to `outputs` a point."""
    c = config
    return ConvHead(
        width_in or c.width,
        c.head_width,
        outputs,
        blocks=c.head_blocks,
        kernel=kernel or c.head_kernel,
        normed=c.head_norm,
        reads_padding=c.reads_padding,
    )
