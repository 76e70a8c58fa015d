"""The key of a run: what its result depends on, and nothing else, in one hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avloc import zoo
from avloc.config import RunConfig, to_dict
from avloc.errors import FeatureError, FormatError, ModelError

VERSION = 1
"""Raised when a change of the code makes the same settings give other results: every run is then made anew."""

_NO_EFFECT = ("data.features", "data.annotations", "data.cache", "train.save_every_minutes", "train.loaders")
"""Where data lie, and what changes no result. What lies there is in DataIdentity."""

_LATER: dict[str, object] = {
    "decoding.rivals": (),
    "decoding.rival_share": 0.5,
    "decoding.rival_factor": 0.7,
    "decoding.other_factor": 1.0,
    "decoding.min_length_steps": 0.0,
    "decoding.clip": "before",
    "decoding.chain_from_s": 0.0,
    "decoding.chain_share": 0.3,
    "decoding.chain_gap_s": 2.0,
    "decoding.explained": (),
    "decoding.nms_classes": "each",
    "decoding.voting": "score",
    "data.resize_steps": None,
    "data.forgiving": False,
    "data.lenient": False,
    "data.test_split": "test",
    "data.thresholds": (),
    "loss.first_reach": 4.0,
    "data.modalities": (),
    "network.method": "loco",
    "loss.method": "loco",
    "loss.assignment": "class-aware",
    "loss.centre_radius": None,
    "loss.ranges": (),
    "loss.inclusive": False,
    "loss.same_class": "shortest",
    "loss.count": "pairs",
    "loss.iou_weight_power": None,
    "loss.smoothing": 0.0,
    "loss.regression_weight": 1.0,
    "network.attention.residual": "key",
    "network.lcc.negatives": "batch",
    "network.lcc.projection": "each",
    "network.fusion_by_level": False,
    "network.residual_scales": False,
    "loss.lcc_after_warmup": False,
    "train.warmup_steps": None,
    "train.schedule": "cosine",
    "train.drop_epochs": (),
    "train.drop_factor": 0.1,
    "train.least_rate": 0.0,
    "train.drop_last": False,
    "train.accumulate": 1,
    "train.nodes": 1,
    "train.optimizer": "adamw",
    "train.rate_factors": (),
    "train.decay": "matrices",
    "train.ema_warmup": True,
    "train.validate_every": 1,
}
"""Settings that came after runs had been made, with the value that means what was done before. With that value they
stay out of the key, so that older runs still count."""

_FEATURE_ENDINGS = (".npy", ".safetensors")


@dataclass(frozen=True, slots=True)
class DataIdentity:
    """What tells one data set from another, wherever it lies: hashes of annotations and of feature files' sizes."""

    annotations: str
    layout: str
    features: str
    files: int


def identify(features: Path, annotations: Path, layout: str) -> DataIdentity:
    """Identity of a data set; of the features, names and sizes are looked at, not their values.

    Raises:
        FormatError, FeatureError: annotations or the folder of features cannot be read.
    """
    try:
        digest = hashlib.sha256(annotations.read_bytes()).hexdigest()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FormatError(f"{annotations}: cannot be read ({reason}); name the file with --annotations") from None
    try:
        sizes = sorted((p.name, p.stat().st_size) for p in features.iterdir() if p.name.endswith(_FEATURE_ENDINGS))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FeatureError(f"{features}: cannot be read ({reason}); name a folder of features with --data") from None
    listing = hashlib.sha256(json.dumps(sizes).encode()).hexdigest()
    return DataIdentity(digest, layout, listing, len(sizes))


def run_key(run: RunConfig, data: DataIdentity, test_split: str, weights: Path | None = None) -> str:
    """16 hexadecimal digits of the SHA-256 of resolved settings, data, test split and version of the code.

    `weights`: a model folder that is tested in place of a training; its files count.
    """
    settings: dict[str, Any] = to_dict(run)
    for path in (*_NO_EFFECT, *_LATER):
        *groups, name = path.split(".")
        group = settings
        for one in groups:
            group = group.get(one, {})  # other methods have no such group
        if path in _NO_EFFECT or (name in group and group[name] == _LATER[path]):
            del group[name]
    body = {"version": VERSION, "settings": settings, "data": asdict(data), "test": test_split}
    if weights is not None:
        body["weights"] = [_digest(weights / name) for name in (zoo.CONFIG, zoo.WEIGHTS)]
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ModelError(f"{path}: cannot be read ({reason}); a model folder of avloc import has it") from None
