"""Scenes of the second edition: what a video looks and sounds like throughout, and which classes come with which.

    classes that come together > homes > scene of a video > its side by sight and by sound

Legend: K classes, Q shared directions, D latent dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.strengths import SimulationConfig

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Scenery:
    """What the scenes of all videos share.

    homes: (K, Q) of length sqrt(Q), near for classes that come together. own_homes: (K, D) of length sqrt(D), the
    same for what each modality has by itself. mixtures: (Q, D) of each modality, rows of length 1. company: (K, K)
    how often each class is another one of a video that has the row's; rows sum to 1, those of a class that is always
    alone to 0.
    """

    homes: Float
    own_homes: tuple[Float, Float]
    mixtures: tuple[Float, Float]
    company: NDArray[np.float64]


def count_together(videos: Iterable[NDArray[np.intp]], classes: int) -> NDArray[np.int64]:
    """In how many videos two classes both are (K, K), on the diagonal in how many one is."""
    count = np.zeros((classes, classes), np.int64)
    for labels in videos:
        there = np.unique(labels)
        count[np.ix_(there, there)] += 1
    return count


def make_scenery(config: SimulationConfig, together: NDArray[np.int64], rng: np.random.Generator) -> Scenery:
    """Scenery from `count_together`.

    A class's home is the mean of random directions of the classes that its videos have, itself above all, so that
    the annotations alone say how near two homes are.
    """
    Q, D = config.shared_directions, config.latent
    shares = together / np.maximum(together.sum(axis=1, keepdims=True), 1)
    homes = _unit(shares @ rng.standard_normal((len(together), Q)))
    see, hear = (np.linalg.qr(rng.standard_normal((D, Q)))[0].T.astype(np.float32) for _ in range(2))
    own_see, own_hear = (_unit(shares @ rng.standard_normal((len(together), D))) for _ in range(2))
    others = together - np.diag(np.diag(together))
    company = others / np.maximum(others.sum(axis=1, keepdims=True), 1)
    return Scenery(homes, (own_see, own_hear), (see, hear), company)


def class_shares(
    scenery: Scenery, company: float, labels: NDArray[np.intp], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How likely each class (K,) is as a distractor of a video of `labels`: `company` of what comes with these.

    `share` (K,) are the classes' shares among the others, which the rest follows.
    """
    there = np.unique(labels)
    beside = scenery.company[there].sum(axis=0)
    beside[there] = 0
    if not beside.any():
        return share
    return np.asarray(company * beside / beside.sum() + (1 - company) * share / share.sum())


def scene_of(
    scenery: Scenery, config: SimulationConfig, labels: NDArray[np.intp], rng: np.random.Generator
) -> tuple[Float, Float]:
    """The scene of a video of `labels` as it is seen and as it is heard, (D,) each.

    Each modality sees its own mixture of a shared latent, and something of its own; classes settle a part of both.
    """
    Q, D, b = config.shared_directions, config.latent, config.belonging
    there = np.unique(labels)
    latent = _settled(rng.standard_normal(Q), scenery.homes[there], b)
    sides = []
    for size, mixture, homes in zip(config.scene, scenery.mixtures, scenery.own_homes, strict=True):
        own = _settled(rng.standard_normal(D), homes[there], b) / np.sqrt(D)
        side = size * (np.sqrt(config.shared) * latent @ mixture / np.sqrt(Q) + np.sqrt(1 - config.shared) * own)
        sides.append(np.asarray(side, np.float32))
    return sides[0], sides[1]


def _settled(free: NDArray[np.float64], homes: Float, share: float) -> NDArray[np.float64]:
    """A latent (Q,) of which `share` of the variance is the middle of `homes` (N, Q), of which there may be none."""
    middle = _unit(homes.sum(axis=0, keepdims=True))[0]
    return np.sqrt(share) * middle + np.sqrt(1 - share) * free if middle.any() else free


def _unit(rows: NDArray[np.floating[Any]]) -> Float:
    """Rows (N, Q) at length sqrt(Q); zeros stay."""
    length = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return np.asarray(rows * np.sqrt(rows.shape[1]) / length, np.float32)
