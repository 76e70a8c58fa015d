"""Data sets: load one, look one over, simulate features of one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from avloc.datasets.annotations import read_annotations
from avloc.datasets.check import Report, check_dataset
from avloc.datasets.feature_dataset import FeatureDataset
from avloc.datasets.released import RELEASED
from avloc.datasets.simulate import TRAINING, Simulated, split_sizes
from avloc.datasets.simulate import simulate as write_simulation
from avloc.datasets.strengths import SimulationConfig, strengths_of
from avloc.errors import AvlocError
from avloc.features.layout import open_layout

PathLike = str | Path


def load_data(
    annotations: PathLike,
    features: PathLike,
    split: str = TRAINING,
    layout: str = "onepeace",
    forgiving: bool = False,
    modalities: Sequence[str] = (),
) -> FeatureDataset:
    """One split of a data set: `names`, `truth`, `labels`, `load(i)`; with `modalities` these alone ("visual").

    Raises:
        FormatError, FeatureError: annotations or features cannot be read.
    """
    truth = read_annotations(annotations, forgiving=forgiving)
    return FeatureDataset(truth, features, open_layout(features, layout), split, modalities=modalities)


def check_data(
    data: str, annotations: PathLike, features: PathLike, layout: str | None = None, quick: bool = False
) -> Report:
    """Look over annotations and features; `report.ok`, `report.problems`, `report.suggestion`.

    Raises:
        FormatError, FeatureError: they cannot be read at all. AvlocError: there is no such data set.
    """
    if data not in RELEASED:
        raise AvlocError(f"there is no data set {data!r}; known are {', '.join(RELEASED)}, own for any other")
    kind = RELEASED[data]
    return check_dataset(
        read_annotations(annotations, strict=False),
        features,
        open_layout(features, layout or kind.layout),
        needed=kind.subsets,
        quick=quick,
        forgiving=kind.forgiving,
    )


def simulate(
    annotations: PathLike,
    out: PathLike,
    videos: int | None = None,
    width: int | None = None,
    layout: str = "onepeace",
    seed: int = 0,
    workers: int = 0,
    edition: Literal[1, 2] = 2,
) -> Simulated:
    """Write simulated features of real annotations into a folder.

    Raises:
        FormatError, FeatureError, ConfigError, OutputError: as `avloc.datasets.simulate`.
    """
    truth = read_annotations(annotations)
    config = strengths_of(edition, SimulationConfig())
    workers = workers or os.cpu_count() or 1
    sizes = split_sizes(truth, videos)
    return write_simulation(truth, out, layout, sizes, seed=seed, config=config, width=width, workers=workers)
