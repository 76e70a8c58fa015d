"""Events of classes that are hard to tell apart: of two at the same time the less sure one loses. numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avloc.events import Events


def settle(
    events: Events, groups: Sequence[Sequence[str]], *, share: float, factor: float, other_factor: float = 1.0
) -> Events:
    """Multiply by `factor` the score of each event that lies with at least `share` of its length on a surer rival.

    Rivals are other classes of one of the `groups`; surer is meant before any score is lowered. One that lies so on a
    surer event of any other class, but on no rival, keeps `other_factor`. Highest score first; of equal scores, the
    one given first.
    """
    rivals: dict[str, set[str]] = {}
    for group in groups:
        for label in group:
            rivals.setdefault(label, set()).update(set(group) - {label})
    if not rivals and other_factor == 1:
        return events
    order = np.argsort(-events.score, kind="stable")
    start, end, score = events.start_s[order], events.end_s[order], events.score[order].copy()
    labels = [events.labels[i] for i in order]
    lowered = score.copy()
    for i, label in enumerate(labels):
        inside = np.minimum(end[i], end[:i]) - np.maximum(start[i], start[:i])
        under = {labels[j] for j in np.flatnonzero(inside >= share * (end[i] - start[i]))} - {label}
        if under & rivals.get(label, set()):
            lowered[i] *= factor
        elif under:
            lowered[i] *= other_factor
    ranked = np.argsort(-lowered, kind="stable")
    return Events(start[ranked], end[ranked], [labels[i] for i in ranked], lowered[ranked])
