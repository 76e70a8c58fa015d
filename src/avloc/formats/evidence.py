"""How surely each event of a result is seen and heard, where the file says so: optional, beside the score.

An entry of a result may have "evidence": {"visual": 0.8, "audio": 0.9}, 0 to 1 each.
"""

from __future__ import annotations

import math
from pathlib import Path

from avloc.errors import FormatError
from avloc.formats.strict_json import load_json
from avloc.formats.verdicts import Key, span_key


def read_evidence(path: Path, video: str) -> dict[Key, tuple[float, float]]:
    """Certainty by eye and by ear of the events of a video in a result file; {} where it tells none."""
    if path.suffix.lower() != ".json":
        return {}
    try:
        top = load_json(path)
    except FormatError:
        return {}
    videos = top.get("results") if isinstance(top, dict) else None
    rows = videos.get(video) if isinstance(videos, dict) else None  # names in folders: the last part alone
    told = (_told(row) for row in rows) if isinstance(rows, list) else ()
    return dict(pair for pair in told if pair is not None)


def _told(row: object) -> tuple[Key, tuple[float, float]] | None:
    try:
        evidence, (start_s, end_s) = row["evidence"], row["segment"]  # type: ignore[index]
        pair = float(evidence["visual"]), float(evidence["audio"])
        key = span_key(float(start_s), float(end_s), str(row["label"]))  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        return None
    return (key, pair) if all(math.isfinite(share) for share in pair) else None
