"""I3D (Carreira and Zisserman 2017): windows of pictures or of flow > Inception inflated to three dimensions.

Legend: N windows, C = 3 (RGB) or 2 (flow), T frames, H and W in pixels, D = 1024.

Tensors are named as in the published PyTorch weights (video_features, after kinetics_i3d_pytorch). The original is
TensorFlow's: its SAME padding does not depend on the input's size, puts the smaller half first, and is of zeros for
poolings too.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avloc.features.extractors.pretrained.base import PretrainedNetwork

WIDTH = 1024
CLASSES = 400
_Size = tuple[int, int, int]

# Widths of a mixed unit's branches: 1x1 | 1x1, 3x3 | 1x1, 3x3 | pooling, 1x1.
_MIXED: dict[str, tuple[int, tuple[int, int], tuple[int, int], int]] = {
    "mixed_3b": (64, (96, 128), (16, 32), 32),
    "mixed_3c": (128, (128, 192), (32, 96), 64),
    "mixed_4b": (192, (96, 208), (16, 48), 64),
    "mixed_4c": (160, (112, 224), (24, 64), 64),
    "mixed_4d": (128, (128, 256), (24, 64), 64),
    "mixed_4e": (112, (144, 288), (32, 64), 64),
    "mixed_4f": (256, (160, 320), (32, 128), 128),
    "mixed_5b": (256, (160, 320), (32, 128), 128),
    "mixed_5c": (384, (192, 384), (48, 128), 128),
}


class I3dNetwork(PretrainedNetwork):
    """Windows (N, C, T, 224, 224) in [-1, 1] -> features (N, 1024)."""

    width = WIDTH

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv3d_1a_7x7 = Unit(channels, 64, 7, 2)
        self.maxPool3d_2a_3x3 = SamePool((1, 3, 3), (1, 2, 2))
        self.conv3d_2b_1x1 = Unit(64, 64, 1)
        self.conv3d_2c_3x3 = Unit(64, 192, 3)
        self.maxPool3d_3a_3x3 = SamePool((1, 3, 3), (1, 2, 2))
        self.mixed_3b = Mixed("mixed_3b", 192)
        self.mixed_3c = Mixed("mixed_3c", 256)
        self.maxPool3d_4a_3x3 = SamePool((3, 3, 3), (2, 2, 2))
        self.mixed_4b = Mixed("mixed_4b", 480)
        self.mixed_4c = Mixed("mixed_4c", 512)
        self.mixed_4d = Mixed("mixed_4d", 512)
        self.mixed_4e = Mixed("mixed_4e", 512)
        self.mixed_4f = Mixed("mixed_4f", 528)
        self.maxPool3d_5a_2x2 = SamePool((2, 2, 2), (2, 2, 2))
        self.mixed_5b = Mixed("mixed_5b", 832)
        self.mixed_5c = Mixed("mixed_5c", 832)
        self.avg_pool = nn.AvgPool3d((2, 7, 7), (1, 1, 1))
        self.conv3d_0c_1x1 = Classifier()

    def forward(self, windows: Tensor) -> Tensor:
        x = self.conv3d_1a_7x7(windows)  # (N, 64, T/2, 112, 112)
        x = self.maxPool3d_2a_3x3(x)
        x = self.conv3d_2c_3x3(self.conv3d_2b_1x1(x))
        x = self.mixed_3c(self.mixed_3b(self.maxPool3d_3a_3x3(x)))  # (N, 480, T/2, 28, 28)
        x = self.maxPool3d_4a_3x3(x)
        x = self.mixed_4f(self.mixed_4e(self.mixed_4d(self.mixed_4c(self.mixed_4b(x)))))  # (N, 832, T/4, 14, 14)
        x = self.mixed_5c(self.mixed_5b(self.maxPool3d_5a_2x2(x)))  # (N, 1024, T/8, 7, 7)
        pooled: Tensor = self.avg_pool(x)
        return pooled.mean(dim=(2, 3, 4))  # the ends of the window count half: pooling overlaps

    def logits(self, features: Tensor) -> Tensor:
        """Of Kinetics' classes, (N, 400)."""
        logits: Tensor = self.conv3d_0c_1x1(features)
        return logits


class Unit(nn.Module):
    """Convolution with a cubic kernel, batch normalisation, ReLU."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.padding = _same((kernel,) * 3, (stride,) * 3)
        even = kernel - stride  # the same on both sides: left to the convolution, which copies nothing
        inside = even // 2 if even % 2 == 0 else 0
        if inside:
            self.padding = (0,) * 6
        self.conv3d = nn.Conv3d(channels, width, kernel, stride, inside, bias=False)
        self.batch3d = nn.BatchNorm3d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.batch3d(self.conv3d(_padded(x, self.padding))))


class SamePool(nn.Module):
    """Maximum over a window, zeros around."""

    def __init__(self, kernel: _Size, stride: _Size) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, _same(kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool3d(_padded(x, self.padding), self.kernel, self.stride, ceil_mode=True)


class Mixed(nn.Module):
    """Four branches side by side."""

    def __init__(self, name: str, channels: int) -> None:
        super().__init__()
        one, (two, two_out), (three, three_out), four = _MIXED[name]
        self.branch_0 = Unit(channels, one, 1)
        self.branch_1 = nn.Sequential(Unit(channels, two, 1), Unit(two, two_out, 3))
        self.branch_2 = nn.Sequential(Unit(channels, three, 1), Unit(three, three_out, 3))
        self.branch_3 = nn.Sequential(SamePool((3, 3, 3), (1, 1, 1)), Unit(channels, four, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch_0(x), self.branch_1(x), self.branch_2(x), self.branch_3(x)], dim=1)


class Classifier(nn.Module):
    """Features (N, 1024) -> logits (N, 400), a convolution of one place in the published weights."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(WIDTH, CLASSES, 1)

    def forward(self, features: Tensor) -> Tensor:
        return F.linear(features, self.conv3d.weight.flatten(1), self.conv3d.bias)


def _same(kernel: Sequence[int], stride: Sequence[int]) -> tuple[int, ...]:
    """Padding as torch wants it: last axis first, before and behind."""
    totals = [max(k - s, 0) for k, s in zip(kernel, stride, strict=True)]
    return tuple(n for total in reversed(totals) for n in (total // 2, total - total // 2))


def _padded(x: Tensor, padding: tuple[int, ...]) -> Tensor:
    return F.pad(x, padding) if any(padding) else x
