"""What `avloc evaluate --given-classes` says: segments of classes that are known to be in the video."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from avloc.cli.predictions import counted
from avloc.cli.score_tables import percent, score_table, tiou_name
from avloc.evaluation.bootstrap import interval
from avloc.evaluation.given_classes import Answers, GivenScores


@dataclass(frozen=True, slots=True)
class GivenView:
    """Answers with a score of `least` or more, None: all, and the measures of draws of videos, if there are any."""

    answers: Answers
    least: float | None
    draws: GivenScores | None

    def plain(self) -> dict[str, Any]:
        """All of it as JSON has it; null where a measure has nothing to look at."""
        of, names = self.answers.scores(), list(map(tiou_name, self.answers.thresholds))
        content: dict[str, Any] = {
            "questions": len(self.answers.video),
            "questions_of_several_events": int((self.answers.true > 1).sum()),
            "answers": int(self.answers.found.sum()),
            "min_score": self.least,
            "mIoU": _number(of.mean_iou),
            "F1": dict(zip(names, map(_number, of.f1), strict=True)),
            "precision": dict(zip(names, map(_number, of.precision), strict=True)),
            "recall": dict(zip(names, map(_number, of.recall), strict=True)),
            "CountF1": _number(of.count_f1),
            "not_too_few": _number(of.not_too_few),
            "not_too_many": _number(of.not_too_many),
            "coverage": _number(of.coverage),
            "floor": _number(of.floor),
        }
        if self.draws is not None:
            ends = self._ends(self.draws)
            spans = [None if math.isnan(low) else [low, high] for low, high in ends.T.tolist()]
            content["interval_95"] = {
                "draws": len(self.draws.mean_iou),
                "mIoU": spans[0],
                "F1": dict(zip(names, spans[1:-1], strict=True)),
                "CountF1": spans[-1],
            }
        return content

    def show(self, screen: Console) -> None:
        """A table in percent, and what stands behind it in words."""
        of, answers = self.answers.scores(), self.answers
        names = [f"F1@{tiou_name(t)}" for t in answers.thresholds]
        table = score_table("segments, classes given, %", "", "mIoU", *names, "CountF1")
        table.add_row("", *map(_cell, _columns(of)))
        if self.draws is not None:
            for name, row in zip(("95 % from", "to"), self._ends(self.draws), strict=True):
                table.add_row(name, *map(_cell, row))
        screen.print(table)
        several = int((answers.true > 1).sum())
        questions = (
            f"{counted(len(answers.video), 'question')} (a video and one of its classes), {several} of several events"
        )
        least = "" if self.least is None else f" with a score of {self.least:g} or more"
        screen.print(f"{questions}; {counted(int(answers.found.sum()), 'answer')}{least}", soft_wrap=True)
        few, many = _cell(of.not_too_few), _cell(of.not_too_many)
        floor = f"{_cell(of.coverage)}, where one segment for each gives {_cell(of.floor)}"
        screen.print(
            f"CountF1: {few} % against too few segments (coverage {floor}), {many} % against too many", soft_wrap=True
        )

    def _ends(self, draws: GivenScores) -> NDArray[np.float64]:
        """Ends of the intervals of the table's columns, (2, T + 2)."""
        return interval(_columns(draws), _columns(self.answers.scores())).clip(0, 1)


def _columns(of: GivenScores) -> NDArray[np.float64]:
    """mIoU, F1 at each threshold, CountF1: (T + 2,), or (B, T + 2) of draws."""
    return np.concatenate([of.mean_iou[..., None], of.f1, of.count_f1[..., None]], axis=-1)


def _number(value: NDArray[np.float64]) -> float | None:
    return None if math.isnan(value) else float(value)


def _cell(value: NDArray[np.float64]) -> str:
    return "-" if math.isnan(value) else percent(float(value))
