"""Real clips with known classes: a folder of videos and `annotations.json`, to weigh scores by and to look at.

annotations.json is of ActivityNet's form; each video has `file`, each annotation may have `certainty` (one of low
certainty counts neither way), and `also_ok` lists classes that may be shown and count neither way. Every other class
that is shown is false.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avloc.errors import FormatError
from avloc.features.extractors.base import Extractor
from avloc.features.sequence import FeatureSequence
from avloc.features.store import load_features, save_features
from avloc.timegrid import TimeGrid

ANNOTATIONS = "annotations.json"


@dataclass(frozen=True, slots=True)
class RealClip:
    """A clip, the classes that are seen and heard in it, and those that count neither way."""

    name: str
    path: Path
    present: frozenset[str]
    ignored: frozenset[str]

    def judge(self, label: str) -> bool | None:
        """Whether a class that is shown is right; None where it counts neither way."""
        return None if label in self.ignored else label in self.present


def read_real_clips(folder: Path, labels: Sequence[str]) -> list[RealClip]:
    """The clips of a folder; truth of classes that are not among `labels` is left out.

    Raises:
        FormatError: annotations.json is missing or not of this form, or a clip is missing.
    """
    path = folder / ANNOTATIONS
    try:
        database = json.loads(path.read_text(encoding="utf-8"))["database"]
        clips = [_clip(folder, name, row, frozenset(labels)) for name, row in database.items()]
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror}); real clips need it beside them") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"{path}: is not of the form of annotated clips ({type(error).__name__}: {error})"
        ) from None
    for clip in clips:
        if not clip.path.is_file():
            raise FormatError(f"{path}: names {clip.path.name}, which is not in {folder}")
    return clips


def _clip(folder: Path, name: str, row: dict[str, Any], known: frozenset[str]) -> RealClip:
    rows = [(str(a["label"]), a.get("certainty") != "low") for a in row["annotations"] if a["label"] in known]
    present = frozenset(label for label, sure in rows if sure)
    doubtful = {label for label, sure in rows if not sure} | {str(label) for label in row.get("also_ok", [])}
    return RealClip(name, folder / Path(str(row["file"])).name, present, frozenset(doubtful - present))


def features_of(clip: RealClip, extractor: Extractor, grid: TimeGrid, cache: Path) -> FeatureSequence:
    """From the cache where they lie there, else made and kept.

    Raises:
        MediaError: the clip cannot be read.
    """
    path = cache / f"{clip.name}.features.safetensors"
    if path.is_file():
        return load_features(path)
    features = extractor.extract(clip.path, grid)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_features(features, path)
    return features
