"""TriDet: embedding > stem > branch of halving SGP blocks > neck > heads of class, start, end, bins > decoding.

TriDet: Temporal Action Detection with Relative Boundary Modeling (Shi et al. 2023), Section 3, on the features of
both modalities side by side. A boundary is an expectation over bins: how likely each step near a point is a start or
an end of the class, plus what the point itself expects there.
Legend: B batch, T time, Th time after the stride, C channels, P points of all levels, K classes, N bins, M chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from avloc.config import TriDetConfig
from avloc.models.blocks import downsample, masked, residual_path, zero_biases
from avloc.models.family import OFFICIAL_NAMES, Embedding, Neck, head, padded, padded_length, pyramid
from avloc.models.heads import ClassificationHead, RegressionHead
from avloc.models.network import Network
from avloc.models.outputs import DenseOutputs, Points, pyramid_points

_GROUPS = 16


class MaskedGroupNorm(nn.Module):
    """GroupNorm over time and the channels of each group; with a mask over valid steps alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"] | None) -> Float[Tensor, "B T C"]:
        mean, variance = (self._by_channel(m) for m in _moments(x, mask))
        gain = self.weight * torch.rsqrt(variance + 1e-5)
        return x * gain + (self.bias - mean * gain)

    def _by_channel(self, x: Float[Tensor, "B G"]) -> Float[Tensor, "B 1 C"]:
        return x.repeat_interleave(len(self.weight) // _GROUPS, dim=1)[:, None]


def _moments(
    x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"] | None
) -> tuple[Float[Tensor, "B G"], Float[Tensor, "B G"]]:
    """Mean and variance of each group."""
    groups = x.reshape(*x.shape[:2], _GROUPS, -1)  # (B, T, G, C / G)
    if mask is None:
        variance, mean = torch.var_mean(groups, dim=(1, 3), correction=0)
        return mean, variance
    share = _share(mask)[..., None, None] / groups.shape[3]
    mean = (groups * share).sum(dim=(1, 3))
    return mean, ((groups - mean[:, None, :, None]) ** 2 * share).sum(dim=(1, 3))


def _share(mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T"]:
    """What each valid step counts in a mean over its video."""
    return mask / mask.sum(dim=1, keepdim=True).clamp(min=1)


class SgpBlock(nn.Module):
    """Scalable-granularity perception: an instant branch, gated by the mean over time, beside a window branch.

    As published nothing inside is masked but the skip; else padding is neither read nor counted nor written.
    """

    def __init__(self, config: TriDetConfig, *, stride: int = 1, window: int = 1, drop_path: float = 0.0) -> None:
        super().__init__()
        c = config
        self.stride = stride
        self.reads_padding = c.reads_padding
        wide = round((window + 1) * c.window_growth)

        def depthwise(kernel: int) -> nn.Conv1d:
            conv = nn.Conv1d(c.width, c.width, kernel, padding=kernel // 2, groups=c.width)
            nn.init.normal_(conv.weight, 0.0, c.start_deviation)
            return conv

        self.norm = nn.LayerNorm(c.width)
        self.gate = depthwise(window)
        self.instant = depthwise(1)
        self.narrow = depthwise(window)
        self.wide = depthwise(wide + 1 - wide % 2)
        self.average = depthwise(1)
        self.path_out = residual_path(c.width, drop_path)
        self.norm_ffn = MaskedGroupNorm(c.width)
        self.ffn = nn.Sequential(nn.Linear(c.width, c.hidden), nn.GELU(), nn.Linear(c.hidden, c.width))
        self.path_ffn = residual_path(c.width, drop_path)

    def forward(
        self, x: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"]
    ) -> tuple[Float[Tensor, "B Th C"], Bool[Tensor, "B Th"]]:
        """Sequence and mask at the block's rate; T is even at stride 2."""
        if self.stride > 1:
            x = downsample(x, None if self.reads_padding else mask)
            mask = mask[:, :: self.stride]
        counted = None if self.reads_padding else mask
        x = masked(x, mask) + self.path_out(self._perceive(self.norm(x), counted))
        x = x + self.path_ffn(self.ffn(self.norm_ffn(x, counted)))
        return x if counted is None else masked(x, mask), mask

    def _perceive(self, o: Float[Tensor, "B T C"], mask: Bool[Tensor, "B T"] | None) -> Float[Tensor, "B T C"]:
        """fc(o) phi + (conv_w(o) + conv_kw(o)) psi(o) + o."""
        if mask is not None:
            o = masked(o, mask)
        over_time = o.transpose(1, 2).contiguous()
        mean = o.mean(dim=1) if mask is None else (o * _share(mask)[..., None]).sum(dim=1)
        phi = torch.relu(_pointwise(mean[:, None], self.average))
        # Two convolutions of one input are one, whose kernel is the sum of theirs.
        more = (self.wide.kernel_size[0] - self.narrow.kernel_size[0]) // 2
        kernel = self.wide.weight + F.pad(self.narrow.weight, (more, more))
        bias = None if self.wide.bias is None or self.narrow.bias is None else self.wide.bias + self.narrow.bias
        around = F.conv1d(over_time, kernel, bias, padding=kernel.shape[2] // 2, groups=len(kernel)).transpose(1, 2)
        psi = _pointwise(o, self.gate) if self.gate.kernel_size[0] == 1 else self.gate(over_time).transpose(1, 2)
        return _pointwise(o, self.instant) * phi + around * psi + o


def _pointwise(x: Float[Tensor, "B T C"], conv: nn.Conv1d) -> Float[Tensor, "B T C"]:
    """A depthwise convolution of kernel 1."""
    assert conv.bias is not None
    return torch.addcmul(conv.bias, x, conv.weight[:, 0, 0])


@dataclass(frozen=True, slots=True)
class Boundary:
    """One side of the segments. Legend: N steps around a point, itself among them.

    logits (B, P, K): of a boundary at each point; bins (B, P, N): what each point expects of the steps around it;
    near (P, N): these steps, as points of the same level, P where there is none; distance (N,) to them in strides.
    """

    logits: Float[Tensor, "B P K"]
    bins: Float[Tensor, "B P N"]
    near: Int[Tensor, "P N"]
    distance: Float[Tensor, "N"]

    def everywhere(self) -> Float[Tensor, "B P K"]:
        """Expected distance of each point and class."""
        around = self._open()[:, self.near] + self.bins[..., None]  # (B, P, N, K)
        return torch.einsum("bpnk,n->bpk", around.float().softmax(dim=2), self.distance)

    def at(self, video: Int[Tensor, "M"], point: Int[Tensor, "M"], label: Int[Tensor, "M"]) -> Float[Tensor, "M"]:
        """Expected distance of chosen ones."""
        around = self._open()[video[:, None], self.near[point], label[:, None]] + self.bins[video, point]  # (M, N)
        return around.float().softmax(dim=1) @ self.distance

    def _open(self) -> Float[Tensor, "B P1 K"]:
        """Logits with a last row of zeros for the steps that are none."""
        return F.pad(self.logits, (0, 0, 0, 1))


class TriDetOutputs(DenseOutputs):
    """Offsets of each class, decoded where they are asked for: training asks for those of positives alone."""

    start: Boundary
    end: Boundary

    def __init__(
        self,
        logits: Float[Tensor, "B P K"],
        start: Boundary,
        end: Boundary,
        mask: Bool[Tensor, "B P"],
        points: Points,
    ) -> None:
        for name, value in {"logits": logits, "start": start, "end": end, "mask": mask, "points": points}.items():
            object.__setattr__(self, name, value)  # the dataclass is frozen, and would take `offsets`

    @cached_property
    def offsets(self) -> Float[Tensor, "B P K 2"]:
        """Every point's of every class."""
        return torch.stack([self.start.everywhere(), self.end.everywhere()], dim=-1)

    @property
    def is_class_aware(self) -> bool:
        """Always."""
        return True

    def offsets_at(self, at: tuple[Int[Tensor, "M"], Int[Tensor, "M"], Int[Tensor, "M"]]) -> Float[Tensor, "M 2"]:
        """Offsets of chosen videos, points and classes."""
        return torch.stack([self.start.at(*at), self.end.at(*at)], dim=-1)


def neighbours(points: Points, reach: Int[Tensor, "N"]) -> Int[Tensor, "P N"]:
    """The points that stand `reach` steps of the level from each; P, one behind the last, where the level ends."""
    P = len(points)
    at = torch.arange(P, device=reach.device)[:, None] + reach
    inside = at.clamp(0, P - 1)
    there = (at == inside) & (points.stride[inside] == points.stride[:, None])
    return torch.where(there, at, P)


class TriDet(Network):
    """Features of both modalities on one grid -> TriDetOutputs. T must be a multiple of 2^(levels - 1)."""

    official_names: ClassVar = (
        *OFFICIAL_NAMES,
        (r"^(start|end)_head\.", r"\1.convs."),
        (r"\.head\.(\d+)\.conv\.", r".convs.\1.conv."),
        (r"\.norm\.(\d+)\.", r".norms.\1."),
        (r"\.cls_head\.", ".last."),
        (r"\.ln\.", ".norm."),
        (r"\.gn\.", ".norm_ffn."),
        (r"\.psi\.", ".gate."),
        (r"\.fc\.", ".instant."),
        (r"\.convw\.", ".narrow."),
        (r"\.convkw\.", ".wide."),
        (r"\.global_fc\.", ".average."),
        (r"\.mlp\.", ".ffn."),
        (r"\.drop_path_(out|mlp)\.", r".path_\1."),
        (r"\.path_mlp\.", ".path_ffn."),
    )

    def __init__(self, config: TriDetConfig) -> None:
        super().__init__()
        self.config: TriDetConfig = config
        self.multiple = 2 ** (config.levels - 1)
        c = config
        windows = c.windows if len(c.windows) > 1 else c.windows * c.levels
        self.unit = max(2**level * w for level, w in enumerate(windows))
        self.embedding = Embedding(c.visual_width + c.audio_width, c)
        self.stem = nn.ModuleList(SgpBlock(c) for _ in range(c.stem_blocks))
        self.branch = nn.ModuleList(SgpBlock(c, stride=2, window=w, drop_path=c.drop_path) for w in windows[1:])
        zero_biases(self)
        self.neck = Neck(c, max(c.head_kernel, c.boundary_kernel))
        self.classify = ClassificationHead(head(c, c.classes), c.class_prior)
        self.start = ClassificationHead(head(c, c.classes, c.boundary_kernel), c.class_prior)
        self.end = ClassificationHead(head(c, c.classes, c.boundary_kernel), c.class_prior)
        self.regress = RegressionHead(head(c, 2 * (c.bins + 1)), c.levels, start=0.0)

    def forward(
        self, visual: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], mask: Bool[Tensor, "B T"]
    ) -> TriDetOutputs:
        T, c = mask.shape[1], self.config
        # Means over time count padding, so that there is as much of it as published.
        x, m = padded(torch.cat([visual, audio], dim=-1), mask, padded_length(T, c, self.unit))
        if self.training and c.input_noise:
            x = x + c.input_noise * torch.randn_like(x)
        x = self.embedding(x, m)
        row = self.neck(*pyramid(x, m, self.stem, self.branch))
        logits = self.classify(row.x, row.mask, row.real)
        # Boundary heads look at features and do not shape them.
        start, end = (side(row.x.detach(), row.mask, row.real) for side in (self.start, self.end))
        bins = self.regress(row.x, row.mask, row.lengths, row.real)
        logits, start, end, bins, own = (row.points(y, T) for y in (logits, start, end, bins, row.mask))
        before, behind = bins.flatten(2).chunk(2, dim=2)  # each (B, P, N), in the order of the channels
        points = pyramid_points(T, c.levels, mask.device)
        reach = torch.arange(c.bins + 1, device=mask.device)
        return TriDetOutputs(
            logits,
            Boundary(start, before, neighbours(points, reach - c.bins), (c.bins - reach).float()),
            Boundary(end, behind, neighbours(points, reach), reach.float()),
            own,
            points,
        )


def build(config: TriDetConfig) -> TriDet:
    """The network of these settings."""
    return TriDet(config)
