"""FeatureSequence: what the encoders say of one video, both modalities on one TimeGrid.

Legend: T steps, Dv and Da widths of the visual and audio embedding, Kv and Ka classes of the encoders,
C further cues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FeatureError
from avloc.streams import STREAMS, Streams
from avloc.timegrid import TimeGrid

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSequence:
    """Features of one video, or of a stretch of it.

    visual (T, Dv) and audio (T, Da) are embeddings. visual_scores (T, Kv) are logits and audio_scores (T, Ka)
    probabilities of the encoders' own classes; they have width 0 where an encoder has none.
    cues (T, C) are further measurements of the extractor's own choice; left out, they have width 0. `streams` says
    whose making each of them is, `source_hash` is the SHA-256 of the video's file.

    Raises:
        FeatureError: the arrays differ in length or are not two-dimensional.
    """

    grid: TimeGrid
    duration_s: float
    visual: Array
    audio: Array
    visual_scores: Array
    audio_scores: Array
    streams: Streams = field(default_factory=Streams)
    source_hash: str = ""
    cues: Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def __post_init__(self) -> None:
        if self.cues.size == 0:
            object.__setattr__(self, "cues", np.zeros((len(self.visual), 0), np.float32))
        for name in STREAMS:
            array = getattr(self, name)
            if array.ndim != 2:
                raise FeatureError(f"{name} has shape {array.shape}; (steps, width) is needed")
            if len(array) != len(self.visual):
                raise FeatureError(
                    f"{name} has {len(array)} steps and visual has {len(self.visual)}; "
                    "cut both modalities to one grid"
                )

    def __len__(self) -> int:
        return len(self.visual)

    @classmethod
    def joined(cls, stretches: Sequence[FeatureSequence], source_hash: str = "") -> FeatureSequence:
        """One sequence of consecutive stretches of one video, at least one, on the grid of the first."""
        first = stretches[0]
        arrays = {name: np.concatenate([getattr(stretch, name) for stretch in stretches]) for name in STREAMS}
        return cls(first.grid, first.duration_s, streams=first.streams, source_hash=source_hash, **arrays)
