"""TadTR: projection > deformable encoder > queries through a deformable decoder, refined layer by layer > actionness.

End-to-end Temporal Action Detection with Transformer (Liu et al. 2022), on the features of both modalities side by
side. A set of queries says a segment each; each is learned by one event, so that none is said twice.

The network sees its input whole, as one slice of time: references and segments are shares of the steps that a video
has, 0 where its first step's cell begins and 1 where the last one's ends; step i stands at (i + 1/2) / n. Padding is
neither sampled nor counted (but see `reads_padding`), so that a video is judged alike whatever it is padded to. Any
length is taken; one longer than those of training is seen more coarsely by the positions, which are shares too.
Legend: B batch, T time, C channels, Q queries, K classes, L decoder layers, H heads, D channels per head, S sampled
places of a head.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import TadTrConfig
from avloc.models.blocks import masked
from avloc.models.deformable import DeformableAttention
from avloc.models.network import Network
from avloc.models.outputs import QueryOutputs
from avloc.models.sampling import region_means

_OPEN = 1e-5  # how near to 0 and 1 a share may come before its logit is taken
_WIDTH_START = -2.0  # logit of the widths that the first decoder layer begins with


def logit(share: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
    """Inverse of the sigmoid, finite for all shares."""
    return torch.log(share.clamp(min=_OPEN) / (1 - share).clamp(min=_OPEN))


class StepGroupNorm(nn.GroupNorm):
    """Each group of channels normed over the steps that count (Wu and He 2018)."""

    def forward(  # type: ignore[override]  # it is told which steps count
        self, x: Float[Tensor, "B T C"], counted: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B T C"]:
        B, T, C = x.shape
        grouped = x.float().reshape(B, T, self.num_groups, C // self.num_groups)  # (B, T, G, C / G)
        weight = counted[..., None, None].float()
        values = weight.sum(dim=(1, 3), keepdim=True).clamp(min=1) * (C // self.num_groups)
        centred = grouped - (grouped * weight).sum(dim=(1, 3), keepdim=True) / values
        variance = (centred.square() * weight).sum(dim=(1, 3), keepdim=True) / values
        normed = (centred * torch.rsqrt(variance + self.eps)).reshape(B, T, C)
        return (normed * self.weight + self.bias).to(x.dtype)


def position(mask: Bool[Tensor, "B T"], width: int) -> Float[Tensor, "B T C"]:
    """Sine and cosine of each step's place among the valid ones, once round from the first to the last."""
    place = mask.float().cumsum(dim=1)
    angle = place / (place[:, -1:] + 1e-6) * (2 * math.pi)  # (B, T)
    rate = torch.exp(torch.arange(0, width, 2, device=mask.device) * (-math.log(10000.0) / width))
    turn = angle[..., None] * rate  # (B, T, C / 2)
    return torch.stack([turn.sin(), turn.cos()], dim=-1).flatten(2)


def feed_forward(config: TadTrConfig) -> nn.Sequential:
    """Two linear layers, the wider one inside."""
    c = config
    inner = nn.ReLU() if c.activation == "relu" else nn.GELU()
    layers = nn.Linear(c.width, c.ffn_width), inner, nn.Dropout(c.dropout), nn.Linear(c.ffn_width, c.width)
    for layer in (layers[0], layers[-1]):
        nn.init.xavier_uniform_(layer.weight)
    return nn.Sequential(*layers, nn.Dropout(c.dropout))


class EncoderLayer(nn.Module):
    """Every step looks at a few others."""

    def __init__(self, config: TadTrConfig) -> None:
        super().__init__()
        c = config
        self.attention = DeformableAttention(c.width, c.heads, c.encoder_points)
        self.norm_attention = nn.LayerNorm(c.width)
        self.ffn = feed_forward(c)
        self.norm_ffn = nn.LayerNorm(c.width)
        self.dropout = nn.Dropout(c.dropout)

    def forward(
        self, x: Float[Tensor, "B T C"], code: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B T C"]:
        """`code` is the position, told to what looks but not to what is seen."""
        B, T, _ = x.shape
        step = (torch.arange(T, device=x.device) + 0.5).expand(B, T)
        x = self.norm_attention(x + self.dropout(self.attention(x + code, step, None, x, mask)))
        y: Tensor = self.norm_ffn(x + self.ffn(x))
        return y


class DecoderLayer(nn.Module):
    """Queries see one another, then a few places of the video around their segments."""

    def __init__(self, config: TadTrConfig) -> None:
        super().__init__()
        c = config
        self.self_attention = nn.MultiheadAttention(c.width, c.heads, c.dropout, batch_first=True)
        self.norm_self = nn.LayerNorm(c.width)
        self.cross_attention = DeformableAttention(c.width, c.heads, c.decoder_points)
        self.norm_cross = nn.LayerNorm(c.width)
        self.ffn = feed_forward(c)
        self.norm_ffn = nn.LayerNorm(c.width)
        self.dropout = nn.Dropout(c.dropout)
        nn.init.xavier_uniform_(self.self_attention.out_proj.weight)

    def forward(
        self,
        content: Float[Tensor, "B Q C"],
        code: Float[Tensor, "B Q C"],
        centre: Float[Tensor, "B Q"],
        extent: Float[Tensor, "B Q"] | None,
        memory: Float[Tensor, "B T C"],
        mask: Bool[Tensor, "B T"],
    ) -> Float[Tensor, "B Q C"]:
        x, seen = content, content + code
        x = self.norm_self(x + self.dropout(self.self_attention(seen, seen, x, need_weights=False)[0]))
        x = self.norm_cross(x + self.dropout(self.cross_attention(x + code, centre, extent, memory, mask)))
        y: Tensor = self.norm_ffn(x + self.ffn(x))
        return y


def head(width: int, width_in: int, outputs: int) -> nn.Sequential:
    """Three linear layers with ReLU between them."""
    return nn.Sequential(
        nn.Linear(width_in, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


class Actionness(nn.Module):
    """How well a segment fits some event, from the steps in and around it."""

    def __init__(self, config: TadTrConfig) -> None:
        super().__init__()
        self.bins, self.size = config.region_bins, config.region_size
        self.judge = head(config.width, config.width * config.region_bins, 1)

    def regions(
        self, span: Float[Tensor, "B Q 2"], lengths: Float[Tensor, "B"]
    ) -> tuple[Float[Tensor, "B Q"], Float[Tensor, "B Q"]]:
        """First and last step of what is looked at; no gradient reaches the segments."""
        centre, width = (span.detach() * lengths[:, None, None]).unbind(dim=-1)
        reach, whole = width * (self.size / 2), lengths[:, None]
        start, end = (torch.minimum(side.clamp(min=0), whole) for side in (centre - reach, centre + reach))
        return start, end

    def forward(
        self, memory: Float[Tensor, "B T C"], span: Float[Tensor, "B Q 2"], lengths: Float[Tensor, "B"]
    ) -> Float[Tensor, "B Q"]:
        """0 to 1; `lengths` are those of the videos, or of the input where padding is read."""
        means = region_means(memory, *self.regions(span, lengths), lengths, self.bins)  # (B, Q, bins, C)
        return torch.sigmoid(self.judge(means.transpose(2, 3).flatten(2)).float())[..., 0]


class TadTr(Network):
    """Features of both modalities on one grid -> QueryOutputs, for any T."""

    official_names: ClassVar = (
        (r"^input_proj\.0\.0\.", "project."),
        (r"^input_proj\.0\.1\.", "norm."),
        (r"^transformer\.level_embed$", "level"),
        (r"^transformer\.(encoder|decoder)\.layers\.", r"\1."),
        (r"^(encoder\.\d+\.)self_attn\.", r"\1attention."),
        (r"^(encoder\.\d+\.)norm1\.", r"\1norm_attention."),
        (r"^(encoder\.\d+\.)norm2\.", r"\1norm_ffn."),
        (r"^(decoder\.\d+\.)self_attn\.", r"\1self_attention."),
        (r"^(decoder\.\d+\.)cross_attn\.", r"\1cross_attention."),
        (r"^(decoder\.\d+\.)norm2\.", r"\1norm_self."),
        (r"^(decoder\.\d+\.)norm1\.", r"\1norm_cross."),
        (r"^(decoder\.\d+\.)norm3\.", r"\1norm_ffn."),
        (r"\.value_proj\.", ".value."),
        (r"\.output_proj\.", ".out."),
        (r"\.linear1\.", ".ffn.0."),
        (r"\.linear2\.", ".ffn.3."),
        (r"^transformer\.reference_points\.", "reference_points."),
        (r"^query_embed\.weight$", "queries"),
        (r"^class_embed\.", "classify."),
        (r"^(?:transformer\.decoder\.)?segment_embed\.(\d+)\.layers\.0\.", r"refine.\1.0."),
        (r"^(?:transformer\.decoder\.)?segment_embed\.(\d+)\.layers\.1\.", r"refine.\1.2."),
        (r"^(?:transformer\.decoder\.)?segment_embed\.(\d+)\.layers\.2\.", r"refine.\1.4."),
        (r"^actionness_pred\.", "actionness.judge."),
    )
    """Each layer's segment head is there twice in a checkpoint, once as a part of the decoder."""

    def __init__(self, config: TadTrConfig) -> None:
        super().__init__()
        self.config: TadTrConfig = config
        c = config
        self.project = nn.Linear(c.visual_width + c.audio_width, c.width)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        self.norm = StepGroupNorm(c.groups, c.width)
        self.level = nn.Parameter(torch.randn(c.width))
        self.encoder = nn.ModuleList(EncoderLayer(c) for _ in range(c.encoder_layers))
        self.queries = nn.Parameter(torch.randn(c.queries, 2 * c.width))
        self.reference_points = nn.Linear(c.width, 1)
        nn.init.xavier_uniform_(self.reference_points.weight)
        nn.init.zeros_(self.reference_points.bias)
        self.decoder = nn.ModuleList(DecoderLayer(c) for _ in range(c.decoder_layers))
        self.classify = nn.ModuleList(nn.Linear(c.width, c.classes) for _ in range(c.decoder_layers))
        self.refine = nn.ModuleList(head(c.width, c.width, 2) for _ in range(c.decoder_layers))
        self.actionness = Actionness(c)
        for layer, (judge, change) in enumerate(zip(self.classify, self.refine, strict=True)):
            nn.init.constant_(judge.bias, -math.log((1 - c.class_prior) / c.class_prior))  # type: ignore[arg-type]
            last = change[-1]  # type: ignore[index]
            nn.init.zeros_(last.weight)
            last.bias.data.copy_(torch.tensor([0.0, 0.0 if layer else _WIDTH_START]))

    def forward(
        self, visual: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], mask: Bool[Tensor, "B T"]
    ) -> QueryOutputs:
        T = mask.shape[1]
        lengths = mask.sum(dim=1).float()
        as_published = self.config.reads_padding
        x = self.project(masked(torch.cat([visual, audio], dim=-1), mask))
        x = self.norm(x, torch.ones_like(mask) if as_published else mask)
        code = (position(mask, x.shape[2]) + self.level).to(x.dtype)
        for layer in self.encoder:
            x = layer(x, code, mask)
        logits, spans = self.decode(x, mask, lengths)
        whole = torch.full_like(lengths, T) if as_published else lengths
        return QueryOutputs(logits, spans, self.actionness(x, spans[-1], whole), lengths)

    def decode(
        self, memory: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"], lengths: Float[Tensor, "B"]
    ) -> tuple[Float[Tensor, "L B Q K"], Float[Tensor, "L B Q 2"]]:
        """Class logits and spans, layer by layer: each layer says how to change what the one before it said."""
        code, content = (q.expand(len(memory), -1, -1) for q in self.queries.chunk(2, dim=1))
        steps = lengths[:, None]
        reference = torch.sigmoid(self.reference_points(code).float())  # (B, Q, 1): a point, no segment yet
        logits: list[Tensor] = []
        spans: list[Tensor] = []
        for layer, judge, change in zip(self.decoder, self.classify, self.refine, strict=True):
            centre = reference[..., 0] * steps
            extent = reference[..., 1] * steps if spans else None
            content = layer(content, code, centre, extent, memory, mask)
            base = logit(reference) if spans else F.pad(logit(reference), (0, 1))
            spans.append(torch.sigmoid(change(content).float() + base))
            logits.append(judge(content))
            reference = spans[-1].detach()
        return torch.stack(logits), torch.stack(spans)

    def parts(self) -> dict[str, tuple[str, ...]]:
        """As the paper names them."""
        return {
            "projection": ("project", "norm"),
            "encoder": ("encoder",),
            "decoder": ("decoder", "reference_points"),
            "segment refinement": ("refine",),
            "classification": ("classify",),
            "actionness": ("actionness",),
        }


def build(config: TadTrConfig) -> TadTr:
    """The network of these settings."""
    return TadTr(config)
