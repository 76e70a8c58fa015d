"""Annotations > a folder of simulated features in a released layout, annotations.json and simulation.json.

A stopped run goes on where it was: a video whose files are whole is not made again.
"""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avloc.datasets.annotations import Annotations
from avloc.datasets.scenes import count_together
from avloc.datasets.simulation import World, make_world, simulate_video, steps_in
from avloc.datasets.strengths import SimulationConfig
from avloc.errors import FeatureError, FormatError, OutputError
from avloc.features.layout import LAYOUTS, RECORD, FilePart, Layout, read_extent
from avloc.features.npy import write_npy
from avloc.files import replace_file
from avloc.formats.activitynet import Truth
from avloc.timegrid import TimeGrid

ANNOTATIONS = "annotations.json"
TRAINING = "train"


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a run came to: videos by split, videos made now and found whole, bytes of all feature files."""

    folder: Path
    annotations: Path
    videos: Mapping[str, int]
    made: int
    kept: int
    feature_bytes: int


def split_sizes(
    annotations: Annotations, videos: int | None, given: Mapping[str, int] | None = None, training: str = TRAINING
) -> dict[str, int]:
    """Videos to take of each split: `videos` of `training` and of the others as many in proportion, or as `given`.

    Without `videos` all are taken; a number beyond the split's size takes the whole split.

    Raises:
        FormatError: there is no training split, `given` names an unknown one, or a number is below 1.
    """
    sizes = {subset: len(annotations.split(subset)) for subset in annotations.subsets}
    whole = len(annotations.split(training))
    chosen = dict(sizes)
    if videos is not None:
        chosen = {subset: max(1, round(videos * size / whole)) for subset, size in sizes.items()}
    for subset, number in {**({training: videos} if videos is not None else {}), **(given or {})}.items():
        if subset not in sizes:
            known = ", ".join(annotations.subsets)
            raise FormatError(f"{annotations.path}: no video is of subset {subset!r}; the subsets there are: {known}")
        if number < 1:
            raise FormatError(f"{number} videos of {subset!r} were asked for; 1 or more is needed")
        chosen[subset] = number
    return {subset: min(number, sizes[subset]) for subset, number in chosen.items()}


def choose_videos(annotations: Annotations, sizes: Mapping[str, int], seed: int) -> dict[str, Truth]:
    """Videos of each split, drawn by seed; fewer are a part of more. The order is that of the annotations."""
    chosen: set[str] = set()
    for subset, number in sizes.items():
        names = sorted(annotations.split(subset), key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
        chosen.update(names[:number])
    return {video: truth for video, truth in annotations.videos.items() if video in chosen}


def simulate(
    annotations: Annotations,
    out: str | Path,
    layout: str,
    sizes: Mapping[str, int],
    seed: int = 0,
    config: SimulationConfig | None = None,
    width: int | None = None,
    workers: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
    training: str = TRAINING,
) -> Simulated:
    """Write features of `sizes` videos into the folder `out`, in `layout`, no file wider than `width`.

    Shares of classes and lengths of events are those of the split `training`. The same seed gives the same files
    whatever `sizes` and `workers` are. `on_progress` gets videos done and in all.

    Raises:
        FeatureError: the layout is none of the released ones.
        FormatError: a video's duration is not known, its id is no file name, or a split is missing.
        ConfigError: `width` is below the latent dimensions.
        OutputError: `out` cannot be written, or holds another simulation.
    """
    config = SimulationConfig() if config is None else config
    narrow = _layout(layout, width)
    work = _work(annotations, Path(out), narrow, seed, config, training)
    chosen = choose_videos(annotations, sizes, seed)
    for video, truth in chosen.items():
        if Path(video).name != video:
            raise FormatError(f"{annotations.path}: video {video!r} is no file name; name it without a folder")
        if not math.isfinite(truth.duration_s):
            raise FormatError(
                f"{annotations.path}: video {video!r} has no duration; give one to simulate its features"
            )
    _begin(work, sizes, annotations)
    made = kept = 0
    for new in _run(work, chosen, workers):
        made, kept = made + new, kept + (not new)
        if on_progress is not None:
            on_progress(made + kept, len(chosen))
    path = work.out / ANNOTATIONS
    _write_annotations(path, chosen, annotations.labels, config.name())
    return Simulated(work.out, path, dict(sizes), made, kept, _size(work, chosen))


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    out: Path
    layout: Layout
    world: World
    labels: tuple[str, ...]

    def make(self, video: str, truth: Truth) -> bool:
        """Write a video's files; false if they are there already."""
        steps = steps_in(self.layout.grid, truth.duration_s)
        if self._whole(video, steps):
            return False
        labels = np.array([self.labels.index(name) for name in truth.events.labels], np.intp)
        arrays = simulate_video(self.world, video, truth.duration_s, truth.events, labels)
        for parts, array in zip((self.layout.visual, self.layout.audio), arrays, strict=True):
            edges = np.cumsum([part.width for part in parts])[:-1]
            for part, piece in zip(parts, np.split(array, edges, axis=1), strict=True):
                write_npy(self.layout.path(self.out, video, part), piece)
        return True

    def _whole(self, video: str, steps: int) -> bool:
        try:
            extent = read_extent(self.out, video, self.layout)
        except FeatureError:
            return False
        return extent.visual_steps == extent.audio_steps == steps


def _layout(name: str, width: int | None) -> Layout:
    released = {layout.name: layout for layout in LAYOUTS if layout.visual and layout.audio}
    if name not in released:
        raise FeatureError(f"features cannot be simulated in the layout {name!r}; known are {', '.join(released)}")
    return released[name] if width is None else released[name].narrowed(width)


def _work(
    annotations: Annotations, out: Path, layout: Layout, seed: int, config: SimulationConfig, training: str
) -> _Work:
    widths = (layout.visual_width, layout.audio_width)
    return _Work(out, layout, world_of(annotations, layout.grid, widths, seed, config, training), annotations.labels)


def world_of(
    annotations: Annotations,
    grid: TimeGrid,
    widths: tuple[int, int],
    seed: int,
    config: SimulationConfig,
    training: str = TRAINING,
) -> World:
    """What videos of a seed share, with shares and company of classes and lengths of events of the training split.

    Raises:
        FormatError: the split is missing or has no event.
        ConfigError: a width is below the latent dimensions.
    """
    number = {label: k for k, label in enumerate(annotations.labels)}
    videos = [[number[name] for name in truth.events.labels] for truth in annotations.split(training).values()]
    events = [event for truth in annotations.split(training).values() for event in truth.events]
    if not events:
        raise FormatError(f"{annotations.path}: no training video has an event; nothing can be simulated")
    count = np.bincount([number[event.label] for event in events], minlength=len(number))
    durations_s = np.array([event.duration_s for event in events])
    together = count_together((np.array(labels, np.intp) for labels in videos), len(number))
    return make_world(config, seed, grid, widths, count / count.sum(), durations_s, together)


def _begin(work: _Work, sizes: Mapping[str, int], annotations: Annotations) -> None:
    """Make the folder and its record, or see that the record there is ours."""
    endings = [part for side in (work.layout.visual, work.layout.audio) for part in side]
    ours = {
        "version": work.world.config.edition,
        "layout": work.layout.name,
        "widths": {part.ending: part.width for part in endings},
        "seed": work.world.seed,
        "annotations_sha256": _digest(annotations),
        "config": work.world.config.recorded(),
    }
    path = work.out / RECORD
    try:
        work.out.mkdir(parents=True, exist_ok=True)
        theirs = json.loads(path.read_bytes()) if path.exists() else None
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be used ({error}); name a new folder") from None
    ours = json.loads(json.dumps(ours))
    if theirs is not None:
        differ = [key for key in ours if not isinstance(theirs, dict) or theirs.get(key) != ours[key]]
        if differ:
            what = ", ".join(differ)
            raise OutputError(f"{work.out}: holds a simulation with other {what}; name a new folder")
    replace_file(path, (json.dumps({**ours, "videos": dict(sizes)}, indent=1) + "\n").encode())


def _digest(annotations: Annotations) -> str:
    videos = [
        [video, t.duration_s, t.subset, t.events.start_s.tolist(), t.events.end_s.tolist(), t.events.labels]
        for video, t in annotations.videos.items()
    ]
    return hashlib.sha256(json.dumps([annotations.labels, videos]).encode()).hexdigest()


def _run(work: _Work, chosen: Mapping[str, Truth], workers: int) -> Iterator[bool]:
    if workers <= 1:
        for video, truth in chosen.items():
            yield work.make(video, truth)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start, (work,)) as pool:
        yield from pool.map(_make, chosen.items(), chunksize=16)


_worker: list[_Work] = []


def _start(work: _Work) -> None:
    _worker[:] = [work]


def _make(item: tuple[str, Truth]) -> bool:
    return _worker[0].make(*item)


def _write_annotations(path: Path, chosen: Mapping[str, Truth], labels: tuple[str, ...], name: str) -> None:
    """With the simulation's name in it, so that grids of runs tell data sets of other strengths apart."""
    number = {label: k for k, label in enumerate(labels)}
    database: dict[str, Any] = {
        video: {
            "duration": truth.duration_s,
            "annotations": [
                {"segment": [e.start_s, e.end_s], "label": e.label, "label_id": number[e.label]} for e in truth.events
            ],
            "subset": truth.subset,
        }
        for video, truth in chosen.items()
    }
    rows = ",\n".join(f"  {json.dumps(video)}: {json.dumps(entry)}" for video, entry in database.items())
    head = f'{{"version": "simulated {name}",\n "labels": {json.dumps(labels)},\n "database": {{\n'
    replace_file(path, f"{head}{rows}\n }}}}\n".encode())


def _size(work: _Work, chosen: Mapping[str, Truth]) -> int:
    parts: tuple[FilePart, ...] = work.layout.visual + work.layout.audio
    return sum(work.layout.path(work.out, video, part).stat().st_size for video in chosen for part in parts)
