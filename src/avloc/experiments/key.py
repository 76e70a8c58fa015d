"""The key of a run: what its result depends on, and nothing else, in one hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avloc import zoo
from avloc.config import LATER, RunConfig, to_dict
from avloc.errors import FeatureError, FormatError, ModelError

VERSION = 1
"""Raised when a change of the code makes the same settings give other results: every run is then made anew."""

_NO_EFFECT = ("data.features", "data.annotations", "data.cache", "train.save_every_minutes", "train.loaders")
"""Where data lie, and what changes no result. What lies there is in DataIdentity."""

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
    for path in dict.fromkeys((*_NO_EFFECT, *LATER)):  # older runs, without the later ones, still count
        *groups, name = path.split(".")
        group = settings
        for one in groups:
            group = group.get(one, {})  # other methods have no such group
        if path in _NO_EFFECT or (name in group and group[name] == LATER[path]):
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
