"""How good a model is on videos that it was not trained on: mAP pooled over all, and its spread over the folds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from avloc.evaluation.mean_ap import mean_ap
from avloc.events import Events


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of one. `average` is over the tIoU thresholds 0.1 to 0.9, `at_half` at 0.5; both of all videos at once.

    `folds` are the averages of the folds that hold events, each over the classes that it holds; `by_label` is the
    average of each class with events.
    """

    average: float
    at_half: float
    folds: tuple[float, ...]
    by_label: dict[str, float]
    events: int
    videos: int

    @property
    def fold_mean(self) -> float:
        """Mean over the folds; 0 without."""
        return statistics.fmean(self.folds) if self.folds else 0.0

    @property
    def fold_spread(self) -> float:
        """Standard deviation over the folds; 0 of less than two."""
        return statistics.stdev(self.folds) if len(self.folds) > 1 else 0.0


def measure(
    found: Mapping[str, Events], truth: Mapping[str, Events], folds: Sequence[Mapping[str, Events]]
) -> Figures:
    """Figures of detections, of which `folds` are the parts."""
    whole = mean_ap(found, truth)
    parts = [mean_ap(part, {v: truth[v] for v in part}).average for part in folds if any(len(truth[v]) for v in part)]
    by_label = dict(zip(whole.labels, whole.by_label.tolist(), strict=True))
    return Figures(whole.average, whole.at(0.5), tuple(parts), by_label, sum(map(len, truth.values())), len(truth))
