"""A data set without all that is wrong with single entries and videos: what is left out is counted and told.

annotations + Report of check_dataset > left_out > annotations that are sound, LeftOut
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from avloc.datasets.annotations import Annotations, odd_entries
from avloc.datasets.check import Problem, Report
from avloc.errors import FeatureError


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How much was left out, and the first reasons."""

    events: int
    videos: int
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        events = f"{self.events} event{'s' if self.events != 1 else ''}"
        videos = f"{self.videos} video{'s' if self.videos != 1 else ''}"
        return f"{events} and {videos} left out, with which something is wrong; the first: {self.problems[0]}"


def left_out(
    annotations: Annotations, report: Report, *, forgiving: bool = False, kept: Sequence[str] = ()
) -> tuple[Annotations, LeftOut | None]:
    """The annotations without events that are odd and videos of which a file or a length is; None: all are sound.

    `forgiving` lets harmless events stay. Videos whose length is odd by the annotations alone go as a whole. Splits
    that are `kept` must still have an event then.

    Raises:
        FeatureError: what is wrong is wrong with the whole set, or nothing is left of a split.
    """
    whole = [problem for problem in report.problems if not problem.video]
    if whole:
        raise FeatureError(f"{whole[0]}; that is no matter of single videos; `avloc check-data` tells more")
    odd = [entry for entry in odd_entries(annotations) if not (forgiving and entry.harmless)]
    gone = {problem.video for problem in report.problems if problem.kind != "annotations"}
    gone |= {entry.video for entry in odd if entry.event is None}
    wrong: dict[str, set[int]] = {}
    for entry in odd:
        if entry.event is not None and entry.video not in gone:
            wrong.setdefault(entry.video, set()).add(entry.event)
    if not gone and not wrong:
        return annotations, None
    videos = {}
    for video, truth in annotations.videos.items():
        if video not in gone:
            keep = [i not in wrong.get(video, ()) for i in range(len(truth.events))]
            videos[video] = replace(truth, events=truth.events.take(np.array(keep, bool)))
    sound = replace(annotations, videos=videos)
    for subset in kept:
        if not any(len(truth.events) for truth in sound.split(subset).values()):
            raise FeatureError(f"{annotations.path}: no event is left of {subset!r}; `avloc check-data` tells why")
    reasons = report.problems or tuple(Problem("annotations", entry.video, entry.message) for entry in odd)
    return sound, LeftOut(sum(map(len, wrong.values())), len(gone), reasons)
