"""What runs have learned: LCC's two questions against guessing, and the errors that are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.kinds import ERRORS
from avloc.experiments.records import Errors, errors_of
from avloc.experiments.runs import Run, read_metrics
from avloc.experiments.tables import Results
from avloc.report.diagnosis_words import NAMES
from avloc.report.tables import Cell, ResultTable

LEAST_NATS = 0.05
"""Less than this below guessing is nothing learned: a hundredth of what guessing the moment costs."""
CHANCE = 0.01
"""Average mAP below which a detector has learned nothing: one of a hundred classes, guessed over whole videos."""


@dataclass(frozen=True, slots=True)
class Learned:
    """The last epoch's means over training batches, in nats, with those of guessing (None: trained without LCC), and
    the share of the variance of f_v and f_a that lies inside videos. Means over seeds."""

    video: float | None
    video_guess: float | None
    moment: float | None
    moment_guess: float | None
    visual_inside: float | None
    audio_inside: float | None

    @property
    def at_chance(self) -> bool:
        """Whether LCC does not know a moment from another."""
        known = self.moment is not None and self.moment_guess is not None
        return known and self.moment > self.moment_guess - LEAST_NATS  # type: ignore[operator]


def learned_of(runs: Sequence[Run]) -> Learned | None:
    """Of the finished runs of a row; None where there is none, or they were made before this was watched."""
    watched = [lines[-1].get("watched", {}) for run in runs if (lines := read_metrics(run.folder))]
    watched = [one for one in watched if "visual_inside" in one]
    if not watched:
        return None

    def mean(name: str) -> float | None:
        values = [float(one[name]) for one in watched if name in one]
        return float(np.mean(values)) if values else None

    names = ("lcc_video", "lcc_video_guess", "lcc_moment", "lcc_moment_guess", "visual_inside", "audio_inside")
    return Learned(*(mean(name) for name in names))


def finished(results: Results, row: str) -> list[Run]:
    """A row's runs that are done."""
    return [run for run in results.runs if run.row == row and (row, run.seed) in results.summaries]


def nothing_learned(results: Results, row: str, *, of_moments: bool = False) -> str:
    """Why a row has learned nothing, empty where it has: its mAP, or `of_moments` LCC's moments, are at chance."""
    scores = results.scores(row)
    if scores is not None and scores.mean[-1] < CHANCE:
        return f"{row} has learned nothing (average mAP {100 * scores.mean[-1]:.2f})"
    found = learned_of(finished(results, row)) if of_moments else None
    if found is not None and found.at_chance:
        return f"{row} has learned nothing of moments ({found.moment:.2f} nats, guessing {found.moment_guess:.2f})"
    return ""


def learned_table(results: Results, rows: Sequence[str]) -> ResultTable | None:
    """What LCC has learned in each row, in training; None where no run tells."""
    lines = []
    for row in rows:
        found = learned_of(finished(results, row))
        if found is None:
            continue
        nats = [_against(found.video, found.video_guess), _against(found.moment, found.moment_guess)]
        shares = [f"{value:.2f}" for value in (found.visual_inside, found.audio_inside) if value is not None]
        lines.append(tuple(Cell(text) for text in (row, *nats, *shares)))
    heads = ("row", "which video (guessing)", "which moment (guessing)", "f_v inside videos", "f_a inside videos")
    note = (
        "Means over the last epoch's training batches and over seeds. LCC's loss is the sum of the first two, in "
        "nats; the others are the shares of the variance of the encoders' features that lie inside videos."
    )
    return ResultTable("What LCC has learned", heads, tuple(lines), 1, (note,)) if lines else None


def errors_by_row(results: Results, rows: Sequence[str]) -> dict[str, list[Errors]]:
    """Errors of the finished runs of each row that has any."""
    found = {row: [errors_of(run.folder) for run in finished(results, row)] for row in rows}
    known = {row: [one for one in each if one is not None] for row, each in found.items()}
    return {row: each for row, each in known.items() if each}


def errors_table(results: Results, rows: Sequence[str]) -> ResultTable | None:
    """What mAP would gain without each kind of error, and how many true events are missed, by row."""
    by_row = errors_by_row(results, rows)
    lines = []
    for row, each in by_row.items():
        gains = 100 * np.mean([one.gain for one in each], axis=0)
        missed = 100 * np.mean([one.missed / one.truths for one in each])
        lines.append((Cell(row), *(Cell(f"{gain:.1f}") for gain in gains), Cell(f"{missed:.1f}")))
    heads = ("row", *(NAMES[kind].lower() for kind in ERRORS), "missed at 0.5 (%)")
    note = "Points of average mAP that a row would gain without its errors of one kind (`avloc diagnose`)."
    return ResultTable("Errors", heads, tuple(lines), 1, (note,)) if lines else None


def _against(value: float | None, guess: float | None) -> str:
    return "" if value is None or guess is None else f"{value:.2f} ({guess:.2f})"
