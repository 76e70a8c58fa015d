"""Two detectors side by side: mAP over tIoU, its difference with intervals, and the classes that differ most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.comparison import Comparison, Paired
from avloc.report.paper_figures import COLOURS, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CLASSES = 40
_UNSURE = "#999999"


def comparison_figure(comparison: Comparison, names: tuple[str, str], title: str) -> Figure:
    """A panel of mAP, one of its difference, one of classes; of more than 40 the 20 that lose and gain most.

    names: of the first and of the second detector.
    """
    shown = most_changed(comparison.by_label, MOST_CLASSES)
    figure = new_figure(9.6, max(4.8, 1.2 + 0.17 * len(shown)))
    places = figure.subplot_mosaic([["mean", "classes"], ["change", "classes"]], width_ratios=[1, 1.15])
    _means(places["mean"], comparison, names)
    _changes(places["change"], comparison, names)
    _classes(places["classes"], comparison, shown, names)
    figure.suptitle(title, fontsize=9, color=INK)
    return figure


def most_changed(by_label: Paired, most: int) -> list[int]:
    """Indices of the classes by difference, the largest gain first; of more than `most` half from either end."""
    order: list[int] = np.argsort(-by_label.difference, kind="stable").tolist()
    return order if len(order) <= most else order[: most // 2] + order[-(most // 2) :]


def _means(place: Axes, comparison: Comparison, names: tuple[str, str]) -> None:
    of = comparison.by_threshold
    averages = (comparison.average.first[0], comparison.average.second[0])
    for k, (values, name) in enumerate(zip((of.first, of.second), names, strict=True)):
        label = f"{name}: {100 * averages[k]:.1f} on average"
        place.plot(comparison.thresholds, 100 * values, "o-", ms=3, lw=1.2, color=COLOURS[k], label=label)
    place.set_ylabel("mAP (%)", fontsize=8)
    place.set_ylim(bottom=0)
    place.legend(fontsize=7, frameon=False)
    _plain(place, comparison)


def _changes(place: Axes, comparison: Comparison, names: tuple[str, str]) -> None:
    of, average = comparison.by_threshold, comparison.average
    limits = np.array(comparison.thresholds)
    place.axhline(0, color=INK, lw=0.8, zorder=1)
    place.axhspan(100 * average.low[0], 100 * average.high[0], color="#dddddd", lw=0, zorder=0)
    place.axhline(100 * average.difference[0], color=_UNSURE, lw=0.9, ls="--", zorder=1)
    _bars(place, limits, of, vertical=True)
    place.set_xlabel("tIoU", fontsize=8)
    place.set_ylabel(f"{names[1]} less {names[0]} (points of mAP)", fontsize=8)
    place.set_title("bars: 95 % over videos; band: of the average", fontsize=7, color=INK, pad=3)
    _plain(place, comparison)


def _classes(place: Axes, comparison: Comparison, shown: list[int], names: tuple[str, str]) -> None:
    of = comparison.by_label
    rows = Paired(*(values[shown] for values in (of.first, of.second, of.low, of.high, of.p)))
    place.axvline(0, color=INK, lw=0.8, zorder=1)
    _bars(place, np.arange(len(shown), dtype=np.float64), rows, vertical=False)
    if len(shown) < len(comparison.labels):
        place.axhline(len(shown) / 2 - 0.5, color=_UNSURE, lw=0.8, ls=":")
    place.set_yticks(range(len(shown)), [comparison.labels[k] for k in shown], fontsize=6.5)
    place.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    place.set_xlabel(f"{names[1]} less {names[0]} (points of average precision, 95 %)", fontsize=8)
    some = "" if len(shown) == len(comparison.labels) else f", the {len(shown)} that change most"
    place.set_title(f"{len(comparison.labels)} classes{some}", fontsize=7, color=INK, pad=3)
    place.tick_params(axis="x", labelsize=7)
    place.set_axisbelow(True)
    place.grid(axis="x", color="#e5e5e5", lw=0.6)


def _bars(place: Axes, where: NDArray[np.float64], of: Paired, *, vertical: bool) -> None:
    """Differences with their intervals; grey where the interval holds zero."""
    sure = (of.low > 0) | (of.high < 0)
    kinds = ((~sure, _UNSURE), (sure & (of.difference < 0), COLOURS[0]), (sure & (of.difference >= 0), COLOURS[1]))
    for chosen, colour in kinds:
        at, middle = where[chosen], 100 * of.difference[chosen]
        ends = np.nan_to_num(np.abs(100 * np.stack([of.low[chosen], of.high[chosen]]) - middle))
        x, y, x_ends, y_ends = (at, middle, None, ends) if vertical else (middle, at, ends, None)
        place.errorbar(x, y, xerr=x_ends, yerr=y_ends, fmt="o", ms=3, lw=1.2, color=colour, zorder=2)


def _plain(place: Axes, comparison: Comparison) -> None:
    place.set_xticks(comparison.thresholds, [f"{t:.6g}" for t in comparison.thresholds])
    place.tick_params(labelsize=7)
    place.set_axisbelow(True)
    place.grid(color="#e5e5e5", lw=0.6)
