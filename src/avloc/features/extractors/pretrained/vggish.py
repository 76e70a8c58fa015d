"""VGGish (Hershey et al. 2017): log-mel examples > four stages of convolutions > three linear layers.

Legend: N examples, F = 96 frames, M = 64 mel bands, D = 128.

Tensors are named as in the published PyTorch weights (torchvggish).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avloc.features.extractors.pretrained.base import PretrainedNetwork
from avloc.features.logmel import BANDS, PATCH_FRAMES

WIDTH = 128
_STAGES = ((64,), (128,), (256, 256), (512, 512))  # widths of the convolutions between poolings
_HIDDEN = 4096


class VggishNetwork(PretrainedNetwork):
    """Examples (N, 96, 64) -> embeddings (N, 128), none negative."""

    width = WIDTH

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 1
        for stage in _STAGES:
            for wider in stage:
                layers += [nn.Conv2d(width, wider, 3, padding=1), nn.ReLU()]
                width = wider
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        flat = width * (PATCH_FRAMES // 2 ** len(_STAGES)) * (BANDS // 2 ** len(_STAGES))
        self.embeddings = nn.Sequential(
            nn.Linear(flat, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, WIDTH),
            nn.ReLU(),
        )  # fmt: skip

    def forward(self, examples: Tensor) -> Tensor:
        x = self.features(examples[:, None])  # (N, 512, 6, 4)
        # The original is TensorFlow's: channels stand last when it flattens.
        embeddings: Tensor = self.embeddings(x.permute(0, 2, 3, 1).flatten(1))
        return embeddings


class VggishPca(PretrainedNetwork):
    """What AudioSet's released features went through: rotation, clipping to +-2, 256 levels, (N, 128) -> (N, 128).

    Levels are rounded to the nearest, as the PyTorch port does; the original cuts them off.
    """

    width = WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.pca_eigen_vectors = nn.Parameter(torch.zeros(WIDTH, WIDTH))
        self.pca_means = nn.Parameter(torch.zeros(WIDTH, 1))

    def forward(self, embeddings: Tensor) -> Tensor:
        turned = (self.pca_eigen_vectors @ (embeddings.float().T - self.pca_means)).T
        return torch.round((turned.clamp(-2.0, 2.0) + 2.0) * (255.0 / 4.0))
