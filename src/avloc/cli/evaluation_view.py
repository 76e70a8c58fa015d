"""What `avloc evaluate` says: tables in percent, or JSON in shares of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from avloc.cli.against import Against
from avloc.cli.given_view import GivenView
from avloc.cli.metrics import Measured
from avloc.cli.predictions import counted
from avloc.cli.score_tables import fitting, percent, score_table, tiou_name
from avloc.evaluation.bootstrap import Bootstrap, interval
from avloc.evaluation.matching import THRESHOLDS
from avloc.evaluation.mean_ap import MeanAp
from avloc.evaluation.operating_point import Shown
from avloc.evaluation.recall import AverageRecall

_SHOWN = 0.5  # columns of the default thresholds from here on, as papers print them


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `avloc evaluate` found: of one file of detections against one truth."""

    held: Against
    shown: Shown
    mean: MeanAp
    draws: Bootstrap | None
    recall: AverageRecall | None
    given: GivenView | None
    per_class: bool
    more: tuple[Measured, ...] = ()

    def plain(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        mean, held, seen = self.mean, self.held, self.shown
        content: dict[str, Any] = {
            "shown": {
                "min_score": seen.score,
                "tIoU": seen.tiou,
                "predictions": seen.detections,
                "right": seen.right,
                "precision": seen.precision,
                "recall": seen.recall,
                "F1": seen.f1,
                "left_out": seen.left_out,
            },
            "mAP": dict(zip(map(tiou_name, mean.thresholds), mean.by_threshold.tolist(), strict=True)),
            "average_mAP": mean.average,
            "videos": len(held.truth),
            "events": int(mean.truth_count.sum()),
            "classes": len(mean.labels),
            "predictions": sum(map(len, held.detections.values())),
            "videos_without_predictions": held.videos_without_predictions,
            "predictions_of_unknown_videos": held.predictions_of_unknown_videos,
            "predictions_of_unknown_labels": held.predictions_of_unknown_labels,
            "predictions_that_end_before_they_start": len(held.odd.backward),
            "entries_left_out": len(held.odd.left_out),
            "duplicate_events_dropped": held.duplicates_dropped,
            "notes": held.notes,
        }
        if self.draws is not None:
            ends = _ends(self.draws.by_threshold, mean.by_threshold)
            content["interval_95"] = {
                "draws": len(self.draws.average),
                "mAP": dict(zip(map(tiou_name, mean.thresholds), ends.T.tolist(), strict=True)),
                "average_mAP": _ends(self.draws.average, mean.average).tolist(),
            }
        if self.recall is not None:
            shares = self.recall.average.tolist()
            content["average_recall"] = dict(zip(map(str, self.recall.proposals), shares, strict=True))
        if self.given is not None:
            content["given_classes"] = self.given.plain()
        content |= {one.key: one.plain for one in self.more}
        if self.per_class:
            content["per_class"] = {label: self._class(k) for k, label in enumerate(mean.labels)}
        return content

    def _class(self, k: int) -> dict[str, Any]:
        mean = self.mean
        return {
            "AP": dict(zip(map(tiou_name, mean.thresholds), mean.ap[:, k].tolist(), strict=True)),
            "average_AP": float(mean.by_label[k]),
            "events": int(mean.truth_count[k]),
            "predictions": int(mean.detection_count[k]),
        }

    def show(self, screen: Console, split: str | None) -> None:
        """Tables in percent."""
        mean, plain = self.mean, self.plain()
        of = f" of {split}" if split else ""
        without = plain["videos_without_predictions"]
        head = counted(plain["videos"], "video") + of + (f" ({without} without a prediction)" if without else "")
        classes = counted(plain["classes"], "class", "classes")
        rest = f"{counted(plain['events'], 'event')} of {classes}, {counted(plain['predictions'], 'prediction')}"
        screen.print(Text(f"{head}, {rest}"), soft_wrap=True)
        screen.print(Text(self._shown_line(), style="bold"), soft_wrap=True)
        shown = self._shown()
        choices: tuple[list[int], ...] = (shown, shown[:1], [])
        screen.print(fitting(screen, [self._means(shown) for shown in choices]))
        if self.recall is not None:
            table = score_table("average recall at proposals a video, %")
            for n in self.recall.proposals:
                table.add_column(str(n), justify="right")
            table.add_row(*(percent(share) for share in self.recall.average.tolist()))
            screen.print(table)
        if self.given is not None:
            self.given.show(screen)
        for one in self.more:
            one.show(screen)
        if self.per_class:
            all_counts = [self._classes(shown) for shown in choices]
            screen.print(fitting(screen, [*all_counts, self._classes([], counts=False)]))
        if self.draws is not None:
            draws = len(self.draws.average)
            drawn = counted(draws, "draw")
            screen.print(f"95 %: how far a figure moves with other videos of the kind, by {drawn}", soft_wrap=True)
        if mean.thresholds == THRESHOLDS:
            screen.print("Avg.: over the tIoU thresholds 0.1 to 0.9", soft_wrap=True)

    def _shown_line(self) -> str:
        seen = self.shown
        what = "all predictions" if seen.score is None else f"of those with a score of {seen.score:g} or more"
        parts = (("precision", seen.precision), ("recall", seen.recall), ("F1", seen.f1))
        figures = ", ".join(f"{name} {percent(share)} %" for name, share in parts)
        out = f", {seen.left_out} of classes that the truth lacks left out" if seen.left_out else ""
        return f"{figures} (tIoU {seen.tiou:g}, {what}: {seen.right} of {seen.detections} right{out})"

    def _means(self, shown: list[int]) -> Table:
        mean = self.mean
        table = score_table("mAP at tIoU, %")
        table.add_column("")
        for t in shown:
            table.add_column(tiou_name(mean.thresholds[t]), justify="right", no_wrap=True)
        table.add_column("Avg.", justify="right", no_wrap=True)
        table.add_row("mAP", *(percent(mean.by_threshold[t]) for t in shown), percent(mean.average))
        if self.draws is not None:
            ends = _ends(self.draws.by_threshold, mean.by_threshold)
            average = _ends(self.draws.average, mean.average)
            for i, name in enumerate(("95 % from", "to")):
                table.add_row(name, *(percent(ends[i, t]) for t in shown), percent(average[i]))
        return table

    def _classes(self, shown: list[int], counts: bool = True) -> Table:
        mean = self.mean
        table = score_table("average precision by class, %")
        table.add_column("class", overflow="fold", min_width=8)
        for t in shown:
            table.add_column(tiou_name(mean.thresholds[t]), justify="right", no_wrap=True)
        counted_columns = ("events", "predictions") if counts else ()
        for name in ("Avg.", *(("95 %",) if self.draws is not None else ()), *counted_columns):
            table.add_column(name, justify="right", no_wrap=True)
        ends = None if self.draws is None else _ends(self.draws.by_label, mean.by_label)
        for k in np.argsort(-mean.by_label, kind="stable").tolist():
            table.add_row(
                Text(mean.labels[k]),
                *(percent(mean.ap[t, k]) for t in shown),
                percent(mean.by_label[k]),
                *(() if ends is None else (f"{percent(ends[0, k])}-{percent(ends[1, k])}",)),
                *((str(mean.truth_count[k]), str(mean.detection_count[k])) if counts else ()),
            )
        return table

    def _shown(self) -> list[int]:
        limits = self.mean.thresholds
        return [t for t, limit in enumerate(limits) if limits != THRESHOLDS or limit > _SHOWN - 1e-6]


def _ends(draws: NDArray[np.float64], measured: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return interval(draws, measured).clip(0, 1)
