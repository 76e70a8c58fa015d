"""Figures of the paper's kind, drawn with matplotlib from plain arrays and events; saved as PNG and as vectors.

matplotlib is imported when something is drawn: it comes with the extra `figures`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from avloc.errors import AvlocError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.report.timeline import class_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Float64 = NDArray[np.float64]

INK = "#222222"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito: told apart by all
TRUTH = "#555555"


@dataclass(frozen=True, slots=True)
class CsmPair:
    """A video's cross-similarity matrix before (None: no such model) and after LCC, (T, T), its step in seconds."""

    video: str
    before: Float64 | None
    after: Float64
    stride_s: float


@dataclass(frozen=True, slots=True)
class WindowsPanel:
    """Windows of one level and head: N base windows, and where the head looks instead, by stream; in seconds."""

    title: str
    base_start_s: Float64
    base_end_s: Float64
    targets: tuple[tuple[str, Float64, Float64], ...]


@dataclass(frozen=True, slots=True)
class Course:
    """A number after each epoch of a run."""

    name: str
    epochs: Sequence[int]
    values: Sequence[float]


def require_matplotlib() -> None:
    """Raise the error that names the extra where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise AvlocError(
            "figures need matplotlib; install avloc with its extra, in its checkout: pip install '.[figures]'"
        )


def csm_figure(pairs: Sequence[CsmPair], title: str) -> Figure:
    """Matrices before and after LCC side by side, all on one colour scale."""
    wide = 2 if any(pair.before is not None for pair in pairs) else 1
    columns = min(3 if len(pairs) < 10 else 5, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = new_figure(max(4.2, 1.35 * wide * columns + 1.2), 1.6 * rows + 0.6)
    axes = figure.subplots(rows, wide * columns, squeeze=False)
    every = [m for pair in pairs for m in (pair.before, pair.after) if m is not None]
    low, high = min(float(m.min()) for m in every), max(float(m.max()) for m in every)
    image = None
    for i in range(rows * columns):
        row, column = divmod(i, columns)
        places = axes[row, wide * column : wide * (column + 1)]
        if i >= len(pairs):
            for place in places:
                place.set_axis_off()
            continue
        pair = pairs[i]
        shown = (pair.before, pair.after) if wide == 2 else (pair.after,)
        for k, (place, matrix) in enumerate(zip(places, shown, strict=True)):
            if matrix is None:
                place.set_axis_off()
                continue
            end_s = len(matrix) * pair.stride_s
            image = place.imshow(matrix, vmin=low, vmax=high, extent=(0, end_s, end_s, 0), cmap="viridis")
            when = ("before", "after")[k] if wide == 2 else pair.video
            place.set_title(f"{when}, std {matrix.std():.3f}", fontsize=6.5, pad=3)
            place.tick_params(labelsize=5.5, length=2, pad=1)
            place.locator_params(nbins=4)
            if row == rows - 1 or i + columns >= len(pairs):
                place.set_xlabel("sound (s)", fontsize=6.5, labelpad=1)
            if k == 0:
                place.set_ylabel(f"{pair.video}\nsight (s)" if wide == 2 else "sight (s)", fontsize=6.5, labelpad=1)
    figure.suptitle(title, fontsize=9, color=INK)
    if image is not None:
        bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, pad=0.015)
        bar.set_label("cosine similarity", fontsize=7)
        bar.ax.tick_params(labelsize=6)
    return figure


def timeline_figure(
    truth: Events, found: Sequence[tuple[str, Events]], duration_s: float, title: str, width_in: float = 8.0
) -> Figure:
    """A band per class: the truth above, below it each model's detections with their scores."""
    labels = class_order(Events.of([*truth, *(event for _, events in found for event in events)]))
    lanes, scale = 1 + len(found), 1.0 if width_in >= 8 else 0.75  # of texts and bars
    figure = new_figure(width_in, scale * (1.3 + 0.22 * scale * (lanes + 0.8) * max(len(labels), 1)))
    place = figure.subplots()
    sources = [("truth", truth, TRUTH)] + [
        (name, events, COLOURS[k % len(COLOURS)]) for k, (name, events) in enumerate(found)
    ]
    for c, label in enumerate(labels):
        top = c * (lanes + 0.8)
        if c % 2:
            place.axhspan(top - 0.4, top + lanes + 0.4, color="#f2f2f2", zorder=0)
        for lane, (_, events, colour) in enumerate(sources):
            for event in events.take([name == label for name in events.labels]) if len(events) else ():
                _bar(place, event, top + lane, colour, duration_s, 6 * scale if lane else 0)
    place.set_yticks([c * (lanes + 0.8) + lanes / 2 for c in range(len(labels))], labels, fontsize=8 * scale)
    place.set_ylim((lanes + 0.8) * max(len(labels), 1) - 0.4, -0.4)
    place.set_xlim(0, duration_s)
    place.set_xlabel("time (s)", fontsize=9 * scale)
    place.set_title(title, fontsize=9 * scale, color=INK)
    place.tick_params(axis="x", labelsize=8 * scale)
    place.tick_params(axis="y", length=0)
    _legend(figure, [(name, colour) for name, _, colour in sources])
    return figure


def windows_figure(panels: Sequence[Sequence[WindowsPanel]], truth: Events, duration_s: float, title: str) -> Figure:
    """A row of panels per level, a column per head: base windows in grey, target windows below them by stream."""
    rows, columns = len(panels), max(len(row) for row in panels)
    heights = [0.35 + 0.055 * max(len(row[0].base_start_s), 4) for row in panels]
    figure = new_figure(2.3 * columns + 0.6, sum(heights) + 0.3 * rows + 1.0)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights})
    for r, row in enumerate(panels):
        for c, panel in enumerate(row):
            place = axes[r, c]
            for event in truth:
                place.axvspan(event.start_s, event.end_s, color="#009e73", alpha=0.10, lw=0)
            y = np.arange(len(panel.base_start_s))
            place.barh(
                y + 0.5, panel.base_end_s - panel.base_start_s, 0.95, panel.base_start_s, color="#cccccc", lw=0
            )
            share = 0.8 / max(len(panel.targets), 1)
            for k, (_, start_s, end_s) in enumerate(panel.targets):
                place.barh(
                    y + 0.1 + (k + 0.5) * share, end_s - start_s, 0.75 * share, start_s, color=COLOURS[k], lw=0
                )
            place.set_ylim(len(y), 0)
            place.set_xlim(0, duration_s)
            place.set_title(panel.title, fontsize=7, pad=2)
            place.tick_params(labelsize=6, length=2)
            place.locator_params(axis="y", nbins=4, integer=True)
            if c == 0:
                place.set_ylabel("window", fontsize=6.5)
            if r == rows - 1:
                place.set_xlabel("time (s)", fontsize=7)
    figure.suptitle(title, fontsize=9, color=INK)
    names = [(name, COLOURS[k]) for k, (name, _, _) in enumerate(panels[0][0].targets)]
    _legend(figure, [("base window", "#cccccc"), *names, ("true event", "#cfe8e0")])
    return figure


def courses_figure(parts: Sequence[tuple[str, Sequence[Course]]], title: str) -> Figure:
    """A panel per quantity with a line per run over the epochs; `parts` are the axis' words and the courses."""
    figure = new_figure(3.8 * len(parts), 3.2)
    axes = figure.subplots(1, len(parts), squeeze=False)[0]
    for place, (words, courses) in zip(axes, parts, strict=True):
        for k, course in enumerate(courses):
            place.plot(
                course.epochs, course.values, "o-", ms=3, lw=1.2, color=COLOURS[k % len(COLOURS)], label=course.name
            )
        place.set_xlabel("epoch", fontsize=8)
        place.set_ylabel(words, fontsize=8)
        place.tick_params(labelsize=7)
        place.grid(color="#e5e5e5", lw=0.6)
        place.locator_params(axis="x", integer=True)
        if len(courses) > 1:
            place.legend(fontsize=7, frameon=False)
    figure.suptitle(title, fontsize=9, color=INK)
    return figure


def save(figure: Figure, stem: Path, vector: Literal["svg", "pdf"] = "svg") -> tuple[Path, Path]:
    """Write STEM.png and STEM.svg or STEM.pdf; the same figure gives the same bytes.

    Raises:
        OutputError: a file cannot be written.
    """
    from matplotlib import rc_context

    paths = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.{vector}")
    with rc_context({"svg.hashsalt": "avloc", "svg.fonttype": "none", "pdf.fonttype": 42}):
        for path, form, metadata in (
            (paths[0], "png", {"Software": None}),
            (paths[1], vector, {"Date": None} if vector == "svg" else {"CreationDate": None}),
        ):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=form, dpi=120, metadata=metadata)
            replace_file(path, buffer.getvalue())
    return paths


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches.

    Raises:
        AvlocError: matplotlib is not installed; the extra is named.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def _bar(place: Axes, event: Event, y: float, colour: str, duration_s: float, score_size: float) -> None:
    place.barh(
        y + 0.42, event.duration_s, 0.76, event.start_s, color=colour, alpha=0.85, edgecolor="white", linewidth=0.6
    )
    if not score_size:
        return
    inside = event.duration_s > 0.05 * duration_s
    at, ink = (event.start_s, "white") if inside else (event.end_s, colour)
    place.text(at, y + 0.44, f" {event.score:.2f}", fontsize=score_size, va="center", color=ink, clip_on=True)


def _legend(figure: Figure, entries: Sequence[tuple[str, str]]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=name) for name, colour in entries]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=7, frameon=False)
