"""Cross-similarity matrices (CSM) of sight and sound, and how much they vary (paper, Section 4.5).

The CSM is taken "between audio and visual features from multimodal input encoding modules", before LCC those of a
model that was trained without it, after LCC those of one trained with it. So the features are f_v and f_a; their
similarity is the cosine. "Mean of std" is the mean over videos of the standard deviation of all entries of the CSM.
LCC itself acts on projections of f_v and f_a into a common space; their CSM is taken beside, as `common`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.config import LccConfig, LocoLossConfig, RunConfig
from avloc.datasets.feature_dataset import FeatureDataset
from avloc.errors import FormatError, ModelError
from avloc.experiments.of_loco import load_loco, network_of, with_loss
from avloc.features.inputs import network_inputs
from avloc.files import replace_file
from avloc.models.loco.inspect import encode
from avloc.models.loco.network import Loco
from avloc.training.data import open_split
from avloc.training.run import read_run

Float64 = NDArray[np.float64]

STATISTICS = "similarity.json"


def cross_similarity(visual: NDArray[np.floating], audio: NDArray[np.floating]) -> Float64:
    """Cosine of every visual step (T, C) with every audio step (S, C): (T, S). A step of zeros is like nothing."""
    v, a = (_unit(np.asarray(x, np.float64)) for x in (visual, audio))
    return np.asarray(v @ a.T)


def _unit(x: Float64) -> Float64:
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(np.divide(x, norm, out=np.zeros_like(x), where=norm > 0))


def mean_of_std(matrices: Sequence[Float64]) -> float:
    """Mean over videos of the standard deviation over all entries of a video's CSM.

    Raises:
        ValueError: there is no matrix.
    """
    if not matrices:
        raise ValueError("there is no cross-similarity matrix; one video at least is needed")
    return float(np.mean([matrix.std() for matrix in matrices]))


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviation of each video's CSM, of the encoders' features and in the common space, by video."""

    encoded: dict[str, float]
    common: dict[str, float]


def csm_of(network: Loco, videos: FeatureDataset, index: int) -> tuple[Float64, Float64]:
    """CSM of one video: of the encoders' features, and in the common space, each (T, T)."""
    visual, audio = network_inputs(videos.load(index).features, videos.scores)
    found = encode(network, visual, audio)
    return (
        cross_similarity(found.visual, found.audio),
        cross_similarity(found.visual_common, found.audio_common),
    )


def spread_of(folder: Path, split: str, data: RunConfig | None = None) -> Spread:
    """Of a finished run, over a split; kept in the run's folder as long as its weights stay the same.

    `data` says where the data lie, if not where they lay in training.

    Raises:
        ModelError, FormatError, FeatureError: the run or its data cannot be read.
    """
    path, model_file = folder / STATISTICS, folder / "model.safetensors"
    kept = json.loads(path.read_bytes()) if path.is_file() else None
    if kept is not None and kept["split"] == split and not model_file.is_file():  # of a record: no weights are here
        return Spread(kept["encoded"], kept["common"])
    weights = hashlib.sha256(model_file.read_bytes()).hexdigest()
    if kept is not None and kept["weights"] == weights and kept["split"] == split:
        return Spread(kept["encoded"], kept["common"])
    network, model = load_loco(folder)
    videos = open_split(data or read_run(folder), split, model.labels)
    encoded, common = {}, {}
    for i, name in enumerate(videos.names):
        both = csm_of(network, videos, i)
        encoded[name], common[name] = (float(matrix.std()) for matrix in both)
    body = {"weights": weights, "split": split, "encoded": encoded, "common": common}
    replace_file(path, json.dumps(body).encode())
    return Spread(encoded, common)


def twin_without_lcc(folder: Path) -> Path | None:
    """A run beside this one, in the same folder of runs, that differs by LCC alone; None if there is none."""
    mine = _without_lcc(read_run(folder))
    for other in sorted(folder.resolve().parent.iterdir()):
        if other == folder.resolve() or not (other / "model.safetensors").is_file():
            continue
        try:
            run = read_run(other)
        except (ModelError, FormatError):
            continue
        if isinstance(run.loss, LocoLossConfig) and run.loss.lcc_weight == 0 and _without_lcc(run) == mine:
            return other
    return None


def _without_lcc(run: RunConfig) -> RunConfig:
    return with_loss(replace(run, network=replace(network_of(run), lcc=LccConfig())), lcc_weight=0.0)
