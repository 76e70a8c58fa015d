"""`avloc test`: a trained run on a split > detections in a file, and their mAP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.progress import Progress

from avloc.cli.console import error_console, screen_console
from avloc.cli.evaluate import evaluate
from avloc.cli.inputs import require_least_score, require_writable
from avloc.cli.metrics import Metric
from avloc.cli.train import with_training
from avloc.datasets.feature_dataset import FeatureDataset
from avloc.errors import AvlocError
from avloc.evaluation.parsing import Parsing, best_parsing
from avloc.evaluation.segment_accuracy import SegmentAccuracy, best_accuracy
from avloc.events import Events
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
    metrics: tuple[Metric, ...] = (),
    min_score: Annotated[float | None, tyro.conf.arg(metavar="SCORE")] = None,
    bootstrap: int = 0,
    device: Literal["auto", "cpu", "cuda"] = "auto",
) -> int:
    """Run a trained model on a split, write its detections, and score them.

    The detections can be scored again at any time with `avloc evaluate`.

    examples:
      avloc test runs/loco --split test
      avloc test runs/loco --split validation --bootstrap 1000
      avloc test runs/at --task avel
      avloc test runs/ave --metrics segment-accuracy

    Args:
        run: Folder of a training run.
        split: Subset of the annotations; without it what the data set calls its test split.
        task: Of a run on several data sets the task to test: tal, avel or sed.
        features: Folder of features, if not the one of training.
        annotations: Annotation file, if not the one of training.
        out: File of the detections; without it SPLIT.predictions.json, or TASK.SPLIT.predictions.json, in the run's
            folder.
        json: Print JSON alone.
        per_class: Add the average precision of each class.
        metrics: Add measures of other benchmarks: segment-accuracy (AVE), by-modality (LLP), psds and sound-events
            (DESED).
        min_score: Threshold of what is shown to people, for precision, recall, F1 and such measures. Without it the
            model's own; for segment-accuracy and by-modality the one that is best on the validation split.
        bootstrap: Draws of videos for 95 % confidence intervals, such as 1000.
        device: Where the network computes; auto takes a GPU where there is one.
    """
    require_least_score(min_score)
    with_training()
    from avloc.devices import pick_device
    from avloc.training.checkpoint import load_model
    from avloc.training.data import open_data
    from avloc.training.predict import predict
    from avloc.training.run import on_task, read_run

    settings = on_task(read_run(run), task)
    split = split or settings.data.test_split
    data = replace(
        settings.data,
        features=features or settings.data.features,
        annotations=annotations or settings.data.annotations,
    )
    path = out or run / f"{task.lower()}.{split}.predictions.json".lstrip(".")
    require_writable(path.parent)
    network, config = load_model(run, task)
    network.to(pick_device(device))
    console = error_console()

    def remark(text: str) -> None:
        console.print(f"avloc: {text}", markup=False, soft_wrap=True)

    def found_in(part: str) -> tuple[FeatureDataset, dict[str, Events]]:
        videos = open_data(data, part, config.labels, config.features.scores, remark)
        config.features.read.require(videos.layout.streams, f"{data.features}: its features")
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            line = bar.add_task(part, total=len(videos))
            told = partial(bar.update, line)
            return videos, predict(network, videos, config.decoding, on_video=lambda done: told(completed=done))

    found = found_in(split)[1]
    write_results(path, found, {"model": config.name, "split": split})
    if not json:
        screen_console().print(f"detections: {path}", markup=False, soft_wrap=True)
    chosen = next((metric for metric in metrics if metric in _BEST), None)
    if chosen is not None and min_score is None:
        min_score = _best_score(chosen, *found_in(data.validation_split))
        remark(f"from score {min_score:.3g} on, which is best for {chosen} on {data.validation_split}")
    return evaluate(
        path,
        Path(data.annotations),
        split,
        json=json,
        per_class=per_class,
        bootstrap=bootstrap,
        thresholds=settings.data.thresholds or None,
        metrics=metrics,
        min_score=min_score,
    )


_BEST: Mapping[str, Callable[..., SegmentAccuracy | Parsing]] = {
    "segment-accuracy": best_accuracy,
    "by-modality": best_parsing,
}
"""Measures whose threshold the validation split chooses."""


def _best_score(metric: str, videos: FeatureDataset, found: dict[str, Events]) -> float:
    """The score from which detections are best by a measure, on a validation split.

    Raises:
        AvlocError: a video's length is not known.
    """
    try:
        # Above 1 where it is best to tell nothing, which no threshold of a detector's scores is.
        return min(1.0, _BEST[metric](found, videos.truth, videos.durations_s).min_score)
    except ValueError as error:
        raise AvlocError(f"{metric} on the validation split: {error}; or give --min-score") from None
