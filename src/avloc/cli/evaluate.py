"""`avloc evaluate`: detections and truth > what is shown and right, and mAP, on the terminal or as JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import tyro

from avloc import __version__
from avloc.cli.against import hold_against, read_goal
from avloc.cli.console import screen_console
from avloc.cli.evaluation_view import Evaluation
from avloc.cli.given_view import GivenView
from avloc.cli.grammar import Annotator, Fps, Tiers, chosen
from avloc.cli.inputs import require_least_score
from avloc.cli.metrics import Metric, measured
from avloc.cli.score_tables import print_json
from avloc.errors import AvlocError
from avloc.evaluation.bootstrap import bootstrap as draw
from avloc.evaluation.given_classes import given_classes as answers_of
from avloc.evaluation.matching import THRESHOLDS, match
from avloc.evaluation.mean_ap import mean_ap_of
from avloc.evaluation.operating_point import shown_from
from avloc.evaluation.recall import average_recall


def evaluate(
    predictions: Annotated[Path, tyro.conf.Positional],
    truth: Path,
    split: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    json: bool = False,
    per_class: bool = False,
    recall: bool = False,
    given_classes: bool = False,
    metrics: tuple[Metric, ...] = (),
    by_modality: bool = False,
    bootstrap: int = 0,
    seed: int = 0,
    thresholds: Annotated[tuple[float, ...] | None, tyro.conf.arg(metavar="TIOU [TIOU ...]")] = None,
    min_score: Annotated[float | None, tyro.conf.arg(metavar="SCORE")] = None,
    every_class: bool = False,
    split_only: bool = False,
    strict: bool = False,
    tier: Tiers = (),
    annotator: Annotator = None,
    fps: Fps = None,
) -> int:
    """Score detections against truth: precision, recall and F1 of what is shown, and mAP as ActivityNet computes it.

    Predictions are a JSON file {"results": {video: [{"segment", "label", "score"}]}} as OpenTAD writes it, the
    columns of ActionFormer and UnAV {"video-id", "t-start", "t-end", "label", "score"} as JSON, a table with columns
    video, start, end, label, score (.csv, .tsv), another format of docs/formats.md, or a folder with the
    NAME.events.json of `avloc detect --all` or with files of labels. Videos are matched by name, with or without
    folders and a media file's ending.

    examples:
      avloc evaluate predictions.json --truth unav100_annotations.json --split test
      avloc evaluate results/ --truth my_labels.csv --bootstrap 1000 --per-class
      avloc evaluate results/ --truth audacity_labels/
      avloc evaluate predictions.csv --truth my_truth.json --split test --json > scores.json
      avloc evaluate predictions.json --truth AVVP/ --split test --by-modality
      avloc evaluate predictions.json --truth DESED/metadata/ --split validation --metrics psds sound-events
      avloc evaluate answers.json --truth unav100_annotations.json --split test --given-classes

    Args:
        predictions: File or folder of detections, of any program.
        truth: Annotations: JSON {"database": {video: {"duration", "subset", "annotations"}}}, CSV, any format of
            docs/formats.md, a folder of label files of one video each, or a data set as published (docs/data.md).
        split: Subset of the truth; without it all of it.
        json: Print JSON alone; shares of one instead of percent.
        per_class: Add the average precision of each class.
        recall: Add the average recall at 1 to 100 proposals a video.
        given_classes: Add how well the segments of classes that are known to be in the video are found, as language
            models are compared: mean IoU of what they cover, F1 at tIoU 0.3, 0.5 and 0.7, CountF1. Detections in JSON
            may then lack scores. Detectors need --min-score, for every segment counts.
        metrics: Add measures of other benchmarks: segment-accuracy (AVE: the share of all seconds whose class, or
            none, is told), by-modality (LLP), psds and sound-events (DESED: over all thresholds, and F1 at one).
        by_modality: Add F of what is heard, seen and both, by segment and by event, as LLP is scored; classes are
            called "Speech (audio)" and "Speech (visual)", or entries have a field or column "modality".
        bootstrap: Draws of videos for 95 % confidence intervals, such as 1000.
        seed: Seed of the draws.
        thresholds: tIoU thresholds; the average is over all of them. Without it 0.1, 0.2, ... 0.9.
        min_score: Threshold of what is shown to people, for precision, recall and F1. Without it what the
            predictions say, else all of them.
        every_class: Count detections of classes that the truth lacks as wrong, in precision and F1; mAP has no such
            classes.
        split_only: Leave predictions for videos outside the split out, instead of counting them as false.
        strict: Refuse odd entries, missing and unknown videos and unknown labels, instead of telling them.
        tier: Tiers of ELAN and Praat files to read; without it all that have times.
        annotator: Whose answers to read of Label Studio files of several annotators: number, address or name.
        fps: Frame rate of the videos, for files that count frames (timecodes, EDL, Label Studio, FiftyOne).
    """
    require_least_score(min_score)
    if bootstrap < 0:
        raise AvlocError(f"--bootstrap is {bootstrap}; a number of draws is needed, such as 1000")
    choices = chosen(fps, tier, annotator)
    held = hold_against(
        predictions,
        read_goal(truth, split, choices),
        strict=strict,
        split_only=split_only,
        every_class=every_class,
        unscored=given_classes,
        choices=choices,
    )
    least = held.show_score if min_score is None else min_score
    try:
        matches = match(held.detections, held.truth, thresholds or THRESHOLDS)
    except ValueError as error:
        raise AvlocError(f"--thresholds: {error}") from None
    given = None
    if given_classes:
        answers = answers_of(held.detections, held.truth, least)
        given = GivenView(answers, least, answers.draws(bootstrap, seed) if bootstrap else None)
    result = Evaluation(
        held,
        shown_from(held.detections, held.truth, least, every_class=every_class),
        mean_ap_of(matches),
        draw(matches, bootstrap, seed) if bootstrap else None,
        average_recall(held.detections, held.truth) if recall else None,
        given,
        per_class,
        measured((*metrics, *(("by-modality",) if by_modality else ())), held, least),
    )
    for note in held.notes:
        print(f"avloc: {note}", file=sys.stderr)
    if json:
        print_json(result.plain() | {"split": split, "made_by": f"avloc {__version__}"})
    else:
        result.show(screen_console(), split)
    return 0
