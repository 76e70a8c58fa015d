"""Which errors separate rows of a grid: what mAP would gain without each kind, and what is missed by length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avloc.report.paper_figures import COLOURS, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Bars = Mapping[str, NDArray[np.float64]]
"""By row, values of each seed (S, N), for N groups."""


def errors_figure(parts: Sequence[tuple[str, Sequence[str], Bars]], title: str) -> Figure:
    """A panel for each part: what its axis says, names of its groups, and a bar a row and group, in per cent.

    Bars are means over seeds, with a point for each.
    """
    figure = new_figure(5.2 * len(parts), 3.6)
    for place, (words, names, bars) in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        _panel(place, words, names, bars)
    figure.suptitle(title, fontsize=9, color=INK)
    return figure


def _panel(place: Axes, words: str, names: Sequence[str], bars: Bars) -> None:
    width = 0.8 / max(1, len(bars))
    at = np.arange(len(names))
    for k, (row, values) in enumerate(bars.items()):
        x = at - 0.4 + (k + 0.5) * width
        place.bar(x, 100 * values.mean(axis=0), 0.92 * width, color=COLOURS[k % len(COLOURS)], label=row)
        place.plot(np.tile(x, (len(values), 1)).T, 100 * values.T, ".", ms=3, color=INK)
    place.set_xticks(at, [name.replace(" ", "\n", 1) for name in names], fontsize=7)
    place.set_ylabel(words, fontsize=8)
    place.tick_params(axis="y", labelsize=7)
    place.grid(axis="y", color="#e5e5e5", lw=0.6)
    place.set_axisbelow(True)
    place.legend(fontsize=7, frameon=False)
