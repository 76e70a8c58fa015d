"""`avloc diagnose`: detections and truth > what goes wrong and what it costs, on the terminal and on a page."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from avloc import __version__
from avloc.cli.against import hold_against, read_goal
from avloc.cli.console import screen_console
from avloc.cli.grammar import Annotator, Fps, Tiers, chosen
from avloc.cli.inputs import require_writable
from avloc.errors import AvlocError
from avloc.evaluation.diagnosis import Diagnosis
from avloc.evaluation.diagnosis import diagnose as diagnosis_of
from avloc.evaluation.matching import THRESHOLDS
from avloc.evaluation.sound_events import F1Scores, event_based, intersection_based, segment_based
from avloc.events import Events
from avloc.formats.distractors import Distractors, read_distractors
from avloc.formats.files import sniff
from avloc.report.diagnosis_page import write_diagnosis
from avloc.report.diagnosis_terminal import diagnosis_tables, f1_table
from avloc.report.diagnosis_words import headline, percent, thresholds

PAGE = "diagnosis.html"


def diagnose(
    predictions: Annotated[Path, tyro.conf.Positional],
    truth: Path,
    split: str | None = None,
    report: Path | None = None,
    distractors: Path | None = None,
    threshold: float = 0.5,
    f1: float | None = None,
    split_only: bool = False,
    strict: bool = False,
    tier: Tiers = (),
    annotator: Annotator = None,
    fps: Fps = None,
) -> int:
    """Find out what goes wrong in detections: kinds of errors and their cost in mAP, hard events, modalities.

    Predictions are a JSON file {"results": {video: [{"segment", "label", "score"}]}} as OpenTAD writes it, the
    columns of ActionFormer and UnAV {"video-id", "t-start", "t-end", "label", "score"} as JSON, a table with columns
    video, start, end, label, score (.csv, .tsv), another format of docs/formats.md, or a folder with the
    NAME.events.json of `avloc detect --all` or with files of labels.

    examples:
      avloc diagnose predictions.json --truth unav100_annotations.json --split test --report diagnosis/
      avloc diagnose results/ --truth my_truth.json --threshold 0.3 --f1 0.5
      avloc diagnose results/ --truth audacity_labels/

    Args:
        predictions: File or folder of detections, of any program.
        truth: Annotations: JSON {"database": {video: {"duration", "subset", "annotations"}}}, CSV, any format of
            docs/formats.md, or a folder of label files of one video each.
        split: Subset of the truth; without it all of it.
        report: Folder for the page, diagnosis.html, which works offline.
        distractors: JSON like the truth whose "other_events" tell what is only seen ("modality": "V") or
            only heard ("A"); without it the truth itself is looked at.
        threshold: tIoU from which a detection is right.
        f1: Also print the sound-event F1 scores of detections with this score or more.
        split_only: Leave predictions for videos outside the split out, instead of counting them as false.
        strict: Refuse odd entries, missing and unknown videos and unknown labels, instead of telling them.
        tier: Tiers of ELAN and Praat files to read; without it all that have times.
        annotator: Whose answers to read of Label Studio files of several annotators: number, address or name.
        fps: Frame rate of the videos, for files that count frames (timecodes, EDL, Label Studio, FiftyOne).
    """
    if not 0 < threshold <= 1:
        raise AvlocError(f"--threshold is {threshold:g}; a tIoU above 0, up to 1, is needed")
    if report is not None:
        require_writable(report)
    choices = chosen(fps, tier, annotator)
    goal = read_goal(truth, split, choices)
    held = hold_against(predictions, goal, strict=strict, split_only=split_only, choices=choices)
    known = _distractors(distractors, truth, held.truth)
    result = diagnosis_of(
        held.detections,
        held.truth,
        held.durations_s,
        seen_only={v: d.seen_only for v, d in known.items()} if known else None,
        heard_only={v: d.heard_only for v, d in known.items()} if known else None,
        threshold=threshold,
        thresholds=THRESHOLDS,
    )
    for note in held.notes:
        print(f"avloc: {note}", file=sys.stderr)
    screen = screen_console()
    if report is not None:
        facts = {"Predictions": predictions.name, "Truth": truth.name + (f", {split}" if split else "")}
        title = f"Diagnosis of {predictions.name}"
        write_diagnosis(report / PAGE, result, title=title, metadata=facts | {"Made by": f"avloc {__version__}"})
    _show(screen, result)
    if f1 is not None:
        screen.print(f1_table(_f1_scores(held.detections, held.truth, f1), f1))
    if report is not None:
        screen.print(f"page: {report / PAGE}", markup=False, soft_wrap=True)
    return 0


def _show(screen: Console, result: Diagnosis) -> None:
    screen.print(headline(result), markup=False, soft_wrap=True)
    screen.print(
        f"mAP {percent(result.mean_ap)} % ({thresholds(result)})", style="bold", markup=False, soft_wrap=True
    )
    screen.print()
    for table in diagnosis_tables(result):
        screen.print(table)
        screen.print()


def _f1_scores(
    detections: Mapping[str, Events], truth: Mapping[str, Events], min_score: float
) -> dict[str, F1Scores]:
    return {
        "segments of 1 s": segment_based(detections, truth, min_score=min_score),
        "events, collars of 0.2 s": event_based(detections, truth, min_score=min_score),
        "intersection, 0.5 and 0.5": intersection_based(detections, truth, min_score=min_score),
    }


def _distractors(path: Path | None, truth: Path, chosen: Mapping[str, Events]) -> dict[str, Distractors]:
    """The distractors of the chosen videos; none where nothing is known."""
    if path is None and (truth.is_dir() or sniff(truth) != "activitynet-truth"):
        return {}  # no other format tells them
    known = {video: d for video, d in read_distractors(path or truth).items() if video in chosen}
    if path is not None and not known:
        raise AvlocError(f'{path}: tells "other_events" of no video of the truth; give a file that does')
    return known
