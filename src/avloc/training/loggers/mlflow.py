"""What a training tells, for MLflow: a database beside the run unless MLFLOW_TRACKING_URI names a server.

The packages of the extra `mlflow` are the client and its database; `mlflow ui` is in the whole package.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avloc.files import replace_file
from avloc.training.loggers.base import Logger, epoch_values, flat, place_of, step_values
from avloc.training.watch import Epoch, Step

DATABASE, ID = "mlflow.db", "mlflow-id.txt"
_TOGETHER = 500
_LONGEST = 500
"""Of a setting's text, as MLflow takes it."""


class MlflowLogger(Logger):
    """A run of the experiment `avloc`, or MLFLOW_EXPERIMENT_NAME; a resumed run goes on under its id."""

    def __init__(self) -> None:
        import mlflow

        self._mlflow: Any = mlflow
        self._client: Any = None
        self._id = ""
        self._waiting: list[Any] = []

    def begin(self, settings: Mapping[str, Any], folder: Path) -> None:
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        place = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(folder / DATABASE).resolve()}"
        self._client = self._mlflow.MlflowClient(tracking_uri=place)
        kept = folder / ID
        if kept.is_file():
            self._id = kept.read_text().strip()
            self._client.update_run(self._id, status="RUNNING")
            return
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "avloc")
        known = self._client.get_experiment_by_name(name)
        experiment = known.experiment_id if known else self._client.create_experiment(name)
        self._id = self._client.create_run(experiment, run_name=folder.name).info.run_id
        for key, value in flat(settings).items():
            self._client.log_param(self._id, key, str(value)[:_LONGEST])
        replace_file(kept, self._id.encode())

    def on_step(self, step: Step) -> None:
        self._put(step_values(step), place_of(step))
        if len(self._waiting) >= _TOGETHER:
            self._send()

    def on_epoch(self, epoch: Epoch) -> None:
        self._put(epoch_values(epoch), epoch.number)
        self._send()

    def end(self, validation_map: float | None) -> None:
        self._send()
        self._client.set_terminated(self._id, "KILLED" if validation_map is None else "FINISHED")

    def _put(self, values: Mapping[str, float], number: int) -> None:
        now = int(1000 * time.time())
        self._waiting += [self._mlflow.entities.Metric(name, value, now, number) for name, value in values.items()]

    def _send(self) -> None:
        for first in range(0, len(self._waiting), _TOGETHER):
            self._client.log_batch(self._id, metrics=self._waiting[first : first + _TOGETHER])
        self._waiting = []


make = MlflowLogger
