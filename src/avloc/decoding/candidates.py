"""Scores and offsets of moments > candidate segments > Events (paper, Section 3.5).

Legend: P moments, K classes, N candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.config import DecodingConfig
from avloc.decoding.rivals import settle
from avloc.decoding.soft_nms import soft_nms, vote
from avloc.events import Events
from avloc.timegrid import Moments, TimeGrid

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
    offsets: Float32,
    moments: Moments,
    grid: TimeGrid,
    keep: NDArray[np.bool_],
    config: DecodingConfig,
) -> Candidates:
    """The best (moment, class) pairs as segments.

    scores (P, K) are probabilities, offsets (P, K, 2) distances in strides of the moment's level, keep (P,) is
    true for the moments that may speak. At most `config.before_nms` pairs of at least `config.min_score`.
    """
    flat = np.where(keep[:, None], scores, -1.0).ravel()
    chosen = np.flatnonzero(flat >= config.min_score)
    if len(chosen) > config.before_nms:
        best = np.argpartition(-flat[chosen], config.before_nms)[: config.before_nms]
        chosen = np.sort(chosen[best])
    moment, label = np.divmod(chosen, scores.shape[1])
    step, stride = moments.step[moment].astype(np.float64), moments.stride[moment].astype(np.float64)
    reach = offsets[moment, label].astype(np.float64)
    start_s = grid.to_seconds(step - reach[:, 0] * stride)
    end_s = grid.to_seconds(step + reach[:, 1] * stride)
    return Candidates(start_s, end_s, flat[chosen].astype(np.float64), label.astype(np.intp))


def decode(
    candidates: Candidates,
    labels: Sequence[str],
    duration_s: float,
    config: DecodingConfig,
    *,
    keep: int | None = None,
) -> Events:
    """Cut to the video, suppress by class, the best `keep` events (default `config.keep`), highest score first."""
    start_s, end_s = candidates.start_s.clip(0, duration_s), candidates.end_s.clip(0, duration_s)
    real = np.flatnonzero(end_s > start_s)
    columns = start_s[real], end_s[real], candidates.score[real], candidates.label[real]
    index, score = soft_nms(
        *columns,
        sigma=config.nms_sigma,
        min_score=config.min_score,
        decay=config.nms,
        iou=config.nms_iou,
        keep=config.keep if keep is None else keep,
    )
    best = real[index]
    found_s = start_s[best], end_s[best]
    if config.voting_iou > 0:
        found_s = vote(*columns, index, iou=config.voting_iou)
    events = Events(*found_s, [labels[i] for i in candidates.label[best]], score)
    return settle(
        events, config.rivals, share=config.rival_share, factor=config.rival_factor, other_factor=config.other_factor
    )
