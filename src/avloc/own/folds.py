"""Videos shared out to the folds of a cross-validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from avloc.events import Events


def assign_folds(truth: Mapping[str, Events], groups: Mapping[str, str], folds: int, seed: int) -> dict[str, int]:
    """A fold for each video: events of each class are spread as evenly as whole videos allow.

    Videos of one group (copies of one file) go together, so that none is tested by a model that has seen it. The
    rarest classes are shared out first; a video goes where its rarest class has the fewest events, then where there
    are the fewest videos. There are no more folds than groups.
    """
    members: dict[str, list[str]] = {}
    for video in truth:
        members.setdefault(groups[video], []).append(video)
    count = {g: Counter(label for video in videos for label in truth[video].labels) for g, videos in members.items()}
    total = sum(count.values(), Counter[str]())
    chance = np.random.default_rng(seed).permutation(len(members)).tolist()

    def rarest(group: str) -> str:
        return min(count[group], key=lambda label: (total[label], label), default="")

    order = sorted(zip(members, chance, strict=True), key=lambda gc: (total[rarest(gc[0])] or len(truth) ** 2, gc[1]))
    folds = min(folds, len(members))
    load = [Counter[str]() for _ in range(folds)]
    videos_in = [0] * folds
    fold_of: dict[str, int] = {}
    for group, _ in order:
        label = rarest(group)
        fold = min(range(folds), key=lambda f: (load[f][label], videos_in[f], f))
        load[fold] += count[group]
        videos_in[fold] += len(members[group])
        fold_of |= dict.fromkeys(members[group], fold)
    return {video: fold_of[video] for video in truth}
