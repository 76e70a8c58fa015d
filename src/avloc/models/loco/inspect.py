"""Looking into a trained network, for the figures: what it encodes of a video, and where its windows lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avloc.models.loco.cdp import CdpLayer, WindowAdaptation
from avloc.models.loco.network import Loco

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Encodings:
    """Both modalities of a video after the unimodal encoders, (T, C), and in LCC's common space, (T, C / 2)."""

    visual: Float32
    audio: Float32
    visual_common: Float32
    audio_common: Float32


@dataclass(frozen=True, slots=True)
class TargetWindows:
    """CDP's windows on one level: N base windows, and where each of H heads looks instead (Section 3.4).

    All in steps of the finest grid, edges of windows; `stream` is the modality of key and value.
    """

    level: int
    stream: Literal["visual", "audio"]
    base_start: Float64
    base_end: Float64
    start: Float64
    end: Float64


@torch.no_grad()
def encode(network: Loco, visual: Float32, audio: Float32) -> Encodings:
    """f_v and f_a of one video, visual (T, Dv) and audio (T, Da), as the pyramid gets them."""
    network.eval()
    mask = torch.ones(1, len(visual), dtype=torch.bool)
    f_v, f_a = (
        encoder(torch.from_numpy(x)[None], mask) for encoder, x in ((network.visual, visual), (network.audio, audio))
    )
    common = network.correspondence(f_v, f_a, mask)
    return Encodings(*(x[0].float().numpy() for x in (f_v, f_a, common.visual, common.audio)))


@torch.no_grad()
def target_windows(network: Loco, visual: Float32, audio: Float32) -> list[TargetWindows]:
    """The windows of every level and stream for one video, those of padding left out; none without adaptation."""
    network.eval()
    length, multiple = len(visual), network.multiple
    padding = -length % multiple
    found: dict[tuple[int, Literal["visual", "audio"]], TargetWindows] = {}

    def keep(
        level: int,
        stream: Literal["visual", "audio"],
        module: nn.Module,
        inputs: tuple[Tensor, Tensor, Tensor, int],
        output: tuple[Tensor, Tensor],
    ) -> None:
        mask, window = inputs[2][0], inputs[3]
        real = mask.reshape(-1, window).any(dim=1).numpy()
        size, offset = (x[0].double().numpy()[:, real] for x in output)  # each (H, N)
        found[level, stream] = windows_of(size, offset, window, level, stream)

    handles = []
    sides: tuple[tuple[Literal["visual", "audio"], nn.ModuleList], ...] = (
        ("visual", network.pyramid.visual),
        ("audio", network.pyramid.audio),
    )
    for stream, layers in sides:
        for level, layer in enumerate(layers):
            assert isinstance(layer, CdpLayer)
            adaptation = getattr(layer, "adaptation", None)
            if isinstance(adaptation, WindowAdaptation):
                handles.append(adaptation.register_forward_hook(partial(keep, level, stream)))
    try:
        mask = torch.arange(length + padding)[None] < length
        v, a = (torch.from_numpy(np.pad(x, ((0, padding), (0, 0))))[None] for x in (visual, audio))
        network(v, a, mask)
    finally:
        for handle in handles:
            handle.remove()
    return [found[key] for key in sorted(found)]


def windows_of(
    size: Float64, offset: Float64, window: int, level: int, stream: Literal["visual", "audio"]
) -> TargetWindows:
    """size and offset (H, N) of Eq. 7 > edges in steps of the finest grid. Step i of level l is step i * 2^l there.

    The half-width is scaled by (1 + size), the offset is in windows; a window turned around has its ends swapped.
    """
    stride = 2**level
    base = np.arange(size.shape[1]) * window
    middle = base + (window - 1) / 2 + offset * window
    half = window / 2 * np.abs(1 + size)
    return TargetWindows(
        level,
        stream,
        (base - 0.5) * stride,
        (base + window - 0.5) * stride,
        (middle - half) * stride,
        (middle + half) * stride,
    )
