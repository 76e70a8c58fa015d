"""I3D's eyes and VGGish's ears, fed as the public extractors feed them.

Pictures: shorter edge 256, the middle 224. Flow is of the whole pictures at 256, its middle is quantised.

Legend: N windows, F frames, H and W in pixels.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.features.extractors.base import Resources
from avloc.features.extractors.pretrained import raft
from avloc.features.extractors.pretrained.i3d import I3dNetwork
from avloc.features.extractors.pretrained.loading import Bench, batches
from avloc.features.extractors.pretrained.pictures import centre, quantised, to_unit, with_shorter_edge
from avloc.features.extractors.pretrained.senses import Frames, as_array
from avloc.features.extractors.pretrained.vggish import VggishNetwork, VggishPca
from avloc.features.logmel import HOP, PATCH_FRAMES, VGGISH_LOG_OFFSET, WINDOW, log_mel
from avloc.features.sequence import Array

EDGE, SIDE = 256, 224
WINDOW_FRAMES = 24
WINDOWS_ON_GPU, PAIRS_ON_GPU, SOUNDS_ON_GPU = 16, 16, 64
PAIRS_ON_CPU = 4  # neighbours share the maps of the picture between them


class I3dEyes:
    """RGB and flow of the same frames; flow between two frames is found once, whichever windows it is part of."""

    def __init__(self, resources: Resources, iterations: int = raft.ITERATIONS) -> None:
        self.bench = Bench(resources)
        self.rgb = self.bench.network("i3d-rgb", I3dNetwork)
        self.flow = self.bench.network("i3d-flow", I3dNetwork)
        self.raft = self.bench.network("raft", raft.RaftNetwork, torch.float32)  # rounding grows over its steps
        self.iterations = iterations
        self._moves: list[Tensor] = []  # quantised flow of pairs of one video, the first of them at frame _at
        self._at = 0
        self._video: weakref.ref[Frames] | None = None

    def prepare(self, picture: NDArray[np.uint8]) -> Tensor:
        """(3, 256, W) or (3, H, 256), upright."""
        return with_shorter_edge(picture, EDGE)

    @torch.inference_mode()
    def see(self, frames: Frames, begins: Sequence[int]) -> Array:
        """RGB and flow side by side, (N, 2048)."""
        low, high = begins[0], begins[-1] + WINDOW_FRAMES + 1
        pictures = frames.take(low, high)
        if self._video is None or self._video() is not frames:
            self._video, self._moves, self._at = weakref.ref(frames), [], low
        middle, moves = centre(pictures, SIDE), self._moves_of(pictures, low)
        found = []
        for part in batches(len(begins), self.bench.at_once(WINDOWS_ON_GPU)):
            places = [begin - low for begin in begins[part]]
            found.append(torch.cat([self._look(self.rgb, middle, places), self._look(self.flow, moves, places)], 1))
        return as_array(found)

    def _look(self, network: I3dNetwork, frames: Tensor, places: Sequence[int]) -> Tensor:
        windows = torch.stack([frames[at : at + WINDOW_FRAMES] for at in places]).to(self.bench.device)
        features: Tensor = network(to_unit(windows.transpose(1, 2).float()).to(self.bench.dtype))
        return features.float()

    def _moves_of(self, pictures: Tensor, low: int) -> Tensor:
        """Quantised flow (F - 1, 2, 224, 224) from each picture to the next; `low` is the first one's number."""
        self._moves = self._moves[low - self._at :]
        self._at, have = low, len(self._moves)
        size = self.bench.at_once(PAIRS_ON_GPU, PAIRS_ON_CPU)
        for part in batches(len(pictures) - 1 - have, size):
            pair = pictures[have + part.start : have + part.stop + 1].to(self.bench.device)
            flow = self.raft(raft.padded(pair.float()), self.iterations)
            self._moves += quantised(centre(flow, SIDE)).to("cpu", torch.int16).unbind()
        return torch.stack(self._moves[: len(pictures) - 1])


class VggishEars:
    """Log-mel in double precision, as the original's, then VGGish; with `pca` rotated and in 256 levels."""

    samples = (PATCH_FRAMES - 1) * HOP + WINDOW

    def __init__(self, resources: Resources, *, pca: bool = False) -> None:
        self.bench = Bench(resources)
        self.network = self.bench.network("vggish", VggishNetwork)
        self.pca = self.bench.network("vggish-pca", VggishPca, torch.float32) if pca else None

    @torch.inference_mode()
    def hear(self, windows: Array) -> Array:
        """(N, 15600) -> (N, 128)."""
        mel = np.stack([log_mel(window, offset=VGGISH_LOG_OFFSET, dtype=np.float64) for window in windows])
        found = []
        for part in batches(len(mel), self.bench.at_once(SOUNDS_ON_GPU, 8)):
            examples = torch.from_numpy(mel[part]).to(self.bench.device, self.bench.dtype)
            embeddings = self.network(examples)
            found.append(embeddings if self.pca is None else self.pca(embeddings))
        return as_array(found)
