"""Evidence beside a result: what is kept of it, and NAME.evidence.json, which says what is seen, heard, or both.

    {"results": {NAME: [{"segment": [1.52, 5.03], "label": "dog barking", "score": 0.93,
                         "modality": "audio-visual", "evidence": {"visual": 0.97, "audio": 0.99}}, ...]}}

"audio" is heard only, "visual" seen only; the events of the result are "audio-visual", and tell their evidence there
too. Kept are, as 8-bit numbers of each step, the classes that are heard or seen at all: with them, other thresholds
need no video. One safetensors file; T steps, K classes:

    strength (4, T, K) uint8, 255 times the square root; alike (K, K) uint8
    header: key of what was computed, labels, grid
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from avloc.config import from_dict
from avloc.errors import AvlocError, ConfigError
from avloc.events import Events
from avloc.events.filter import ALL_EVENTS, EventFilter
from avloc.events.modality import BOTH, without_modality
from avloc.evidence.apart import ClassEvidence, Perceived, apart, perceived
from avloc.files import replace_file
from avloc.formats.activitynet import read_detections, write_results
from avloc.formats.files import ENDING as RESULT
from avloc.timegrid import TimeGrid

if TYPE_CHECKING:
    from avloc.scale.shown import Shown

ENDING = ".evidence.json"
KEPT_ENDING = ".evidence.safetensors"
AT_ALL = (0.25, 0.25, 0.02, 0.02)
"""A class that is nowhere as strong as any of these is not kept."""

_FORMAT = "avloc-evidence/1"
_BROKEN = (OSError, SafetensorError, ConfigError, KeyError, IndexError, TypeError, ValueError, RecursionError)


def evidence_file(result: Path) -> Path:
    """The place beside a result file."""
    return result.with_name(result.name.removesuffix(RESULT) + ENDING)


def write_evidence(
    result: Path,
    events: Events,
    shown: Events,
    evidence: ClassEvidence | None,
    told: Mapping[str, Any],
    wanted: EventFilter = ALL_EVENTS,
) -> dict[str, list[dict[str, Any]]] | None:
    """Write the file beside a result, or remove one that would tell of another; fields for the events of the result.

    shown: the events for people; what is apart from them is only heard, or only seen, and is
    `wanted`. told: what the result says of itself.

    Raises:
        OutputError: it cannot be written.
    """
    path, name = evidence_file(result), result.name.removesuffix(RESULT)
    if evidence is None:
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    rows = sorted(
        [*perceived(evidence, shown), *apart(evidence, shown, wanted)],
        key=lambda row: (row.event.start_s, row.event.end_s, row.modality, row.event.label),
    )
    fields = [{"modality": row.modality, **_certainties(row)} for row in rows]
    write_results(path, {name: Events.of(row.event for row in rows)}, told, {name: fields})
    return {name: [_certainties(row) for row in perceived(evidence, events)]}


def shows_evidence(result: Path, show: Shown, key: str) -> bool:
    """Whether the file beside a result is there and as these settings make it."""
    try:
        about = read_detections(evidence_file(result))[1]
    except AvlocError:
        return False
    return about.get("key") == key and show.fits_told(about)


def read_apart(result: Path, key: str) -> Events:
    """What the file beside a result says is heard only or seen only, with the modality in the class.

    Nothing where there is none, or one that is of another key.
    """
    try:
        videos, about = read_detections(evidence_file(result))
    except AvlocError:
        return Events()
    events = next(iter(videos.values()), Events()) if about.get("key") == key else Events()
    return events.take([without_modality(label)[1] != BOTH for label in events.labels])


def keep_evidence(result: Path, key: str, evidence: ClassEvidence) -> None:
    """Write what is kept, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    replace_file(_kept_file(result), save(_packed(evidence), {_FORMAT: json.dumps(_about(key, evidence))}))


def kept_evidence(result: Path, key: str) -> ClassEvidence | None:
    """What is kept of a video whose candidates have this key; None where there is nothing."""
    try:
        with safe_open(_kept_file(result), framework="numpy") as file:
            about = json.loads((file.metadata() or {})[_FORMAT])
            arrays = {name: file.get_tensor(name) for name in ("strength", "alike")}
        return _unpacked(arrays, about) if about["key"] == key else None
    except _BROKEN:
        return None


def rounded(key: str, evidence: ClassEvidence) -> ClassEvidence:
    """As it is when it comes from a file: what is made at once and what is made later are the same."""
    return _unpacked(_packed(evidence), _about(key, evidence))


def forget_evidence(result: Path) -> None:
    """Remove what was kept of another state of the video, and what was made of it."""
    for path in (_kept_file(result), evidence_file(result)):
        with contextlib.suppress(OSError):
            path.unlink()


def _certainties(row: Perceived) -> dict[str, Any]:
    return {"evidence": {"visual": round(row.seen, 3), "audio": round(row.heard, 3)}}


def _kept_file(result: Path) -> Path:
    return result.with_name(result.name.removesuffix(RESULT) + KEPT_ENDING)


def _present(evidence: ClassEvidence) -> NDArray[np.intp]:
    """The classes that are kept."""
    most = evidence.strength.max(axis=1, initial=0.0)  # (4, K)
    return np.flatnonzero((most >= np.array(AT_ALL)[:, None]).any(axis=0))


def _packed(evidence: ClassEvidence) -> dict[str, NDArray[Any]]:
    present = _present(evidence)
    shades = np.rint(255 * np.sqrt(evidence.strength[:, :, present].clip(0, 1))).astype(np.uint8)
    # safetensors writes arrays as they lie, and indexing may turn them.
    return {
        "strength": np.ascontiguousarray(shades),
        "alike": np.ascontiguousarray(evidence.alike[np.ix_(present, present)], np.uint8),
    }


def _about(key: str, evidence: ClassEvidence) -> dict[str, Any]:
    labels = [evidence.labels[k] for k in _present(evidence)]
    return {"key": key, "labels": labels, "grid": asdict(evidence.grid)}


def _unpacked(arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> ClassEvidence:
    labels: Sequence[object] = about["labels"]
    strength, alike = arrays["strength"], arrays["alike"]
    if strength.ndim != 3 or strength.shape[::2] != (4, len(labels)) or not strength.shape[1]:
        raise ValueError(f"strength {strength.shape} of {len(labels)} classes")
    if alike.shape != (len(labels),) * 2 or not all(isinstance(label, str) for label in labels):
        raise ValueError("labels that do not fit")
    whole = np.square(strength / np.float32(255), dtype=np.float32)
    return ClassEvidence(from_dict(TimeGrid, about["grid"]), tuple(map(str, labels)), whole, alike > 0)
