"""ONE-PEACE's eyes and ears.

Windows of pictures: shorter edge as long as the network's side, the middle square. Single pictures: the whole
picture squeezed to a square. Sound: one second, normalised by itself.

Legend: N windows, T frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avloc.errors import FeatureError
from avloc.features.extractors.base import Resources
from avloc.features.extractors.pretrained.loading import Bench, batches
from avloc.features.extractors.pretrained.onepeace import AudioNetwork, ImageNetwork, VideoNetwork, normal_waveform
from avloc.features.extractors.pretrained.pictures import centre, normalised, scaled, with_shorter_edge
from avloc.features.extractors.pretrained.senses import Frames, as_array
from avloc.features.logmel import SAMPLE_RATE
from avloc.features.sequence import Array

PATCH = 16
_VIDEO_MEAN, _VIDEO_DEVIATION = (122.771, 116.746, 104.094), (68.5, 66.632, 70.323)
_IMAGE_MEAN, _IMAGE_DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_WINDOWS_ON_GPU, _PICTURES_ON_GPU, _SOUNDS_ON_GPU = 8, 64, 64


class VideoEyes:
    """Windows through the Kinetics-400 network; the mean of the class tokens, as its recogniser takes it."""

    def __init__(self, resources: Resources, frames: int) -> None:
        self.bench = Bench(resources)
        self.network = self.bench.network("onepeace-video", VideoNetwork)
        self.frames, self.side = frames, PATCH * self.network.side
        if self.network.frames != frames:
            raise FeatureError(
                f"the weights onepeace-video are for windows of {self.network.frames} frames, not of {frames}; "
                "add those for 16 frames"
            )

    def prepare(self, picture: NDArray[np.uint8]) -> Tensor:
        """(3, side, side)."""
        return centre(with_shorter_edge(picture, self.side), self.side).clone()

    @torch.inference_mode()
    def see(self, frames: Frames, begins: Sequence[int]) -> Array:
        """(N, D)."""
        low = begins[0]
        pictures = frames.take(low, begins[-1] + self.frames)
        found = []
        for part in batches(len(begins), self.bench.at_once(_WINDOWS_ON_GPU)):
            windows = torch.stack([pictures[at - low : at - low + self.frames] for at in begins[part]])
            values = normalised(windows.to(self.bench.device).float(), _VIDEO_MEAN, _VIDEO_DEVIATION)
            tokens = self.network(values.transpose(1, 2).to(self.bench.dtype))  # (N, T, D)
            found.append(tokens.float().mean(dim=1))
        return as_array(found)


class ImageEyes:
    """One picture of each window through the image branch."""

    def __init__(self, resources: Resources, at: int) -> None:
        self.bench = Bench(resources)
        self.network = self.bench.network("onepeace-image", ImageNetwork)
        self.at, self.side = at, PATCH * self.network.side

    def prepare(self, picture: NDArray[np.uint8]) -> Tensor:
        """(3, side, side)."""
        return scaled(picture, (self.side, self.side), "bicubic")

    @torch.inference_mode()
    def see(self, frames: Frames, begins: Sequence[int]) -> Array:
        """(N, D)."""
        low = begins[0] + self.at
        pictures = frames.take(low, begins[-1] + self.at + 1)[[begin + self.at - low for begin in begins]]
        found = []
        for part in batches(len(begins), self.bench.at_once(_PICTURES_ON_GPU)):
            values = normalised(pictures[part].to(self.bench.device).float() / 255, _IMAGE_MEAN, _IMAGE_DEVIATION)
            found.append(self.network(values.to(self.bench.dtype)))
        return as_array(found)


class OnePeaceEars:
    """The second that belongs to each window, through the audio branch."""

    samples = SAMPLE_RATE

    def __init__(self, resources: Resources) -> None:
        self.bench = Bench(resources)
        self.network = self.bench.network("onepeace-audio", AudioNetwork)

    @torch.inference_mode()
    def hear(self, windows: Array) -> Array:
        """(N, 16000) -> (N, D)."""
        found = []
        for part in batches(len(windows), self.bench.at_once(_SOUNDS_ON_GPU, 4)):
            sound = normal_waveform(torch.from_numpy(windows[part]).to(self.bench.device))
            found.append(self.network(sound.to(self.bench.dtype)))
        return as_array(found)
