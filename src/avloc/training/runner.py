"""A network on torch behind the same call as the exported one, to evaluate it while it trains."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.training.checkpoint import Network

Float32 = NDArray[np.float32]


class TorchRunner:
    """visual (T, Dv), audio (T, Da), mask (T,) -> scores (P, K) in [0, 1], offsets (P, K, 2) in strides.

    It computes where the network's weights lie.
    """

    def __init__(self, network: Network) -> None:
        self.network = network.eval()
        self.device = next(network.parameters()).device

    @torch.no_grad()
    def __call__(self, visual: Float32, audio: Float32, mask: NDArray[np.bool_]) -> tuple[Float32, Float32]:
        inputs = (torch.from_numpy(x)[None].to(self.device) for x in (visual, audio, mask))
        outputs = self.network(*inputs)
        return outputs.logits[0].sigmoid().cpu().numpy(), outputs.offsets[0].cpu().numpy()
