"""Flags by which a person chooses from events > a filter: one grammar for every verb that has events."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from avloc.cli.grammar import flags
from avloc.errors import AvlocError, ConfigError
from avloc.events.filter import EventFilter
from avloc.formats.text import as_seconds, as_time, lines, read_text

Labels = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="CLASS")]
LabelsFile = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]
MinScores = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="SCORE|CLASS=SCORE")]
Seconds = Annotated[float | None, tyro.conf.arg(metavar="SECONDS")]
Moment = Annotated[str | None, tyro.conf.arg(metavar="TIME")]


@flags
@dataclass(frozen=True)
class Choosing:
    """What of the events is wanted."""

    label: Labels = ()
    """Class of events that are kept; give the flag again for more."""
    not_label: Labels = ()
    """Class of events that are left out; give the flag again for more."""
    labels_file: LabelsFile = None
    """File with classes that are kept, one a line."""
    min_score: MinScores = ()
    """Threshold, of all classes or of one: events with a lower score are left out; give the flag again for more."""
    min_length: Seconds = None
    """Least length of an event that is kept."""
    merge_gap: Seconds = None
    """Events of one class with no more than this between them become one."""
    start: Moment = None
    """Beginning of the stretch of the video whose events are kept: seconds, or 10:00, or 1:02:03."""
    end: Moment = None
    """End of that stretch; events that reach beyond it are cut."""

    def wanted(self, *, scores_of_anybody: bool = False) -> EventFilter:
        """What the flags say.

        scores_of_anybody: scores may be any numbers, as other programs write them, not only 0 to 1.

        Raises:
            AvlocError: a flag is odd.
        """
        scores = [_score(text, scores_of_anybody) for text in self.min_score]
        general = [score for name, score in scores if not name]
        for flag, value in (("--min-length", self.min_length), ("--merge-gap", self.merge_gap)):
            if value is not None and not 0 <= value < math.inf:
                raise AvlocError(f"{flag} is {value}; a number of seconds of 0 or more is needed")
        try:
            return EventFilter(
                labels=tuple(dict.fromkeys((*self.label, *self._listed))),
                not_labels=tuple(dict.fromkeys(self.not_label)),
                min_score=general[-1] if general else -math.inf,
                min_scores={name: score for name, score in scores if name},
                min_length_s=self.min_length or 0.0,
                merge_gap_s=self.merge_gap,
                start_s=-math.inf if self.start is None else as_time(self.start, "--start"),
                end_s=math.inf if self.end is None else as_time(self.end, "--end"),
            )
        except ConfigError as error:
            raise AvlocError(str(error)) from None

    def require_classes(self, wanted: EventFilter, classes: Collection[str], *, all_of_them: bool = False) -> None:
        """Refuse a class named by a flag that is not there; a file of classes may name more than occur.

        all_of_them: `classes` are all that there can be, as those of a model: the file is to name no other either.

        Raises:
            AvlocError: one is not among `classes`; the nearest one is named.
        """
        wanted.require_known(classes if all_of_them else {*classes, *self._listed})

    @property
    def _listed(self) -> tuple[str, ...]:
        return () if self.labels_file is None else _labels(self.labels_file)


def _labels(path: Path) -> tuple[str, ...]:
    named = (line.strip() for _, line in lines(read_text(path, "a file with a class a line")))
    labels = tuple(label for label in named if label and not label.startswith("#"))
    if not labels:
        raise AvlocError(f"{path}: names no class; write one a line")
    return labels


def _score(text: str, of_anybody: bool) -> tuple[str, float]:
    """Class, "" for all, and score."""
    name, sign, number = text.rpartition("=")
    if sign and not name:
        raise AvlocError(f"--min-score is {text!r}; a number, or CLASS=SCORE, is needed")
    score = as_seconds(number, "--min-score", "a number, or CLASS=SCORE,")
    if not of_anybody and not 0 <= score <= 1:
        raise AvlocError(f"--min-score is {text}; a number from 0 to 1 is needed")
    return name, score
