"""Runs of the grid and their folders.

results/runs/KEY/experiment.json          row, seed, all settings: what the worker is told
results/runs/KEY/run.json, config.json, model.safetensors, metrics.jsonl, trainer/   as `avloc train` leaves them
results/runs/KEY/test.predictions.json    as `avloc test` leaves it
results/runs/KEY/log.txt                  what the run's process said
results/runs/KEY/summary.json             written last: the run is done
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from avloc.config import LocoConfig, RunConfig, from_dict, to_dict
from avloc.errors import ConfigError, FormatError
from avloc.experiments.grid import Row
from avloc.experiments.key import DataIdentity, run_key
from avloc.files import replace_file

EXPERIMENT, SUMMARY, LOG, LOCK = "experiment.json", "summary.json", "log.txt", "lock"
METRICS, PREDICTIONS = "metrics.jsonl", "test.predictions.json"


@dataclass(frozen=True, slots=True)
class Run:
    """One training and its test: a row with a seed, and the folder that belongs to its key alone."""

    row: str
    seed: int
    key: str
    folder: Path
    config: RunConfig
    test_split: str
    weights: Path | None = None
    """A model folder that is tested and not trained."""

    @property
    def is_loco(self) -> bool:
        """Whether its network is LoCo's."""
        return isinstance(self.config.network, LocoConfig)

    @property
    def title(self) -> str:
        return f"{self.row}, seed {self.seed}"


@dataclass(frozen=True)
class Summary:
    """What a run came to. mAP are shares of one; seconds are those of the epochs that stand in the metrics, and of
    the test."""

    row: str
    seed: int
    key: str
    version: str
    commit: str
    device: str
    training_s: float
    test_s: float
    validation_map: float
    best_epoch: int
    test_videos: int
    thresholds: tuple[float, ...] = field(default_factory=tuple)
    test_map: tuple[float, ...] = field(default_factory=tuple)
    test_average: float = 0.0

    @property
    def seconds(self) -> float:
        return self.training_s + self.test_s


def plan(
    recipe: RunConfig, rows: Sequence[Row], seeds: int, data: DataIdentity, out: Path, test_split: str
) -> list[Run]:
    """The runs of all rows and seeds, in the order in which they are made: seed by seed, the rows in order."""
    runs = []
    for seed in range(seeds):
        for row in rows:
            if seed and row.weights is not None:
                continue  # there is nothing random in a test
            config = row.of(recipe, seed)
            key = run_key(config, data, test_split, row.weights)
            runs.append(Run(row.name, seed, key, out / "runs" / key, config, test_split, row.weights))
    return runs


def once(runs: Sequence[Run]) -> list[Run]:
    """Of runs with the same key, the first."""
    return list({run.key: run for run in reversed(runs)}.values())[::-1]


def write_experiment(run: Run) -> None:
    """Make the folder of a run and tell it what to do.

    Raises:
        OutputError: it cannot be written.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    body = {
        "row": run.row,
        "seed": run.seed,
        "key": run.key,
        "test_split": run.test_split,
        "config": to_dict(run.config),
    }
    if run.weights is not None:
        body["weights"] = str(run.weights)
    replace_file(run.folder / EXPERIMENT, (json.dumps(body, indent=1) + "\n").encode())


def read_experiment(folder: Path) -> Run:
    """The run that a folder is meant for.

    Raises:
        FormatError: the folder holds none, or one that this version cannot read.
    """
    body = _read(folder / EXPERIMENT)
    try:
        config = from_dict(RunConfig, body["config"], where=EXPERIMENT)
        weights = Path(body["weights"]) if "weights" in body else None
        return Run(body["row"], body["seed"], body["key"], folder, config, body["test_split"], weights)
    except (KeyError, TypeError, ConfigError) as error:
        raise FormatError(f"{folder / EXPERIMENT}: cannot be understood ({error}); delete the folder") from None


def write_summary(folder: Path, summary: Summary) -> None:
    """The last file of a run.

    Raises:
        OutputError: it cannot be written.
    """
    replace_file(folder / SUMMARY, (json.dumps(asdict(summary), indent=1) + "\n").encode())


def read_summary(folder: Path) -> Summary | None:
    """What a run came to; None while it is not done.

    Raises:
        FormatError: the file is broken.
    """
    path = folder / SUMMARY
    return summary_of(_read(path), path) if path.is_file() else None


def summary_of(told: dict[str, Any], path: Path) -> Summary:
    """A summary that `path` tells.

    Raises:
        FormatError: it is broken.
    """
    try:
        return from_dict(Summary, told, where=SUMMARY)
    except ConfigError as error:
        raise FormatError(f"{path}: cannot be understood ({error}); delete it") from None


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl, one an epoch; none before the first epoch has ended."""
    path = folder / METRICS
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def summaries_of(runs: Sequence[Run]) -> dict[tuple[str, int], Summary]:
    """The finished runs by row and seed; a run that rows share stands under each of them."""
    found = {}
    for run in runs:
        summary = read_summary(run.folder)
        if summary is not None:
            found[run.row, run.seed] = replace(summary, row=run.row)
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: cannot be read ({error}); delete it, and the run is made anew") from None
    if not isinstance(body, dict):
        raise FormatError(f"{path}: holds no object; delete it, and the run is made anew")
    return body
