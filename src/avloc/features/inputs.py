"""FeatureSequence > the two arrays that a network reads.

Where encoders give scores of their own classes, a network may read them beside the embeddings: a score means the
same on pictures and sounds that training never saw. Square roots keep weak evidence visible.
"""

from __future__ import annotations

import numpy as np

from avloc.features.sequence import Array, FeatureSequence

_SCORE_GAIN = 4.0  # brings the root of a clear score to the size of the embeddings' larger values


def network_inputs(features: FeatureSequence, scores: bool) -> tuple[Array, Array]:
    """Visual (T, Dv) and audio (T, Da) inputs; with `scores`, (T, Dv + Kv) and (T, Da + Ka)."""
    if not scores:
        return features.visual, features.audio
    logits = features.visual_scores
    p = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    p /= p.sum(axis=1, keepdims=True)
    see = np.concatenate([features.visual, _SCORE_GAIN * np.sqrt(p)], axis=1)
    hear = np.concatenate([features.audio, _SCORE_GAIN * np.sqrt(features.audio_scores)], axis=1)
    return see.astype(np.float32, copy=False), hear.astype(np.float32, copy=False)
