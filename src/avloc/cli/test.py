"""`avloc test`: a trained run on a split > detections in a file, and their mAP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.progress import Progress

from avloc.cli.console import error_console, screen_console
from avloc.cli.evaluate import evaluate
from avloc.cli.inputs import require_writable
from avloc.cli.train import with_training
from avloc.config import SetConfig
from avloc.formats.activitynet import write_results


def test(
    run: Annotated[Path, tyro.conf.Positional],
    split: str | None = None,
    task: str = "",
    features: str | None = None,
    annotations: str | None = None,
    out: Path | None = None,
    json: bool = False,
    per_class: bool = False,
    bootstrap: int = 0,
    device: Literal["auto", "cpu", "cuda"] = "auto",
) -> int:
    """Run a trained model on a split, write its detections, and score them.

    The detections can be scored again at any time with `avloc evaluate`.

    examples:
      avloc test runs/loco --split test
      avloc test runs/loco --split validation --bootstrap 1000
      avloc test runs/at --task avel

    Args:
        run: Folder of a training run.
        split: Subset of the annotations; without it test, or what a data set among several calls its own.
        task: Of a run on several data sets the task to test: tal, avel or sed.
        features: Folder of features, if not the one of training.
        annotations: Annotation file, if not the one of training.
        out: File of the detections; without it SPLIT.predictions.json, or TASK.SPLIT.predictions.json, in the run's
            folder.
        json: Print JSON alone.
        per_class: Add the average precision of each class.
        bootstrap: Draws of videos for 95 % confidence intervals, such as 1000.
        device: Where the network computes; auto takes a GPU where there is one.
    """
    with_training()
    from avloc.devices import pick_device
    from avloc.training.checkpoint import load_model
    from avloc.training.data import open_data
    from avloc.training.predict import predict
    from avloc.training.run import on_task, read_run

    settings = on_task(read_run(run), task)
    own = settings.data if isinstance(settings.data, SetConfig) else None
    split = split or (own.test_split if own else "test")
    data = replace(
        settings.data,
        features=features or settings.data.features,
        annotations=annotations or settings.data.annotations,
    )
    path = out or run / f"{task.lower()}.{split}.predictions.json".lstrip(".")
    require_writable(path.parent)
    network, config = load_model(run, task)
    network.to(pick_device(device))
    videos = open_data(data, split, config.labels, config.features.scores)
    config.features.read.require(videos.layout.streams, f"{data.features}: its features")
    console = error_console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        bar_task = bar.add_task(split, total=len(videos))
        found = predict(network, videos, config.decoding, on_video=lambda done: bar.update(bar_task, completed=done))
    write_results(path, found, {"model": config.name, "split": split})
    if not json:
        screen_console().print(f"detections: {path}", markup=False, soft_wrap=True)
    return evaluate(
        path,
        Path(data.annotations),
        split,
        json=json,
        per_class=per_class,
        bootstrap=bootstrap,
        thresholds=(own.thresholds if own else ()) or None,
    )
