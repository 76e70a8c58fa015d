"""A timeline of events with matplotlib, which is imported when something is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avloc.errors import AvlocError
from avloc.events.event import Events

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito: told apart by all


def plot(events: Events, axes: Axes | None = None) -> Axes:
    """A row a class, a bar an event, the surer the darker; drawn on `axes`, or on a new figure of pyplot's.

    Raises:
        AvlocError: matplotlib is not installed.
    """
    if axes is None:
        try:
            from matplotlib import pyplot
        except ImportError:
            raise AvlocError("a plot needs matplotlib, which is not installed; pip install matplotlib") from None
        rows = len(set(events.labels))
        axes = pyplot.figure(figsize=(9, 1 + 0.3 * rows), layout="constrained").add_subplot()
    labels = list(dict.fromkeys(events.by_time().labels))
    for row, label in enumerate(labels):
        chosen = events.where(label=label)
        axes.broken_barh(
            list(zip(chosen.start_s, chosen.end_s - chosen.start_s, strict=True)),
            (row - 0.35, 0.7),
            facecolor=[(COLOURS[row % len(COLOURS)], share) for share in 0.25 + 0.75 * np.clip(chosen.score, 0, 1)],
            edgecolor=COLOURS[row % len(COLOURS)],
        )
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(max(len(labels), 1) - 0.5, -0.5)
    axes.set_xlabel("time (s)")
    return axes
