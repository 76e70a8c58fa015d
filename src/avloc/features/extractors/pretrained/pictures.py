"""Pictures and flow as the published extractors prepare them for their networks.

Legend: N pictures, H and W height and width in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

FLOW_LIMIT = 20.0  # pixels a frame
LONGEST = 4  # times the shorter edge


def with_shorter_edge(picture: NDArray[np.uint8], edge: int) -> Tensor:
    """A picture (H, W, 3), its shorter edge scaled to `edge`: (3, H', W') uint8.

    Bilinear over the area, as PIL scales; up to one value of a hundred is off by one. Of what is longer
    than four to one the middle is kept: no network could hold the whole.
    """
    most = LONGEST * min(picture.shape[:2])
    top, left = (max(0, length - most) // 2 for length in picture.shape[:2])
    picture = picture[top : top + most, left : left + most]
    height, width = picture.shape[:2]
    size = (edge, edge * width // height) if height <= width else (edge * height // width, edge)
    return scaled(picture, size)


def scaled(
    picture: NDArray[np.uint8], size: tuple[int, int], kind: Literal["bilinear", "bicubic"] = "bilinear"
) -> Tensor:
    """A picture (H, W, 3) at `size` (height, width): (3, H', W') uint8."""
    image = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)
    if tuple(image.shape[1:]) == size:
        return image.contiguous()
    return F.interpolate(image[None], size, mode=kind, antialias=True)[0].contiguous()


def centre(pictures: Tensor, side: int) -> Tensor:
    """The square of `side` in the middle of (..., H, W)."""
    top, left = ((length - side) // 2 for length in pictures.shape[-2:])
    return pictures[..., top : top + side, left : left + side]


def to_unit(pictures: Tensor) -> Tensor:
    """0 to 255 -> -1 to 1."""
    return pictures * (2 / 255) - 1


def quantised(flow: Tensor) -> Tensor:
    """Flow in pixels -> 0 to 256 in whole numbers, as the public extractor keeps it: +20 becomes 256, not 255."""
    return torch.round(128 + 255 / (2 * FLOW_LIMIT) * flow.clamp(-FLOW_LIMIT, FLOW_LIMIT))


def normalised(pictures: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """(..., 3, H, W) of 0 to 255, each colour by its own mean and deviation."""
    low, spread = (torch.tensor(v, device=pictures.device)[:, None, None] for v in (mean, deviation))
    return (pictures - low) / spread
