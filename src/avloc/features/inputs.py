"""FeatureSequence > the two arrays that a network reads.

Where encoders give scores of their own classes, a network may read them beside the embeddings or instead of them: a
score means the same on pictures and sounds that training never saw. Square roots keep weak evidence visible.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FeatureError
from avloc.features.sequence import Array, FeatureSequence

SCORE_GAIN = 4.0  # brings the root of a clear score to the size of the embeddings' larger values
HEARD_CUES = 2  # of the cues the last are heard (a voice), those before are seen (faces, objects)


def network_inputs(
    features: FeatureSequence, scores: bool, *, embeddings: bool = True, cues: int = 0
) -> tuple[Array, Array]:
    """Visual (T, Dv) and audio (T, Da) inputs; with `scores`, (T, Dv + Kv) and (T, Da + Ka).

    Without `embeddings` the scores stand alone. `cues` is the number of cues that the network reads: those
    that are seen stand behind the visual scores, those that are heard behind the audio scores.

    Raises:
        FeatureError: the features have other cues.
    """
    see = [features.visual] if embeddings else []
    hear = [features.audio] if embeddings else []
    if scores:
        logits = features.visual_scores
        p = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        p /= p.sum(axis=1, keepdims=True)
        see.append(np.float32(SCORE_GAIN) * np.sqrt(p))
        hear.append(np.float32(SCORE_GAIN) * np.sqrt(features.audio_scores))
    if cues:
        if features.cues.shape[1] != cues:
            raise FeatureError(
                f"the features have {features.cues.shape[1]} cues, the model needs {cues}; extract them anew"
            )
        see.append(features.cues[:, :-HEARD_CUES])
        hear.append(features.cues[:, -HEARD_CUES:])
    return _joined(see), _joined(hear)


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1).astype(np.float32, copy=False)


class InputWindow:
    """The stretch of network inputs that the next window reads; what lies before it is let go."""

    def __init__(self, visual_width: int, audio_width: int) -> None:
        self.visual = np.zeros((0, visual_width), np.float32)
        self.audio = np.zeros((0, audio_width), np.float32)
        self.first = 0

    @property
    def end(self) -> int:
        return self.first + len(self.visual)

    def add(self, visual: Array, audio: Array) -> None:
        if visual.shape[1] != self.visual.shape[1] or audio.shape[1] != self.audio.shape[1]:
            raise FeatureError(
                f"the features are {visual.shape[1]} and {audio.shape[1]} wide, "
                f"the model needs {self.visual.shape[1]} and {self.audio.shape[1]}"
            )
        self.visual = np.concatenate([self.visual, visual])
        self.audio = np.concatenate([self.audio, audio])

    def read(self, first: int, size: int) -> tuple[Array, Array, NDArray[np.bool_]]:
        self.visual, self.audio = self.visual[first - self.first :], self.audio[first - self.first :]
        self.first = first
        n = min(size, len(self.visual))
        visual = np.zeros((size, self.visual.shape[1]), np.float32)
        audio = np.zeros((size, self.audio.shape[1]), np.float32)
        visual[:n], audio[:n] = self.visual[:n], self.audio[:n]
        mask = np.arange(size) < n
        return visual, audio, mask
