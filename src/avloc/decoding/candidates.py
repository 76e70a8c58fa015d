"""Scores and segments > candidates > Events (paper, Section 3.5).

Legend: P points (or queries, or anchors), K classes, S segments a point (K or 1), N candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.config import DecodingConfig
from avloc.decoding.chain import Chaining, chain
from avloc.decoding.rivals import settle
from avloc.decoding.soft_nms import soft_nms, vote
from avloc.events import Events
from avloc.timegrid import TimeGrid

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Segments in seconds with score and class index; columns of shape (N,)."""

    start_s: Float64
    end_s: Float64
    score: Float64
    label: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def join(cls, parts: Sequence[Candidates]) -> Candidates:
        """All candidates of several stretches of one video."""
        if not parts:
            return cls(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, np.intp))
        return cls(
            np.concatenate([p.start_s for p in parts]),
            np.concatenate([p.end_s for p in parts]),
            np.concatenate([p.score for p in parts]),
            np.concatenate([p.label for p in parts]),
        )


def find_candidates(
    scores: Float32,
    segments: Float32,
    grid: TimeGrid,
    keep: NDArray[np.bool_],
    config: DecodingConfig,
) -> Candidates:
    """The best (point, class) pairs as segments.

    scores (P, K) are probabilities, segments (P, K or 1, 2) start and end in steps of the grid, keep (P,) is true for
    the points that may speak. At most `config.before_nms` pairs of at least `config.min_score`.
    """
    flat = np.where(keep[:, None], scores, -1.0).ravel()
    chosen = np.flatnonzero(flat >= config.min_score)
    if len(chosen) > config.before_nms:
        best = np.argpartition(-flat[chosen], config.before_nms)[: config.before_nms]
        chosen = np.sort(chosen[best])
    point, label = np.divmod(chosen, scores.shape[1])
    steps = segments[point, label if segments.shape[1] > 1 else 0].astype(np.float64)  # (N, 2)
    if config.min_length_steps:
        long = steps[:, 1] - steps[:, 0] > config.min_length_steps
        chosen, label, steps = chosen[long], label[long], steps[long]
    start_s, end_s = grid.to_seconds(steps).T
    return Candidates(start_s, end_s, flat[chosen].astype(np.float64), label.astype(np.intp))


def decode(
    candidates: Candidates,
    labels: Sequence[str],
    duration_s: float,
    config: DecodingConfig,
    *,
    keep: int | None = None,
) -> Events:
    """Cut to the video, chain, suppress by class, the best `keep` events (default `config.keep`), surest first."""
    start_s, end_s = candidates.start_s, candidates.end_s
    if config.clip == "before":
        start_s, end_s = start_s.clip(0, duration_s), end_s.clip(0, duration_s)
    real = end_s > start_s
    columns = start_s[real], end_s[real], candidates.score[real], candidates.label[real]
    if config.chain_from_s > 0:
        columns = chain(*columns, Chaining(config.chain_from_s, config.chain_share, config.chain_gap_s))
    start_s, end_s, score, label = columns
    suppressed = label if config.nms_classes == "each" else np.zeros(len(label), np.intp)
    best, left = soft_nms(
        start_s,
        end_s,
        score,
        suppressed,
        sigma=config.nms_sigma,
        min_score=config.min_score,
        decay=config.nms,
        iou=config.nms_iou,
        keep=config.keep if keep is None else keep,
    )
    found_s = start_s[best], end_s[best]
    if config.voting_iou > 0:
        found_s = vote(start_s, end_s, score, suppressed, best, iou=config.voting_iou, weight=config.voting)
    start_s, end_s = (t.clip(0, duration_s) for t in found_s)
    inside = np.flatnonzero(end_s > start_s)
    events = Events(start_s[inside], end_s[inside], [labels[i] for i in label[best[inside]]], left[inside])
    return settle(
        events, config.rivals, share=config.rival_share, factor=config.rival_factor, other_factor=config.other_factor
    )
