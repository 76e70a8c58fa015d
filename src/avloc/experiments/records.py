"""Records of finished runs: a small JSON file each, from which a grid goes on where the runs' folders are gone.

OUT/records/KEY.json      summary, metrics, draws of the bootstrap, statistics of the CSM, errors by kind

Tables, claims and the figures that need no network are made of these alone; weights and detections are not in them.
The folder can be kept under version control, and handed to another machine with --records.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avloc.errors import FormatError
from avloc.evaluation.diagnosis import diagnose
from avloc.events import Events
from avloc.experiments.compare import DRAWS, draws_of, draws_path
from avloc.experiments.runs import METRICS, SUMMARY, Run, read_metrics, read_summary, summary_of, write_experiment
from avloc.experiments.similarity import STATISTICS, spread_of
from avloc.files import replace_file

ERRORS = "errors.json"
_UNIT = 1e-5
"""Draws of mAP are kept as whole multiples of this: a thousandth of a point."""


@dataclass(frozen=True, slots=True)
class Errors:
    """What goes wrong in a run's detections (avloc diagnose).

    kinds: considered detections by kind, in the order of `Kind`. gain: what mAP would gain without each kind of
    ERRORS, mean over thresholds, as shares of one. missed: truths without a match at tIoU 0.5, of `truths`.
    groups: by characteristic and group, how many truths there are, how many are missed, and normalized mAP on them.
    """

    kinds: tuple[int, ...]
    gain: tuple[float, ...]
    truths: int
    missed: int
    groups: Mapping[str, Mapping[str, tuple[int, int, float | None]]]


def sum_up(
    run: Run, truth: Mapping[str, Events], durations_s: Mapping[str, float], found: Mapping[str, Events]
) -> None:
    """Put into a finished run's folder what its record needs beside its summary.

    Raises:
        AvlocError: its detections or weights cannot be read, or the folder cannot be written.
    """
    draws_of(run.folder, truth, DRAWS)
    if run.is_loco and run.weights is None:
        spread_of(run.folder, run.test_split, run.config)
    d = diagnose(found, truth, durations_s)
    groups = {
        c.name: {
            g.span: (g.truths, g.missed, None if g.normalized is None else round(g.normalized, 6)) for g in c.groups
        }
        for c in d.characteristics
    }
    body = {
        "kinds": d.kinds.tolist(),
        "gain": [round(float(x), 6) for x in d.mean_gain],
        "truths": d.truths,
        "missed": d.missed.total,
        "groups": groups,
    }
    replace_file(run.folder / ERRORS, (json.dumps(body) + "\n").encode())


def errors_of(folder: Path) -> Errors | None:
    """What `sum_up` has found out of a run; None where it has not been asked."""
    path = folder / ERRORS
    if not path.is_file():
        return None
    told = json.loads(path.read_bytes())
    return Errors(tuple(told["kinds"]), tuple(told["gain"]), told["truths"], told["missed"], told["groups"])


def record_path(records: Path, run: Run) -> Path:
    """Where the record of a run lies."""
    return records / f"{run.key}.json"


def write_record(records: Path, run: Run) -> None:
    """Record a finished run whose folder `sum_up` has filled.

    Raises:
        OutputError: it cannot be written.
    """
    body: dict[str, Any] = {
        "row": run.row,
        "seed": run.seed,
        "summary": json.loads((run.folder / SUMMARY).read_bytes()),
        "metrics": read_metrics(run.folder),
        "draws": np.rint(np.load(draws_path(run.folder, DRAWS), allow_pickle=False) / _UNIT).astype(int).tolist(),
    }
    for name in (STATISTICS, ERRORS):
        if (run.folder / name).is_file():
            body[Path(name).stem] = _rounded(json.loads((run.folder / name).read_bytes()))
    records.mkdir(parents=True, exist_ok=True)
    replace_file(record_path(records, run), (json.dumps(body, separators=(",", ":")) + "\n").encode())


def exchange(records: Path, runs: Sequence[Run]) -> None:
    """Bring both up to date: runs whose folder is gone from their records, and records of runs that have none.

    Raises:
        FormatError: a record is broken.
        OutputError: a file cannot be written.
    """
    for run in runs:
        done, recorded = read_summary(run.folder) is not None, record_path(records, run).is_file()
        if recorded and not done:
            _unpack(record_path(records, run), run)
        elif done and not recorded and draws_path(run.folder, DRAWS).is_file():  # older runs have none yet
            write_record(records, run)


def _unpack(path: Path, run: Run) -> None:
    try:
        body = json.loads(path.read_bytes())
        if body["summary"]["key"] != run.key:
            raise ValueError(f"it is of the run {body['summary']['key']}")
        summary_of(body["summary"], path)
        draws = np.asarray(body["draws"], np.float64) * _UNIT
        lines = "".join(json.dumps(line) + "\n" for line in body["metrics"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path}: is no record of a run ({error}); delete it, and the run is made anew") from None
    write_experiment(run)
    replace_file(run.folder / METRICS, lines.encode())
    buffer = io.BytesIO()
    np.save(buffer, draws, allow_pickle=False)
    replace_file(draws_path(run.folder, DRAWS), buffer.getvalue())
    for name in (STATISTICS, ERRORS):
        if Path(name).stem in body:
            replace_file(run.folder / name, json.dumps(body[Path(name).stem]).encode())
    replace_file(run.folder / SUMMARY, (json.dumps(body["summary"], indent=1) + "\n").encode())  # last: it is done


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
