"""What features are like, whoever made them: how much lies between clips, how long deviations last, what is shared.

Real clips of about ten seconds and stretches of as many seconds of simulated videos are held to the same figures.
Every clip weighs the same, whatever its length.
Legend: N clips, T steps of a clip, W width of a modality, C principal components, D directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FeatureError

Float = NDArray[np.float64]
Clips = Sequence[NDArray[np.floating[Any]]]
"""One modality of each clip, (T, W)."""

COMPONENTS = 64
MEAN_COMPONENTS = 16
"""Of clip means, before canonical correlation: a fourth of the clips that there are at least."""
RIDGE = 0.1
"""Added to the variances of those, as a share of their mean: there are few clips for as many directions."""
DIRECTIONS = 8
FOLDS = 6
LAGS = (1, 2, 3, 4, 6, 9, 12)
"""Steps between which correlation is taken: 0.32 to 3.84 s of features with a stride of 0.32 s."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures; those of one modality twice, visual and audio.

    between: share of the variance that lies between clips' means. lasting: correlation of deviations from the clip's
    mean with those LAGS steps later. spread: number of directions that the means' variance would fill if it were the
    same in all. shared: canonical correlations of clips' means, each direction on clips that it was not made from;
    moments: the same of the deviations. own_rank: the median rank of a clip's own sound among the held-out ones, as
    their vision expects it, from 0 (first) over 0.5 (chance) to 1.
    """

    clips: int
    between: tuple[float, float]
    lasting: tuple[tuple[float, ...], tuple[float, ...]]
    spread: tuple[float, float]
    shared: tuple[float, ...]
    moments: tuple[float, ...]
    own_rank: float


def statistics(visual: Clips, audio: Clips, seed: int = 0) -> Statistics:
    """Measure clips, of which both modalities have the same steps.

    Raises:
        FeatureError: there are fewer than 24 clips, or a clip has fewer than two steps.
    """
    if len(visual) < 4 * FOLDS or len(visual) != len(audio):
        raise FeatureError(f"{len(visual)} clips are given; {4 * FOLDS} at least are needed, with both modalities")
    if min(map(len, visual)) < 2:
        raise FeatureError("a clip has a single step; 2 at least are needed")
    see, hear = (principal(side, COMPONENTS) for side in (visual, audio))
    means = [np.stack([clip.mean(axis=0) for clip in side]) for side in (see, hear)]
    away = [[clip - clip.mean(axis=0) for clip in side] for side in (see, hear)]
    fold = np.random.default_rng(seed).permutation(len(visual)) % FOLDS
    shared, own_rank = canonical(_leading(means[0]), _leading(means[1]), fold)
    steps = np.repeat(fold, [len(clip) for clip in see])
    moving = [_leading(np.concatenate(side)) for side in away]
    moments, _ = canonical(moving[0], moving[1], steps, ranked=False)
    return Statistics(
        clips=len(visual),
        between=(between_share(see), between_share(hear)),
        lasting=(lasting(away[0], LAGS), lasting(away[1], LAGS)),
        spread=(spread(means[0]), spread(means[1])),
        shared=shared,
        moments=moments,
        own_rank=own_rank,
    )


def principal(clips: Clips, count: int) -> list[Float]:
    """Clips in their principal components, (T, C) each, around the mean of all."""
    centre = np.mean([clip.mean(axis=0, dtype=np.float64) for clip in clips], axis=0)
    moved = [clip - centre for clip in clips]
    covariance = np.mean([clip.T @ clip / len(clip) for clip in moved], axis=0)
    axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :count]
    return [clip @ axes for clip in moved]


def between_share(clips: Clips) -> float:
    """Share of the variance that lies between the clips' means."""
    between = np.stack([clip.mean(axis=0) for clip in clips]).var(axis=0).sum()
    within = np.mean([clip.var(axis=0).sum() for clip in clips])
    return float(between / (between + within)) if between + within else 0.0


def lasting(away: Clips, lags: Sequence[int]) -> tuple[float, ...]:
    """Correlation of deviations (T, C) with those `lags` steps later; clips that are too short are left out."""
    found = []
    for lag in lags:
        long = [clip for clip in away if len(clip) > lag]
        products = sum(float((clip[lag:] * clip[:-lag]).sum(axis=1).mean()) for clip in long)
        squares = sum(float((clip**2).sum(axis=1).mean()) for clip in long)
        found.append(products / squares if squares else 0.0)
    return tuple(found)


def spread(means: Float) -> float:
    """Number of equal directions with this variance: (sum of eigenvalues)^2 / sum of their squares."""
    values = np.linalg.svd(means - means.mean(axis=0), compute_uv=False) ** 2
    return float(values.sum() ** 2 / (values**2).sum()) if values.any() else 0.0


def canonical(x: Float, y: Float, fold: NDArray[np.intp], ranked: bool = True) -> tuple[tuple[float, ...], float]:
    """Held-out canonical correlations of the rows of x and y (N, C), and the rank of a row's own y (see Statistics).

    Directions come from the rows of the other folds.
    """
    projected = [np.zeros((len(x), DIRECTIONS)) for _ in range(2)]
    ranks = []
    for held in range(FOLDS):
        test = fold == held
        maps = _directions(x[~test], y[~test])
        for side, given, (centre, axes) in zip(projected, (x, y), maps, strict=True):
            side[test] = (given[test] - centre) @ axes
        if ranked:
            ranks.append(_ranks(projected[0][test], projected[1][test]))
    # Signs and order of directions are each fold's own: correlation is taken inside folds and averaged.
    inside = [[_correlation(projected[0][fold == f, d], projected[1][fold == f, d]) for f in range(FOLDS)]
              for d in range(DIRECTIONS)]  # fmt: skip
    return tuple(float(np.mean(row)) for row in inside), float(np.median(np.concatenate(ranks))) if ranked else 0.5


def _directions(x: Float, y: Float) -> tuple[tuple[Float, Float], tuple[Float, Float]]:
    """Centre and canonical axes (C, D) of both sides; axes of y are scaled to what x expects of them."""
    whitened = []
    for side in (x, y):
        centre = side.mean(axis=0)
        moved = side - centre
        covariance = moved.T @ moved / len(moved)
        covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        values, axes = np.linalg.eigh(covariance)
        whitened.append((centre, moved, axes / np.sqrt(values)))
    (cx, mx, wx), (cy, my, wy) = whitened
    left, _, right = np.linalg.svd((mx @ wx).T @ (my @ wy) / len(mx))
    return (cx, wx @ left[:, :DIRECTIONS]), (cy, wy @ right.T[:, :DIRECTIONS])


def _ranks(x: Float, y: Float) -> Float:
    """Rank of each row's own y among all by cosine, 0 to 1."""
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    cosine = x @ y.T
    return np.asarray((cosine > np.diag(cosine)[:, None]).sum(axis=1) / max(1, len(x) - 1), np.float64)


def _correlation(a: Float, b: Float) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size else 0.0


def _leading(x: Float) -> Float:
    return x[:, :MEAN_COMPONENTS]


def same_label_share(clips: Clips, labels: Sequence[frozenset[str]]) -> float:
    """Share of the variance between clips' means that clips of one class do not differ in; 0 without such clips.

    One less the ratio of squared distances between means: of clips that share a class, each class weighing the same,
    and of clips that share none. Clips without a class are left out.
    """
    means = np.stack([clip.mean(axis=0, dtype=np.float64) for clip in clips])
    known = [i for i, some in enumerate(labels) if some]
    far: list[float] = []
    near: dict[str, list[float]] = {}
    for place, i in enumerate(known):
        for j in known[:place]:
            distance = float(((means[i] - means[j]) ** 2).sum())
            common = labels[i] & labels[j]
            for label in common:
                near.setdefault(label, []).append(distance)
            if not common:
                far.append(distance)
    if not near or not far:
        return 0.0
    return float(1 - np.mean([np.mean(distances) for distances in near.values()]) / np.mean(far))
