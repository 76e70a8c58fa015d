"""RAFT (Teed and Deng 2020): two pictures > features > all correlations > flow, refined again and again.

Legend: N pairs of pictures, H and W in pixels, h = H/8 and w = W/8.

Tensors are named as in the published weights, less the prefix of a parallel wrapper. Coordinates are (x, y) in pixels
of the coarse maps.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avloc.features.extractors.pretrained.base import PretrainedNetwork

MULTIPLE = 8
ITERATIONS = 20
_HIDDEN = 128
_LEVELS = 4
_RADIUS = 4
_Norm = Callable[[int], nn.Module]


class RaftNetwork(PretrainedNetwork):
    """Consecutive pictures (N + 1, 3, H, W) of 0 to 255 -> flow (N, 2, H, W), from each to the next.

    Flow is in pixels, x first; H and W are multiples of 8 (`padded`).
    """

    width = 2

    def __init__(self) -> None:
        super().__init__()
        self.fnet = Encoder(256, nn.InstanceNorm2d)
        self.cnet = Encoder(2 * _HIDDEN, nn.BatchNorm2d)
        self.update_block = Update()

    def forward(self, pictures: Tensor, iterations: int = ITERATIONS) -> Tensor:
        x = 2 * (pictures / 255) - 1
        maps = self.fnet(x)
        correlations = Correlations(maps[:-1].float(), maps[1:].float())
        hidden, context = self.cnet(x[:-1]).split(_HIDDEN, dim=1)
        hidden, context = hidden.tanh(), context.relu()
        start = _coordinates(maps[:-1])  # (N, 2, h, w)
        place = start
        for _ in range(iterations):
            seen = correlations.around(place).to(hidden.dtype)
            hidden = self.update_block(hidden, context, seen, (place - start).to(hidden.dtype))
            place = place + self.update_block.flow_head(hidden).float()
        return _upsampled(place - start, 0.25 * self.update_block.mask(hidden).float())


def padded(pictures: Tensor) -> Tensor:
    """(N, 3, H, W) with edges repeated to multiples of 8, the smaller half left and above."""
    height, width = pictures.shape[-2:]
    down, right = -height % MULTIPLE, -width % MULTIPLE
    if not down and not right:
        return pictures
    return F.pad(pictures, (right // 2, right - right // 2, down // 2, down - down // 2), mode="replicate")


class Encoder(nn.Module):
    """Pictures (N, 3, H, W) -> maps (N, D, h, w)."""

    def __init__(self, width: int, norm: _Norm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.norm1 = norm(64)
        self.layer1 = nn.Sequential(Residual(64, 64, 1, norm), Residual(64, 64, 1, norm))
        self.layer2 = nn.Sequential(Residual(64, 96, 2, norm), Residual(96, 96, 1, norm))
        self.layer3 = nn.Sequential(Residual(96, 128, 2, norm), Residual(128, 128, 1, norm))
        self.conv2 = nn.Conv2d(128, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm1(self.conv1(x)))
        maps: Tensor = self.conv2(self.layer3(self.layer2(self.layer1(x))))
        return maps


class Residual(nn.Module):
    """Two convolutions beside a path that changes nothing but stride and width."""

    def __init__(self, channels: int, width: int, stride: int, norm: _Norm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm1, self.norm2 = norm(width), norm(width)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(channels, width, 1, stride=stride), norm(width))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        return F.relu(self.downsample(x) + y)


class Correlations:
    """Of every place of the first maps with every place of the second, at four scales of the second."""

    def __init__(self, first: Tensor, second: Tensor) -> None:
        N, D, h, w = first.shape
        volume = torch.einsum("ndp,ndq->npq", first.flatten(2), second.flatten(2)) / D**0.5
        level = volume.reshape(N * h * w, 1, h, w)
        self.levels = [level]
        for _ in range(_LEVELS - 1):
            level = F.avg_pool2d(level, 2)
            self.levels.append(level)

    def around(self, place: Tensor) -> Tensor:
        """In a square around each place (N, 2, h, w) at every scale, nothing outside: (N, 324, h, w)."""
        N, _, h, w = place.shape
        centre = place.permute(0, 2, 3, 1).reshape(N * h * w, 1, 1, 2)
        near = torch.arange(-_RADIUS, _RADIUS + 1, device=place.device, dtype=place.dtype)
        offsets = torch.stack(torch.meshgrid(near, near, indexing="ij"), dim=-1)  # the first axis moves x
        found = []
        for i, level in enumerate(self.levels):
            size = torch.tensor([level.shape[-1], level.shape[-2]], device=place.device, dtype=place.dtype)
            at = 2 * (centre / 2**i + offsets) / (size - 1).clamp(min=1) - 1
            found.append(F.grid_sample(level, at, align_corners=True).reshape(N, h, w, -1))
        return torch.cat(found, dim=-1).permute(0, 3, 1, 2).contiguous()


class Update(nn.Module):
    """One step: what is seen and the flow so far > recurrent unit > change of the flow."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = MotionEncoder()
        self.gru = SeparableGru(_HIDDEN + 128)
        self.flow_head = FlowHead()
        self.mask = nn.Sequential(
            nn.Conv2d(_HIDDEN, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, MULTIPLE**2 * 9, 1)
        )

    def forward(self, hidden: Tensor, context: Tensor, seen: Tensor, flow: Tensor) -> Tensor:
        out: Tensor = self.gru(hidden, torch.cat([context, self.encoder(flow, seen)], dim=1))
        return out


class MotionEncoder(nn.Module):
    """Flow (N, 2, h, w) and correlations (N, 324, h, w) -> (N, 128, h, w), the flow itself last."""

    def __init__(self) -> None:
        super().__init__()
        self.convc1 = nn.Conv2d(_LEVELS * (2 * _RADIUS + 1) ** 2, 256, 1)
        self.convc2 = nn.Conv2d(256, 192, 3, padding=1)
        self.convf1 = nn.Conv2d(2, 128, 7, padding=3)
        self.convf2 = nn.Conv2d(128, 64, 3, padding=1)
        self.conv = nn.Conv2d(192 + 64, 126, 3, padding=1)

    def forward(self, flow: Tensor, seen: Tensor) -> Tensor:
        seen = F.relu(self.convc2(F.relu(self.convc1(seen))))
        moved = F.relu(self.convf2(F.relu(self.convf1(flow))))
        return torch.cat([F.relu(self.conv(torch.cat([seen, moved], dim=1))), flow], dim=1)


class SeparableGru(nn.Module):
    """Gated recurrent unit, along rows and then along columns."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        for i, kernel in ((1, (1, 5)), (2, (5, 1))):
            for gate in "zrq":
                padding = (kernel[0] // 2, kernel[1] // 2)
                self.add_module(f"conv{gate}{i}", nn.Conv2d(_HIDDEN + inputs, _HIDDEN, kernel, padding=padding))

    def forward(self, hidden: Tensor, x: Tensor) -> Tensor:
        for i in (1, 2):
            z, r, q = (self.get_submodule(f"conv{gate}{i}") for gate in "zrq")
            both = torch.cat([hidden, x], dim=1)
            keep = torch.sigmoid(z(both))
            new = torch.tanh(q(torch.cat([torch.sigmoid(r(both)) * hidden, x], dim=1)))
            hidden = (1 - keep) * hidden + keep * new
        return hidden


class FlowHead(nn.Module):
    """Hidden state (N, 128, h, w) -> change of the flow (N, 2, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(_HIDDEN, 256, 3, padding=1)
        self.conv2 = nn.Conv2d(256, 2, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        change: Tensor = self.conv2(F.relu(self.conv1(hidden)))
        return change


def _coordinates(maps: Tensor) -> Tensor:
    """(x, y) of each place: (N, 2, h, w)."""
    N, _, h, w = maps.shape
    y, x = torch.meshgrid(
        torch.arange(h, device=maps.device, dtype=torch.float32),
        torch.arange(w, device=maps.device, dtype=torch.float32),
        indexing="ij",
    )
    return torch.stack([x, y]).expand(N, 2, h, w)


def _upsampled(flow: Tensor, mask: Tensor) -> Tensor:
    """Flow (N, 2, h, w) to full size: each pixel a mean of the nine coarse ones around, weighted by `mask`."""
    N, _, h, w = flow.shape
    weights = mask.reshape(N, 1, 9, MULTIPLE, MULTIPLE, h, w).softmax(dim=2)
    around = F.unfold(MULTIPLE * flow, 3, padding=1).reshape(N, 2, 9, 1, 1, h, w)
    fine = (weights * around).sum(dim=2)  # (N, 2, 8, 8, h, w)
    return fine.permute(0, 1, 4, 2, 5, 3).reshape(N, 2, MULTIPLE * h, MULTIPLE * w)
