"""Several methods beside one another in figures of a paper's size: curves, mAP over tIoU, classes, sensitivity,
reliability.

A column is 3.5 inches wide, both together 7.16, as in two-column journals; texts are 7 points in either.
Legend: S seeds of a method, T thresholds, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from avloc.evaluation.reliability import Reliability
from avloc.evaluation.sensitivity import Characteristic
from avloc.report.paper_figures import COLOURS, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Float64 = NDArray[np.float64]
Columns = Literal[1, 2]
WIDTH_IN: Mapping[int, float] = {1: 3.5, 2: 7.16}
_TEXT, _SMALL = 7.0, 6.0
_GREY = "#999999"
_MARKS = ("o", "s", "^", "D", "v", "P")


@dataclass(frozen=True, slots=True)
class Curves:
    """A method's course: for each seed the epochs (E,) and the values (E,) of each quantity, by its words."""

    name: str
    seeds: Sequence[Mapping[str, tuple[Float64, Float64]]]


def curves_figure(methods: Sequence[Curves], columns: Columns) -> Figure:
    """A panel for each quantity that a method has: a thin line for each seed, a strong one for their mean."""
    quantities = list(dict.fromkeys(words for m in methods for seed in m.seeds for words in seed))
    figure, places = _panels(len(quantities), columns, height=1.6, each=min(len(quantities), 2 * columns))
    for place, words in zip(places, quantities, strict=True):
        for k, method in enumerate(methods):
            lines = [seed[words] for seed in method.seeds if words in seed]
            _course(place, lines, COLOURS[k % len(COLOURS)], method.name, dashed=k >= len(COLOURS))
        _axes(place, "epoch", words)
        place.locator_params(axis="x", integer=True)
    _legend(figure, places, len(methods))
    return figure


def tiou_figure(methods: Mapping[str, Float64], thresholds: Sequence[float], columns: Columns) -> Figure:
    """mAP over tIoU by method, from values of each seed (S, T) as shares of one; bars are deviations of seeds."""
    figure, (place,) = _panels(1, columns, height=2.2)
    for k, (name, values) in enumerate(methods.items()):
        deviation = 100 * values.std(axis=0, ddof=1) if len(values) > 1 else None
        label = f"{name}: {100 * values.mean():.1f}"
        place.errorbar(
            thresholds, 100 * values.mean(axis=0), deviation, fmt=f"{_MARKS[k % len(_MARKS)]}-", ms=3, lw=1.1,
            capsize=1.5, color=COLOURS[k % len(COLOURS)], label=label,
        )  # fmt: skip
    _axes(place, "tIoU", "mAP (%)")
    place.set_ylim(bottom=0)
    place.legend(fontsize=_SMALL, frameon=False, title="average", title_fontsize=_SMALL)
    return figure


def classes_figure(
    labels: Sequence[str], first: Float64, second: Float64, names: tuple[str, str], columns: Columns, most: int = 40
) -> Figure:
    """Average precision (K,) of two methods by class, as shares of one; the class that gains most first.

    Of more than `most` classes half are those that gain most and half those that lose most.
    """
    change = second - first
    order: list[int] = np.argsort(-change, kind="stable").tolist()
    shown = order if len(order) <= most else order[: most // 2] + order[len(order) - (most - most // 2) :]
    split = columns == 2 and len(shown) > 8
    half = -(-len(shown) // 2) if split else len(shown)
    parts = [shown[:half], shown[half:]] if split else [shown]
    figure = new_figure(WIDTH_IN[columns], 0.9 + 0.13 * max(half, 3))
    places = figure.subplots(1, len(parts), squeeze=False, sharex=True)[0]
    for place, rows in zip(places, parts, strict=True):
        y = np.arange(len(rows))
        place.hlines(y, 100 * first[rows], 100 * second[rows], color="#bbbbbb", lw=1.2, zorder=1)
        for k, values in enumerate((first, second)):
            place.plot(100 * values[rows], y, _MARKS[k], ms=3.2, color=COLOURS[k], label=names[k], zorder=2)
        place.set_yticks(y, [labels[i] for i in rows])
        place.set_ylim(max(len(rows), 1) - 0.4, -0.6)
        _axes(place, "average precision (%)", "")
        place.tick_params(axis="y", labelsize=_SMALL, length=0)
    if len(shown) < len(order):
        figure.suptitle(f"{len(shown)} of {len(order)} classes, those that change most", fontsize=_SMALL, color=INK)
    _legend(figure, places, 2)
    return figure


def sensitivity_figure(methods: Mapping[str, tuple[Sequence[Characteristic], float]], columns: Columns) -> Figure:
    """Normalized mAP on groups of truth by method, a panel for each characteristic; dashed: on all truth."""
    kinds = [c.name for c in next(iter(methods.values()))[0]]
    figure, places = _panels(len(kinds), columns, height=1.75, each=2 if columns == 1 else len(kinds))
    for place, kind in zip(places, kinds, strict=True):
        for k, (name, (characteristics, overall)) in enumerate(methods.items()):
            found = next(c for c in characteristics if c.name == kind)
            values = [np.nan if g.normalized is None else 100 * g.normalized for g in found.groups]
            colour = COLOURS[k % len(COLOURS)]
            place.axhline(100 * overall, color=colour, lw=0.7, ls="--", zorder=1)
            place.plot(
                range(len(values)), values, f"{_MARKS[k % len(_MARKS)]}-", ms=3, lw=1.1, color=colour, label=name
            )
            spans = [g.span.replace("up to ", "≤ ").replace("over ", "> ").replace(" to ", "–") for g in found.groups]
        _axes(place, "", "normalized mAP (%)" if place in (places[0], *places[2::2]) and columns == 1 else "")
        place.set_xticks(range(len(spans)), spans, rotation=35, ha="right", rotation_mode="anchor", fontsize=_SMALL)
        place.set_title(kind.lower(), fontsize=_TEXT, color=INK, pad=2)
    top = max(place.get_ylim()[1] for place in places)
    for place in places:
        place.set_ylim(0, top)
    if columns == 2:
        places[0].set_ylabel("normalized mAP (%)", fontsize=_TEXT)
    _legend(figure, places, len(methods))
    return figure


def reliability_figure(methods: Mapping[str, Reliability], threshold: float, columns: Columns) -> Figure:
    """Share of detections that are right over their score, by method, and how many there are of each score."""
    figure, (place, below) = _panels(2, columns, height=1.2 if columns == 1 else 2.4, each=1 if columns == 1 else 2)
    place.plot([0, 1], [0, 1], color=_GREY, lw=0.8, ls="--", zorder=1)
    for k, (name, found) in enumerate(methods.items()):
        there, colour = found.count > 0, COLOURS[k % len(COLOURS)]
        label = f"{name}: error {100 * found.error:.1f} %"
        mark = f"{_MARKS[k % len(_MARKS)]}-"
        place.plot(found.score[there], found.right[there], mark, ms=3, lw=1.1, color=colour, label=label)
        below.step(
            np.linspace(0, 1, len(found.count) + 1), [*found.count, found.count[-1]], where="post", color=colour
        )
    _axes(place, "score" if columns == 2 else "", f"share right (tIoU {threshold:g})")
    _axes(below, "score", "detections")
    place.set_xlim(0, 1)
    place.set_ylim(0, 1.03)
    below.set_xlim(0, 1)
    below.set_yscale("log")
    place.legend(fontsize=_SMALL, frameon=False)
    return figure


def _panels(count: int, columns: Columns, height: float, each: int | None = None) -> tuple[Figure, list[Axes]]:
    """A figure with panels, `each` side by side: in one column one below the other, in two side by side."""
    wide = each or (1 if columns == 1 else min(count, 3))
    rows = -(-count // wide)
    figure = new_figure(WIDTH_IN[columns], height * rows + 0.35)
    places = list(figure.subplots(rows, wide, squeeze=False).reshape(-1))
    for empty in places[count:]:
        empty.set_axis_off()
    return figure, places[:count]


def _course(place: Axes, lines: Sequence[tuple[Float64, Float64]], colour: str, name: str, *, dashed: bool) -> None:
    style = "--" if dashed else "-"
    if len(lines) > 1:
        for epochs, values in lines:
            place.plot(epochs, values, style, lw=0.5, color=colour, alpha=0.5)
    if lines:
        shortest = min(lines, key=lambda line: len(line[0]))[0]
        mean = np.mean([np.interp(shortest, epochs, values) for epochs, values in lines], axis=0)
        alone = "o" if len(shortest) == 1 else ""  # a line through one point is none
        place.plot(shortest, mean, style, marker=alone, ms=3, lw=1.3, color=colour, label=name)


def _axes(place: Axes, x: str, y: str) -> None:
    place.set_xlabel(x, fontsize=_TEXT, labelpad=2)
    place.set_ylabel(y, fontsize=_TEXT, labelpad=2)
    place.tick_params(labelsize=_SMALL, length=2, pad=2)
    place.set_axisbelow(True)
    place.grid(color="#e5e5e5", lw=0.5)
    for side in ("top", "right"):
        place.spines[side].set_visible(False)


def _legend(figure: Figure, places: Sequence[Axes], count: int) -> None:
    if count < 2:
        return
    found = {
        label: handle for place in places for handle, label in zip(*place.get_legend_handles_labels(), strict=True)
    }
    width = figure.get_size_inches()[0]
    fit = max(1, int(width / (0.45 + 0.065 * max(map(len, found), default=1))))
    figure.legend(
        found.values(), found, loc="outside lower center", ncols=min(count, fit), fontsize=_SMALL, frameon=False
    )
