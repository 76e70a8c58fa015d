"""A network on torch behind the same call as the exported one, to evaluate it while it trains."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.models.network import Network

Float32 = NDArray[np.float32]


class TorchRunner:
    """visual (T, Dv), audio (T, Da), mask (T,) -> scores (P, K) in [0, 1], segments (P, S, 2) in steps, place (P,).

    It computes where the network's weights lie.
    """

    def __init__(self, network: Network) -> None:
        self.network = network.eval()
        self.device = next(network.parameters()).device

    @torch.no_grad()
    def __call__(self, visual: Float32, audio: Float32, mask: NDArray[np.bool_]) -> tuple[Float32, Float32, Float32]:
        inputs = (torch.from_numpy(x)[None].to(self.device) for x in (visual, audio, mask))
        outputs = self.network(*inputs)
        scores, segments = outputs.scores[0].cpu().numpy(), outputs.segments[0].cpu().numpy()
        return scores, segments, outputs.place.reshape(-1).cpu().numpy()
