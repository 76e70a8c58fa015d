"""Videos shared out: to training, validation and test by subset, and to the folds of a cross-validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from avloc.errors import FormatError
from avloc.events import Events
from avloc.own.config import OwnDataConfig


@dataclass(frozen=True, slots=True)
class Parts:
    """Names of the videos that are trained on, that choose the threshold, and that only test."""

    train: tuple[str, ...]
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()


def share_out(data: OwnDataConfig, subsets: Mapping[str, str]) -> Parts:
    """Videos by subset; all of them are trained on where the labels name one subset or none.

    Raises:
        FormatError: there are several subsets and none of them is for training.
    """
    if len({subset.casefold() for subset in subsets.values()}) < 2:
        return Parts(tuple(subsets))
    train, validation, test = (
        tuple(name for name, subset in subsets.items() if subset.casefold() == wanted.casefold())
        for wanted in (data.train_split, data.validation_split, data.test_split)
    )
    if not train:
        known = ", ".join(repr(s) for s in sorted(set(subsets.values())))
        raise FormatError(
            f"{data.annotations}: the subsets are {known}, none is {data.train_split!r}; "
            "name yours with --data.train-split"
        )
    return Parts(train, validation, test)


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
