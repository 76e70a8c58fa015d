"""One run in a process of its own: `python -m avloc.experiments.worker FOLDER`, with experiment.json in the folder.

It does what `avloc train --resume` and `avloc test` do, then writes summary.json. It holds a lock on its folder while
it lives. When the process that started it is gone it stops as on Ctrl-C, with the trainer's state saved.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avloc import __version__
from avloc.config import RunConfig
from avloc.errors import AvlocError, ModelError
from avloc.evaluation.matching import match
from avloc.evaluation.mean_ap import mean_ap_of
from avloc.experiments.records import sum_up
from avloc.experiments.runs import (
    LOCK,
    PREDICTIONS,
    SUMMARY,
    Run,
    Summary,
    read_experiment,
    read_metrics,
    write_summary,
)
from avloc.formats.activitynet import write_results
from avloc.lock import locked
from avloc.training.checkpoint import load_model
from avloc.training.data import open_split
from avloc.training.predict import predict
from avloc.training.processes import make_fabric
from avloc.training.run import STATE, Result, train
from avloc.training.watch import Step

BUSY = 75
"""Exit status: another process has the folder."""

STOPPED = 130


def main() -> int:
    """Make the run of the folder that the command line names."""
    folder = Path(sys.argv[1])
    try:
        with locked(folder / LOCK) as mine:
            if not mine:
                return BUSY
            if not (folder / SUMMARY).is_file():
                make(read_experiment(folder))
    except AvlocError as error:
        print(f"avloc: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return STOPPED
    return 0


def make(run: Run) -> Summary:
    """Train, test and sum up; goes on from where an earlier process was stopped.

    Raises:
        AvlocError: as of training and testing.
        KeyboardInterrupt: stopped; the state is saved.
    """
    trained = _trained(run) if run.weights is None else None
    network, model = load_model(run.weights or run.folder)
    network = network.to(make_fabric(run.config.train).device)
    videos = open_split(run.config, run.test_split, model.labels)
    began = time.monotonic()
    found = predict(network, videos, model.decoding)
    test_s = time.monotonic() - began
    write_results(run.folder / PREDICTIONS, found, {"model": run.key, "split": run.test_split})
    result = mean_ap_of(match(found, videos.truth))
    known_s = {video: s for video, s in videos.durations_s.items() if math.isfinite(s)}
    sum_up(run, videos.truth, known_s, found)
    summary = Summary(
        row=run.row,
        seed=run.seed,
        key=run.key,
        version=__version__,
        commit=commit(),
        device=_device(run.config),
        training_s=sum(float(epoch["seconds"]) for epoch in read_metrics(run.folder)),
        test_s=test_s,
        validation_map=trained.validation_map if trained else 0.0,
        best_epoch=trained.epoch if trained else 0,
        test_videos=len(videos),
        thresholds=result.thresholds,
        test_map=tuple(float(x) for x in result.by_threshold),
        test_average=result.average,
    )
    write_summary(run.folder, summary)
    return summary


def _trained(run: Run) -> Result:
    """Goes on from the state in the folder; begins anew where the trainer does not take it.

    The key says that the run is the same. The trainer also wants its data in the same place, and the state in the
    form that it writes today.
    """
    parent, state = os.getppid(), run.folder / STATE
    begun = state.is_file()
    try:
        return train(run.config, run.folder, resume=True, on_step=_stop_without(parent), on_epoch=print)
    except ModelError as error:
        if not begun:
            raise
        print(f"begun anew: {error}")
        state.unlink()
    return train(run.config, run.folder, resume=True, on_step=_stop_without(parent), on_epoch=print)


def _stop_without(parent: int) -> Callable[[Step], None]:
    def on_step(step: Step) -> None:
        if os.getppid() != parent:
            signal.raise_signal(signal.SIGINT)

    return on_step


def commit() -> str:
    """The commit of the checkout that this code stands in, "+" added where it was changed; else the version."""
    here = Path(__file__).parents[1]

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True).stdout

    try:
        git("ls-files", "--error-unmatch", "__init__.py")  # not the checkout of something else around it
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return git("rev-parse", "--short=12", "HEAD").strip() + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return f"avloc {__version__}"


def _device(config: RunConfig) -> str:
    kind: Any = make_fabric(config.train).device
    return str(kind.type)


if __name__ == "__main__":
    sys.exit(main())
