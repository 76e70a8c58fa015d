"""A data set looked over before training: what it holds, how it suits a pyramid, and all that is wrong with it.

annotations + feature folder > check_dataset > Report
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from avloc.datasets.annotations import Annotations, odd_entries
from avloc.datasets.lengths import compare_lengths, expected_steps
from avloc.datasets.levels import LevelCount, count_levels
from avloc.datasets.suggestion import Suggestion, suggest
from avloc.errors import FeatureError, one_line
from avloc.features.layout import LAYOUTS, Layout, read_extent, read_layout, videos_in
from avloc.features.resize import rescaled_grid
from avloc.formats.activitynet import Truth
from avloc.formats.truth import of_subset, subset_names
from avloc.timegrid import TimeGrid

_THREADS = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `kind` is annotations, split, files or lengths; `video` is empty for the whole set."""

    kind: str
    video: str
    message: str

    def __str__(self) -> str:
        # What is wrong with a file names the file, and so the video.
        return one_line(self.message if self.kind == "files" or not self.video else f"{self.video}: {self.message}")


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, median, mean and most of some numbers; all 0 of none."""

    least: float
    median: float
    mean: float
    most: float

    @classmethod
    def of(cls, values: ArrayLike) -> Spread:
        v = np.asarray(values, np.float64)
        if not v.size:
            return cls(0, 0, 0, 0)
        return cls(float(v.min()), float(np.median(v)), float(v.mean()), float(v.max()))


@dataclass(frozen=True, slots=True)
class SplitCount:
    """One split: its videos (`without_event` of them have none), events, classes that occur, and seconds."""

    subset: str
    videos: int
    without_event: int
    events: int
    classes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What `check_dataset` found; `ok` if nothing is wrong.

    `events_by_class` has every class, commonest first. `unreachable` are the events at which no moment of the pyramid
    can be positive: training never sees them. `steps` are lengths of the features found, `stride_s` is the stride
    that lengths and durations imply. `unannotated` videos have features and no annotation. `values_read` tells
    whether every value was read, or headers alone. `remarks` are oddities that were asked to be forgiven.
    `suggestion` is of settings of a pyramid that suit the lengths. With `rescaled_steps` every video has so many
    steps, and `grid` and `levels` are in seconds of a video of median length.
    """

    annotations: str
    folder: str
    layout: str
    grid: TimeGrid
    widths: tuple[int, int]
    splits: tuple[SplitCount, ...]
    events_by_class: Mapping[str, int]
    video_s: Spread
    event_s: Spread
    levels: tuple[LevelCount, ...]
    unreachable: int
    steps: Spread
    stride_s: float | None
    unannotated: int
    values_read: bool
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...] = ()
    suggestion: Suggestion | None = None
    rescaled_steps: int | None = None

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def videos(self) -> int:
        return sum(split.videos for split in self.splits)

    @property
    def events(self) -> int:
        return sum(split.events for split in self.splits)

    def require(self) -> None:
        """Go on only if nothing is wrong.

        Raises:
            FeatureError: something is; the first problem and the count are named.
        """
        if self.problems:
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            raise FeatureError(f"{self.problems[0]}{more}; `avloc check-data` lists all that is wrong")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; an infinite number is None."""
        plain: dict[str, Any] = _plain({**dataclasses.asdict(self), "ok": self.ok})
        return plain


def check_dataset(
    annotations: Annotations,
    folder: str | Path,
    layout: Layout,
    *,
    splits: Sequence[str] | None = None,
    needed: Sequence[str] = (),
    levels: int = 6,
    first_reach: float = 4.0,
    quick: bool = False,
    forgiving: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Look over the videos of `splits` (all without it) and their features.

    `annotations` are best read without `strict`, so that every odd entry is listed. Splits that are `needed` must
    have videos and events. `forgiving` lets harmless oddities of annotations be. `quick` reads headers alone and
    finds no value that is not finite. `on_progress` gets videos done and in all.
    """
    wanted = None if splits is None else {name.casefold() for name in splits}
    chosen = {v: t for v, t in annotations.videos.items() if wanted is None or t.subset.casefold() in wanted}
    odd = [entry for entry in odd_entries(annotations) if entry.video in chosen]
    entries, forgiven = (
        [Problem("annotations", o.video, o.message) for o in odd if (forgiving and o.harmless) == let_be]
        for let_be in (False, True)
    )
    steps, files = _read_all(chosen, Path(folder), layout, quick, on_progress)
    files = (_other_layout(chosen, folder, layout) if chosen and not steps else []) or files
    told = {} if layout.rescaled_steps else steps  # lengths of rescaled features say nothing of their stride
    lengths = compare_lengths(layout.grid, told, {video: truth.duration_s for video, truth in chosen.items()})
    whole_set = [Problem("lengths", "", lengths.complaint)] if lengths.complaint else []
    odd_lengths = [Problem("lengths", video, message) for video, message in lengths.contradictory.items()]
    # Where the stride is wrong nearly every length is: one line says it all.
    odd_lengths = whole_set or odd_lengths
    rows = list(_rows(annotations, chosen, steps, layout))
    durations = [t.duration_s for t in chosen.values() if math.isfinite(t.duration_s)]
    grid = layout.grid
    if layout.rescaled_steps and durations:
        grid = rescaled_grid(float(np.median(durations)), layout.rescaled_steps)
    counts, matched = count_levels(rows, grid, levels, first_reach)
    return Report(
        annotations=annotations.path,
        folder=str(folder),
        layout=layout.name,
        grid=grid,
        widths=(layout.visual_width, layout.audio_width),
        splits=tuple(_splits(chosen)),
        events_by_class=_by_class(annotations, chosen),
        video_s=Spread.of(durations),
        event_s=Spread.of([e.duration_s for t in chosen.values() for e in t.events]),
        levels=counts,
        unreachable=sum(int((~m).sum()) for m in matched),
        steps=Spread.of(list(steps.values())),
        stride_s=lengths.stride_s,
        unannotated=len(videos_in(folder, layout) - set(annotations.videos)),
        values_read=not quick,
        problems=tuple(_empty_splits(chosen, needed) + entries + odd_lengths + files),
        remarks=tuple(forgiven),
        suggestion=suggest(_lengths([ends for _, ends, _ in rows]), [length for length, _, _ in rows]),
        rescaled_steps=layout.rescaled_steps,
    )


def _read_all(
    videos: Mapping[str, Truth],
    folder: Path,
    layout: Layout,
    quick: bool,
    on_progress: Callable[[int, int], None] | None,
) -> tuple[dict[str, int], list[Problem]]:
    def read(video: str) -> int | Problem:
        try:
            return read_extent(folder, video, layout).steps if quick else len(read_layout(folder, video, layout))
        except FeatureError as error:
            return Problem("files", video, str(error))

    steps, problems = {}, []
    with ThreadPoolExecutor(_THREADS) as pool:
        for done, (video, found) in enumerate(zip(videos, pool.map(read, videos), strict=True), 1):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                steps[video] = found
            if on_progress is not None:
                on_progress(done, len(videos))
    return steps, problems


def _other_layout(videos: Mapping[str, Truth], folder: str | Path, layout: Layout) -> list[Problem]:
    """Where no video has its files: do they lie there under other names? One line says it for all."""
    if videos_in(folder, layout) & set(videos):
        return []
    others = [other.name for other in LAYOUTS if videos_in(folder, other) & set(videos)]
    hint = f"; it holds files of the layout {' and '.join(others)}" if others else "; is it another folder?"
    return [
        Problem(
            "files", "", f"{folder}: none of the {len(videos)} videos has a file in the layout {layout.name}{hint}"
        )
    ]


def _rows(
    annotations: Annotations, videos: Mapping[str, Truth], steps: Mapping[str, int], layout: Layout
) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.int64]]]:
    """Length in steps, ends of events in steps, and their labels, of each video whose length is known."""
    number = {label: k for k, label in enumerate(annotations.labels)}
    rescaled = layout.rescaled_steps
    for video, truth in videos.items():
        length = steps.get(video)
        grid = layout.grid if rescaled is None else rescaled_grid(truth.duration_s, rescaled)
        if length is None:
            if not (math.isfinite(truth.duration_s) and truth.duration_s > 0):
                continue
            length = expected_steps(grid, truth.duration_s)[0]
        ends = np.stack([grid.to_steps(truth.events.start_s), grid.to_steps(truth.events.end_s)], axis=1)
        labels = np.array([number.get(label, -1) for label in truth.events.labels], np.int64)
        yield length, ends.astype(np.float32), labels


def _lengths(ends: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *(each[:, 1] - each[:, 0] for each in ends)])


def _splits(videos: Mapping[str, Truth]) -> Iterator[SplitCount]:
    for subset in subset_names(videos):
        truths = list(of_subset(videos, subset).values())
        yield SplitCount(
            subset,
            len(truths),
            sum(not len(t.events) for t in truths),
            sum(len(t.events) for t in truths),
            len({label for t in truths for label in t.events.labels}),
            sum(t.duration_s for t in truths if math.isfinite(t.duration_s)),
        )


def _by_class(annotations: Annotations, videos: Mapping[str, Truth]) -> dict[str, int]:
    count = dict.fromkeys(annotations.labels, 0)
    for truth in videos.values():
        for label in truth.events.labels:
            count[label] = count.get(label, 0) + 1
    return dict(sorted(count.items(), key=lambda item: -item[1]))


def _empty_splits(videos: Mapping[str, Truth], needed: Sequence[str]) -> list[Problem]:
    problems = []
    for subset in needed:
        truths = list(of_subset(videos, subset).values())
        if not truths:
            known = ", ".join(subset_names(videos)) or "none"
            problems.append(Problem("split", "", f"no video is of subset {subset!r}; the subsets there are: {known}"))
        elif not any(len(truth.events) for truth in truths):
            problems.append(Problem("split", "", f"none of the {len(truths)} videos of {subset!r} has an event"))
    return problems


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
