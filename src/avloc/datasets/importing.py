"""Feature files of any encoders > avloc's own, both modalities on one grid.

files of each encoder (stride, window, offset of their own) > plan_import: lengths against durations > write_import
"""

from __future__ import annotations

import glob
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avloc.datasets.lengths import compare_lengths
from avloc.datasets.sources import ID, ImportConfig, Source
from avloc.errors import FeatureError
from avloc.features.choice import SIDES
from avloc.features.resize import resampled, rescaled_grid
from avloc.features.sequence import Array, FeatureSequence
from avloc.features.store import ENDING, Part, save_features
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

_SAME = 1e-6  # of a step: what rounding of durations may cost


@dataclass(frozen=True)
class ImportPlan:
    """What is to be written, settled before the first file is.

    grid: that of all videos; None where each has `steps` steps on a grid of its own. resampled: names of the
    encoders whose own grid is another. videos: those that can be written, with the steps that each encoder has.
    left_out: the others, with the reason. durations_s: infinite where not known.
    """

    config: ImportConfig
    grid: TimeGrid | None
    steps: int | None
    resampled: tuple[str, ...]
    videos: Mapping[str, tuple[int, ...]]
    left_out: Mapping[str, str]
    durations_s: Mapping[str, float]

    @property
    def sources(self) -> tuple[tuple[str, Source], ...]:
        """Side and encoder, in the order of the columns."""
        return tuple((side, source) for side in SIDES for source in getattr(self.config, side))

    @property
    def streams(self) -> Streams:
        """What the features are told apart by."""
        named = {
            side: f"imported:{'+'.join(source.name for source in getattr(self.config, side))}"
            for side in SIDES
            if getattr(self.config, side)
        }
        return Streams(**named)


@dataclass(frozen=True)
class Imported:
    """How many videos were written, what their columns are, and why others were left out."""

    videos: int
    parts: tuple[Part, ...]
    left_out: dict[str, str]


def plan_import(
    config: ImportConfig,
    durations_s: Mapping[str, float] | None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ImportPlan:
    """Look at all files and settle the grid; without `durations_s` the videos are those of the first encoder's files.

    Raises:
        FeatureError: no video has its files, or all have lengths that contradict the stride (the one that would fit
            is named), or features that are said to be rescaled to one length have several.
    """
    sources = [source for side in SIDES for source in getattr(config, side)]
    names = list(_ids(sources[0])) if durations_s is None else list(durations_s)
    known = dict.fromkeys(names, math.inf) if durations_s is None else dict(durations_s)
    steps: dict[str, tuple[int, ...]] = {}
    left_out: dict[str, str] = {}
    for done, video in enumerate(names, 1):
        try:
            _require_file_name(video)
            steps[video] = tuple(source.steps(video) for source in sources)
        except FeatureError as error:
            left_out[video] = str(error)
        if on_progress is not None:
            on_progress(done, len(names))
    if not steps:
        first = next(iter(left_out.values()), f"no file lies at {sources[0].files}")
        raise FeatureError(f"none of {len(names)} videos has all of its files: {first}")
    for i, source in enumerate(sources):
        left_out |= _contradictions(source, {video: each[i] for video, each in steps.items()}, known)
    steps = {video: each for video, each in steps.items() if video not in left_out}
    if not steps:
        raise FeatureError(f"no video is left to import; the first: {next(iter(left_out.values()))}")
    grid, fixed = _target(config, sources, next(iter(steps.values())))
    if fixed is not None:
        left_out |= {video: "its duration is not known" for video in steps if not math.isfinite(known[video])}
        steps = {video: each for video, each in steps.items() if video not in left_out}
    changed = tuple(
        source.name for i, source in enumerate(sources)
        if any(source.grid(known[v], each[i]) != _grid_of(grid, fixed, known[v]) for v, each in steps.items())
    )  # fmt: skip
    return ImportPlan(config, grid, fixed, changed, steps, left_out, known)


def write_import(plan: ImportPlan, out: Path, on_progress: Callable[[int, int], None] | None = None) -> Imported:
    """Write a file for each video of the plan; what turns out to be odd is left out.

    Raises:
        OutputError: `out` cannot be written to.
    """
    written, left_out = 0, dict(plan.left_out)
    parts: tuple[Part, ...] = ()
    for done, video in enumerate(plan.videos, 1):
        try:
            arrays = [source.read(video) for _, source in plan.sources]
            widths = tuple(
                Part(side, source.name, array.shape[1])
                for (side, source), array in zip(plan.sources, arrays, strict=True)
            )
            parts = parts or widths
            _require_widths(video, widths, parts)
            features = _sequence(plan, video, arrays)
            save_features(features, out / f"{video}{ENDING}", parts=parts, rescaled=plan.grid is None)
            written += 1
        except FeatureError as error:
            left_out[video] = str(error)
        if on_progress is not None:
            on_progress(done, len(plan.videos))
    return Imported(written, parts, left_out)


def _sequence(plan: ImportPlan, video: str, arrays: Sequence[Array]) -> FeatureSequence:
    duration_s = plan.durations_s[video]
    grid = _grid_of(plan.grid, plan.steps, duration_s)
    own = [source.grid(duration_s, len(array)) for (_, source), array in zip(plan.sources, arrays, strict=True)]
    steps = plan.steps or min(_covered(grid, g, len(array)) for g, array in zip(own, arrays, strict=True))
    if not math.isfinite(duration_s):
        duration_s = float(grid.window_starts_s(steps - 1)) + grid.window_s
    on_grid = [
        array[:steps] if g == grid else resampled(array, g, grid, steps) for g, array in zip(own, arrays, strict=True)
    ]
    sides = [
        _joined([a for (s, _), a in zip(plan.sources, on_grid, strict=True) if s == side], steps) for side in SIDES
    ]
    none = np.zeros((steps, 0), np.float32)
    return FeatureSequence(grid, duration_s, sides[0], sides[1], none, none, plan.streams)


def _covered(grid: TimeGrid, own: TimeGrid, length: int) -> int:
    """Steps of `grid` whose moments lie in what `length` steps of an encoder stand for, at least 1."""
    end_s = float(own.to_seconds(length - 1)) + own.stride_s / 2
    return max(1, math.ceil(float(grid.to_steps(end_s)) - _SAME))


def _joined(arrays: Sequence[Array], steps: int) -> Array:
    return np.concatenate(arrays, axis=1) if arrays else np.zeros((steps, 0), np.float32)


def _grid_of(grid: TimeGrid | None, steps: int | None, duration_s: float) -> TimeGrid:
    """One grid for all, or that of `steps` steps."""
    return grid or rescaled_grid(duration_s, steps or 1)


def _target(
    config: ImportConfig, sources: Sequence[Source], steps: Sequence[int]
) -> tuple[TimeGrid | None, int | None]:
    """The grid that is asked for; else the finest of the encoders'; where all are rescaled their common length."""
    if config.steps is not None:
        return None, config.steps
    own = [source.grid(math.inf, 1) for source in sources if not source.rescaled]
    if config.grid is not None:
        return config.grid.made(own), None
    if not own:
        return None, max(steps)
    return min(own, key=lambda grid: grid.stride_s), None


def _contradictions(source: Source, steps: Mapping[str, int], durations_s: Mapping[str, float]) -> dict[str, str]:
    """Videos whose length cannot be right, with the reason.

    Raises:
        FeatureError: all lengths together say that the stride, or that they are rescaled, is wrong.
    """
    if source.rescaled:
        lengths = sorted(set(steps.values()))
        if len(lengths) > 1:
            raise FeatureError(
                f"{source.name}: has {lengths[0]} to {lengths[-1]} steps; features that are rescaled have one length "
                "for all videos: leave --rescaled out, and say their stride"
            )
        return {video: "its duration is not known" for video in steps if not math.isfinite(durations_s[video])}
    found = compare_lengths(source.grid(math.inf, 1), steps, durations_s)
    if found.complaint:
        raise FeatureError(f"{source.name} ({source.files}): {found.complaint}")
    return {video: f"{source.name}: {reason}" for video, reason in found.contradictory.items()}


def _ids(source: Source) -> Iterator[str]:
    """Videos that the encoder has files of, in order of their names."""
    pattern = Path(source.files)
    base = next(parent for parent in pattern.parents if ID not in str(parent))
    relative = pattern.relative_to(base).as_posix()
    first, *rest = (re.escape(piece) for piece in relative.split(ID))
    told = re.compile(f"{first}(?P<id>[^/]+){'(?P=id)'.join(rest)}")
    for path in sorted(base.glob(glob.escape(relative.replace(ID, "\0")).replace("\0", "*"))):
        if found := told.fullmatch(path.relative_to(base).as_posix()):
            yield found["id"]


def _require_file_name(video: str) -> None:
    if Path(video).name != video or video in ("", ".", ".."):
        raise FeatureError(f"{video!r} is no file name; name videos without folders")


def _require_widths(video: str, widths: tuple[Part, ...], others: tuple[Part, ...]) -> None:
    for mine, theirs in zip(widths, others, strict=True):
        if mine != theirs:
            raise FeatureError(f"{video}: {mine.name} is {mine.width} wide, that of other videos {theirs.width}")
