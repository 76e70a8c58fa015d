"""What the figures show, taken from folders of runs: matrices, timelines, windows, and the course of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avloc.config import RunConfig
from avloc.datasets.feature_dataset import FeatureDataset
from avloc.datasets.labelled import LabelledVideo
from avloc.errors import AvlocError, FormatError
from avloc.evaluation.kinds import ERRORS
from avloc.events import Events
from avloc.experiments.learned import errors_by_row
from avloc.experiments.of_loco import load_loco
from avloc.experiments.records import Errors
from avloc.experiments.runs import EXPERIMENT, read_experiment, read_metrics
from avloc.experiments.similarity import csm_of, mean_of_std
from avloc.experiments.tables import Results
from avloc.features.inputs import network_inputs
from avloc.models.loco.inspect import target_windows
from avloc.models.loco.network import Loco
from avloc.report.diagnosis_words import NAMES
from avloc.report.errors_figure import errors_figure
from avloc.report.paper_figures import (
    Course,
    CsmPair,
    WindowsPanel,
    courses_figure,
    csm_figure,
    timeline_figure,
    windows_figure,
)
from avloc.report.telling import surest, telling_video
from avloc.training.data import open_split
from avloc.training.predict import predict
from avloc.training.run import read_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class DataPlace:
    """Where the data lie, if not where they lay in training, and the split that figures are of."""

    features: str | None = None
    annotations: str | None = None
    split: str = "test"

    def of(self, run: RunConfig) -> RunConfig:
        data = replace(
            run.data,
            features=self.features or run.data.features,
            annotations=self.annotations or run.data.annotations,
        )
        return replace(run, data=data)


@dataclass(frozen=True, slots=True)
class CsmStatistics:
    """Mean over videos of the standard deviation of the CSM; None: no model without LCC."""

    videos: int
    before: float | None
    after: float


@dataclass
class _One:
    """One video as a split of its own."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    scores: bool
    video: LabelledVideo

    def load(self, i: int) -> LabelledVideo:
        return self.video


def similarity_figure(
    after: Path, before: Path | None, videos: int, place: DataPlace, *, common: bool = False
) -> tuple[Figure, CsmStatistics]:
    """CSM of the first `videos` of the split, of a run with LCC and one without; the mean is over these videos.

    common: of LCC's common space instead of the encoders' features.

    Raises:
        AvlocError: a run or its data cannot be read.
    """
    network, data = _opened(after, place)
    other = None if before is None else _opened(before, place)
    pairs = []
    for i in range(min(videos, len(data))):
        earlier = None if other is None else csm_of(other[0], other[1], i)[common]
        pairs.append(CsmPair(data.names[i], earlier, csm_of(network, data, i)[common], data.layout.grid.stride_s))
    found = CsmStatistics(
        len(pairs),
        None if other is None else mean_of_std([pair.before for pair in pairs if pair.before is not None]),
        mean_of_std([pair.after for pair in pairs]),
    )
    features = "in LCC's common space" if common else "of the encoders' features"
    means = (
        f"{found.after:.3f}" if found.before is None else f"{found.before:.3f} before, {found.after:.3f} after LCC"
    )
    title = f"Cross-similarity {features}; mean of std over {found.videos} videos: {means}"
    return csm_figure(pairs, title), found


def timeline(
    runs: Sequence[Path], video: str | None, place: DataPlace, min_score: float | None = None
) -> tuple[Figure, str]:
    """Truth and detections of one video, a run after another; without a name the video is chosen by its truth alone.

    min_score: least score shown; None shows of each run as many detections as there are true events, its surest.

    Raises:
        AvlocError: a run or its data cannot be read.
    """
    shown = []
    name, truth, duration_s = "", Events.of([]), 0.0
    for folder in runs:
        network, data = _opened(folder, place)
        one = data.load(_index(data, video))
        name, truth, duration_s = one.name, one.truth, one.features.duration_s
        decoding = load_loco(folder)[1].decoding
        found = predict(network, _One((name,), data.labels, data.scores, one), decoding)[name]
        shown.append((title_of(folder), surest(found, len(truth)) if min_score is None else found.above(min_score)))
    how = f"the {len(truth)} surest of each model" if min_score is None else f"scores from {min_score:g}"
    return timeline_figure(truth, shown, duration_s, f"{name}: {how}"), name


def windows(folder: Path, video: str | None, place: DataPlace) -> tuple[Figure, str]:
    """Base and target windows of every level and head over one video.

    Raises:
        AvlocError: the run or its data cannot be read, or its network adapts no windows.
    """
    network, data = _opened(folder, place)
    one = data.load(_index(data, video))
    found = target_windows(network, *network_inputs(one.features, data.scores))
    if not found:
        raise AvlocError(f"{folder}: its network adapts no windows; name a run with --network.attention.kind cdp")
    grid = one.features.grid
    rows = []
    for level in sorted({w.level for w in found}):
        sides = [w for w in found if w.level == level]
        base = sides[0]
        rows.append(
            [
                WindowsPanel(
                    f"level {level} (stride {grid.stride_s * 2**level:g} s), head {head + 1}",
                    grid.to_seconds(base.base_start),
                    grid.to_seconds(base.base_end),
                    tuple(
                        (f"target, {w.stream} stream", grid.to_seconds(w.start[head]), grid.to_seconds(w.end[head]))
                        for w in sides
                    ),
                )
                for head in range(base.start.shape[0])
            ]
        )
    title = f"{one.name}: target windows of {title_of(folder)} by level and head"
    return windows_figure(rows, one.truth, one.features.duration_s, title), one.name


def parameters(runs: Sequence[Path]) -> Figure:
    """Sigma of Eq. 3 and the temperature of Eq. 2 after each epoch.

    Raises:
        FormatError: a folder holds no metrics.
    """
    sigmas, temperatures = [], []
    for folder in runs:
        lines = read_metrics(folder)
        if not lines:
            raise FormatError(f"{folder}: holds no metrics of a training run; name a folder of --out")
        epochs = [int(line["number"]) for line in lines]
        name = title_of(folder)
        watched = [line.get("watched", {}) for line in lines]
        if not {"sigma_steps", "temperature"} <= set(watched[0]):
            raise FormatError(f"{folder}: its network has no sigma and no temperature; name a run of a loco recipe")
        sigmas.append(Course(name, epochs, [float(w["sigma_steps"]) for w in watched]))
        temperatures.append(Course(name, epochs, [float(w["temperature"]) for w in watched]))
    panels = [("sigma (steps)", sigmas), ("temperature", temperatures)]
    for name, words in _LEARNED.items():
        courses = _courses(runs, name)
        if courses:
            panels.append((words, courses))
    return courses_figure(panels, "LCC over training")


_LEARNED = {
    "lcc_video": "which video (nats)",
    "lcc_moment": "which moment (nats)",
    "visual_inside": "f_v's variance inside videos",
}


def _courses(runs: Sequence[Path], name: str) -> list[Course]:
    """A watched quantity of the runs that have it."""
    found = []
    for folder in runs:
        lines = [line for line in read_metrics(folder) if name in line.get("watched", {})]
        if lines:
            epochs, values = [int(line["number"]) for line in lines], [float(line["watched"][name]) for line in lines]
            found.append(Course(title_of(folder), epochs, values))
    return found


def errors(results: Results, rows: Sequence[str]) -> Figure | None:
    """What mAP would gain without each kind of error, and how much truth is missed by length; None without runs."""
    by_row = errors_by_row(results, rows)
    if not by_row:
        return None
    spans = list(next(iter(by_row.values()))[0].groups["Length"])
    gains = {row: np.array([one.gain for one in each]) for row, each in by_row.items()}
    missed = {row: np.array([_missed(one, spans) for one in each]) for row, each in by_row.items()}
    kinds = [NAMES[kind].lower() for kind in ERRORS]
    parts = (
        ("points of mAP without these errors", kinds, gains),
        ("true events missed at tIoU 0.5 (%)", spans, missed),
    )
    return errors_figure(parts, "Errors of the test split; bars are means, points are seeds")


def _missed(found: Errors, spans: Sequence[str]) -> list[float]:
    groups = found.groups["Length"]
    return [groups[span][1] / groups[span][0] if groups[span][0] else 0.0 for span in spans]


def title_of(folder: Path) -> str:
    """How a run is called: by its row in a grid, else by its folder."""
    if (folder / EXPERIMENT).is_file():
        return read_experiment(folder).title
    return folder.name


def _opened(folder: Path, place: DataPlace) -> tuple[Loco, FeatureDataset]:
    network, model = load_loco(folder)
    return network, open_split(place.of(read_run(folder)), place.split, model.labels)


def _index(data: FeatureDataset, video: str | None) -> int:
    name = video or telling_video(data.truth)
    if name not in data.names:
        raise FormatError(
            f"no video {name!r} is of split {data.split!r}; the first of its videos is {data.names[0]!r}"
        )
    return data.names.index(name)
