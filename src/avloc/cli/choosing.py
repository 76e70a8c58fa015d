"""Flags by which a person chooses from events > a filter: one grammar for every verb that has events."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import tyro

from avloc.errors import AvlocError, ConfigError
from avloc.events.filter import EventFilter
from avloc.formats.text import as_seconds, as_time, lines, read_text

Labels = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="CLASS")]
LabelsFile = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]
MinScores = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="SCORE|CLASS=SCORE")]
Seconds = Annotated[float | None, tyro.conf.arg(metavar="SECONDS")]
Moment = Annotated[str | None, tyro.conf.arg(metavar="TIME")]


def event_filter(
    label: tuple[str, ...] = (),
    not_label: tuple[str, ...] = (),
    labels_file: Path | None = None,
    min_score: tuple[str, ...] = (),
    min_length: float | None = None,
    merge_gap: float | None = None,
    start: str | None = None,
    end: str | None = None,
) -> EventFilter:
    """What the flags say.

    labels_file: a class a line; lines that begin with # are left out. min_score: numbers, for all classes, or
    CLASS=SCORE. start, end: seconds, or 10:00, or 1:02:03.5.

    Raises:
        AvlocError: a flag is odd.
    """
    scores = [_score(text) for text in min_score]
    general = [score for name, score in scores if not name]
    for flag, value in (("--min-length", min_length), ("--merge-gap", merge_gap)):
        if value is not None and not 0 <= value < math.inf:
            raise AvlocError(f"{flag} is {value}; a number of seconds of 0 or more is needed")
    try:
        return EventFilter(
            labels=(*label, *(_labels(labels_file) if labels_file else ())),
            not_labels=not_label,
            min_score=general[-1] if general else -math.inf,
            min_scores={name: score for name, score in scores if name},
            min_length_s=min_length or 0.0,
            merge_gap_s=merge_gap,
            start_s=-math.inf if start is None else as_time(start, "--start"),
            end_s=math.inf if end is None else as_time(end, "--end"),
        )
    except ConfigError as error:
        raise AvlocError(str(error)) from None


def require_classes(wanted: EventFilter, labels_file: Path | None, classes: Collection[str]) -> None:
    """Refuse a class named by a flag that no event has; a file of classes may name more than there are.

    Raises:
        AvlocError: one is not among `classes`; the nearest one is named.
    """
    listed = set(_labels(labels_file)) if labels_file else set()
    wanted.require_known({*classes, *listed})


def _labels(path: Path) -> tuple[str, ...]:
    named = (line.strip() for _, line in lines(read_text(path, "a file with a class a line")))
    labels = tuple(label for label in named if label and not label.startswith("#"))
    if not labels:
        raise AvlocError(f"{path}: names no class; write one a line")
    return labels


def _score(text: str) -> tuple[str, float]:
    """Class, "" for all, and score."""
    name, sign, number = text.rpartition("=")
    if sign and not name:
        raise AvlocError(f"--min-score is {text!r}; a number, or CLASS=SCORE, is needed")
    return name, as_seconds(number, "--min-score", "a number, or CLASS=SCORE,")
