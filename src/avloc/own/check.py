"""Labels and the videos they mean, looked over before anything is trained.

labels + videos > look_over > OwnVideos: truth with the lengths that the videos have, files by name, a report
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from avloc.datasets.annotations import Annotations, odd_entries
from avloc.datasets.check import Problem, Spread
from avloc.errors import FormatError, MediaError
from avloc.events import Events
from avloc.features.extractors.base import require_both
from avloc.formats.files import read_truth
from avloc.formats.truth import Truth
from avloc.media.probe import probe
from avloc.own.matching import Matched, VideoFile, match_names

FEW_EVENTS = 3
SHORTEST_S = 0.05
"""What is left of an event that was cut at the end of its video must be longer than this."""


@dataclass(frozen=True, slots=True)
class ClassCount:
    """Events of a class, the videos they stand in, and their lengths in seconds."""

    events: int
    videos: int
    event_s: Spread


@dataclass(frozen=True, slots=True)
class OwnReport:
    """What `look_over` found; `ok` if nothing is wrong.

    `classes` are all classes, commonest first; `few` have too few events to be learned or measured, which is worth
    knowing and no error. `unlabelled` are videos that the labels do not name: they are left out.
    """

    labels: str
    folder: str
    subsets: Mapping[str, int]
    events: int
    without_event: int
    classes: Mapping[str, ClassCount]
    few: tuple[str, ...]
    video_s: Spread
    event_s: Spread
    seconds: float
    unlabelled: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def videos(self) -> int:
        return sum(self.subsets.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**dataclasses.asdict(self), "videos": self.videos, "ok": self.ok}


@dataclass(frozen=True, slots=True)
class OwnVideos:
    """The videos that can be trained on: truth and file of each, by the name that the labels give it."""

    truth: Mapping[str, Truth]
    files: Mapping[str, VideoFile]
    report: OwnReport

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, by alphabet."""
        return tuple(sorted({label for truth in self.truth.values() for label in truth.events.labels}))

    def require(self, skip_bad: bool = False) -> OwnVideos:
        """The videos to go on with: all of them, or with `skip_bad` those that are left.

        Events that pass the end of their video are then cut there, and those that lie outside it left out.

        Raises:
            FormatError: something is wrong; the first problem and the count are named. Or nothing is left.
        """
        problems = self.report.problems
        if problems and not skip_bad:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise FormatError(
                f"{problems[0]}{more}; `avloc check-data own` lists all that is wrong, --skip-bad leaves it out"
            )
        whole = {name: replace(t, events=cut(t.events, t.duration_s)) for name, t in self.truth.items()}
        if not any(len(t.events) for t in whole.values()):
            raise FormatError(f"{self.report.labels}: no event is left to train on; see `avloc check-data own`")
        return replace(self, truth=whole)


def look_over(
    labels: str | Path, folder: str | Path, videos: Sequence[VideoFile], on_progress: Callable[[int, int], None]
) -> OwnVideos:
    """Read the labels (a file of any format, or a folder of files of one video each) and the heads of the videos.

    `on_progress` gets videos done and in all.

    Raises:
        FormatError: the labels cannot be read, or none of their names is a video.
    """
    said = read_truth(labels)
    if not said:
        raise FormatError(f"{labels}: names no video; a row or a file for each labelled video is needed")
    matched = match_names(said, videos)
    if not matched.files:
        known = f"such as {videos[0].place.name!r}" if videos else "but there is none"
        raise FormatError(
            f"{labels} and {folder} have no video in common: the labels name {next(iter(said))!r}, "
            f"the folder holds {len(videos)} videos, {known}"
        )
    truth: dict[str, Truth] = {}
    problems = _unmatched(matched, folder)
    shared = {name for several in matched.shared.values() for name in several}
    for done, (name, video) in enumerate(matched.files.items(), 1):
        try:
            info = probe(video.path)
            require_both(info)
            if name not in shared:
                truth[name] = replace(said[name], duration_s=info.duration_s)
        except MediaError as error:
            problems.append(Problem("files", name, str(error)))
        on_progress(done, len(matched.files))
    every = tuple(sorted({label for t in said.values() for label in t.events.labels}))
    problems += [
        Problem("annotations", o.video, o.message) for o in odd_entries(Annotations(str(labels), every, truth))
    ]
    if not every:
        problems.append(Problem("annotations", "", "no video has an event: there is nothing to learn"))
    report = _report(str(labels), str(folder), every, truth, matched, tuple(problems))
    return OwnVideos(truth, {name: matched.files[name] for name in truth}, report)


def _unmatched(matched: Matched, folder: str | Path) -> list[Problem]:
    problems = [Problem("names", name, f"no video of this name lies in {folder}") for name in matched.missing]
    for name, several in matched.ambiguous.items():
        places = ", ".join(str(video.place) for video in several)
        problems.append(Problem("names", name, f"may be any of {places}; write the path below {folder}"))
    for path, names in matched.shared.items():
        others = ", ".join(map(repr, names[1:]))
        problems.append(Problem("names", names[0], f"and {others} are one video, {path}; give it one name"))
    return problems


def _report(
    labels: str,
    folder: str,
    classes: Sequence[str],
    truth: Mapping[str, Truth],
    matched: Matched,
    problems: tuple[Problem, ...],
) -> OwnReport:
    events = {
        label: [e.duration_s for t in truth.values() for e in t.events if e.label == label] for label in classes
    }
    inside = {label: sum(label in t.events.labels for t in truth.values()) for label in classes}
    ranked = sorted(classes, key=lambda label: -len(events[label]))
    durations = [t.duration_s for t in truth.values()]
    return OwnReport(
        labels=labels,
        folder=folder,
        subsets=dict(Counter(t.subset for t in truth.values())),
        events=sum(map(len, events.values())),
        without_event=sum(not len(t.events) for t in truth.values()),
        classes={label: ClassCount(len(events[label]), inside[label], Spread.of(events[label])) for label in ranked},
        few=tuple(label for label in ranked if len(events[label]) < FEW_EVENTS),
        video_s=Spread.of(durations),
        event_s=Spread.of([s for several in events.values() for s in several]),
        seconds=math.fsum(durations),
        unlabelled=tuple(str(video.place) for video in matched.unlabelled),
        problems=problems,
    )


def cut(events: Events, duration_s: float) -> Events:
    """Events inside [0, duration_s]; of those beyond, what is left, if it is more than nothing."""
    start, end = (np.clip(side, 0.0, duration_s) for side in (events.start_s, events.end_s))
    return Events(start, end, events.labels, events.score).take(end - start > SHORTEST_S)
