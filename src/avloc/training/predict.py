"""A network on a split > detections of every video: batches through the network, each decoded at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch

from avloc.config import DecodingConfig
from avloc.datasets.batch import Sample, collate
from avloc.datasets.labelled import LabelledVideo
from avloc.decoding.candidates import decode, find_candidates
from avloc.events import Events
from avloc.features.inputs import network_inputs
from avloc.models.network import Network


class Videos(Protocol):
    """A split: the names of its videos, and each as features and truth."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    scores: bool

    def load(self, i: int) -> LabelledVideo: ...


def predict(
    network: Network,
    videos: Videos,
    decoding: DecodingConfig,
    *,
    batch: int = 16,
    task: str = "",
    on_video: Callable[[int], None] | None = None,
) -> dict[str, Events]:
    """All candidates of each video after soft-NMS, highest score first. Videos are taken whole (Section 3.5).

    `task` is the one of a network of several that is asked; without it, its own.
    """
    found: dict[str, Events] = {}
    for group in _groups(videos, batch):
        for video, events in zip(group, _predict_batch(network, group, videos, decoding, task), strict=True):
            found[video.name] = events
        if on_video is not None:
            on_video(len(found))
    return found


def _groups(videos: Videos, batch: int) -> Iterator[list[LabelledVideo]]:
    for first in range(0, len(videos.names), batch):
        yield [videos.load(i) for i in range(first, min(first + batch, len(videos.names)))]


@torch.no_grad()
def _predict_batch(
    network: Network, group: list[LabelledVideo], videos: Videos, decoding: DecodingConfig, task: str
) -> Iterator[Events]:
    device = next(network.parameters()).device
    none = np.zeros((0, 2), np.float32), np.zeros(0, np.int64)
    inputs = [network_inputs(video.features, videos.scores) for video in group]
    padded = collate([Sample(visual, audio, *none) for visual, audio in inputs], network.multiple)
    visual, audio, mask = (torch.from_numpy(x).to(device) for x in (padded.visual, padded.audio, padded.mask))
    network.eval()
    outputs = network(visual, audio, mask, task) if task else network(visual, audio, mask)
    scores, segments = outputs.scores.cpu().numpy(), outputs.segments.cpu().numpy()
    inside = outputs.mask.cpu().numpy()
    for i, video in enumerate(group):
        grid = video.features.grid
        candidates = find_candidates(scores[i], segments[i], grid, inside[i], decoding)
        yield decode(candidates, videos.labels, video.features.duration_s, decoding)
