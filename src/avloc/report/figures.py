"""Bars and lines as inline SVG that takes any width: shapes stretch, strokes and texts do not.

Texts stand beside the shapes as HTML. Colours come from classes of diagnosis.css.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: how long it is, the class of its colour, what it says when pointed at."""

    size: float
    colour: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a plot: its heights from left to right, the class of its colour, its name."""

    heights: Sequence[float]
    colour: str
    name: str


def bar(parts: Sequence[Part], whole: float, words: str, mark: float | None = None) -> str:
    """One horizontal bar of parts side by side, `whole` being the full width; `mark` is a line across it."""
    if not whole > 0:
        return f'<svg class="stack" viewBox="0 0 100 10" role="img" aria-label="{escape(words)}"></svg>'
    shapes, left = [], 0.0
    for part in parts:
        width = 100 * part.size / whole
        if width > 0:
            shapes.append(
                f'<rect class="{part.colour}" x="{left:.4g}" width="{width:.4g}" height="10">'
                f"<title>{escape(part.words)}</title></rect>"
            )
        left += width
    if mark is not None:
        at = 100 * mark / whole
        shapes.append(f'<path class="mark" d="M{at:.4g} 0V10"/>')
    return (
        '<svg class="stack" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(words)}">{"".join(shapes)}</svg>'
    )


def plot(lines: Sequence[Line], names: Sequence[str], words: str, unit: str = "") -> str:
    """Lines over equally spaced places with the names `names`; the vertical axis begins at 0."""
    highest = max((max(line.heights, default=0.0) for line in lines), default=0.0)
    ticks = axis(highest)
    top = ticks[-1]
    shapes = [f'<path class="rule" d="M0 {100 - 100 * t / top:.4g}H100"/>' for t in ticks]
    shapes += [_path(line, top, names, unit) for line in lines]
    marks = "".join(
        f'<span style="bottom:{100 * t / top:.4g}%">{t:g}{unit if i == len(ticks) - 1 else ""}</span>'
        for i, t in enumerate(ticks)
    )
    places = "".join(
        f'<span style="left:{_place(i, len(names)):.4g}%">{escape(n)}</span>' for i, n in enumerate(names)
    )
    return (
        f'<div class="plot"><div class="ordinate" aria-hidden="true">{marks}</div>'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="{escape(words)}">'
        f'{"".join(shapes)}</svg><div class="abscissa" aria-hidden="true">{places}</div></div>'
    )


def axis(highest: float, most: int = 5) -> list[float]:
    """Round numbers from 0 to `highest` or just above it, at most `most` steps."""
    if not highest > 0:
        return [0.0, 1.0]
    power = 10 ** math.floor(math.log10(highest / most))
    step = next(s * power for s in STEPS if highest <= most * s * power * (1 + 1e-9))
    return [k * step for k in range(math.ceil(highest / step - 1e-9) + 1)]


def _path(line: Line, top: float, names: Sequence[str], unit: str) -> str:
    points = [(_place(i, len(names)), 100 - 100 * h / top) for i, h in enumerate(line.heights)]
    if not points:
        return ""
    course = "L".join(f"{x:.4g} {y:.4g}" for x, y in points)
    # A line of no length with round ends is a dot that does not stretch with the plot.
    dots = "".join(
        f'<path class="dot" d="M{x:.4g} {y:.4g}h0"><title>{escape(f"{line.name}, {n}: {h:.2f}{unit}")}</title></path>'
        for (x, y), n, h in zip(points, names, line.heights, strict=True)
    )
    return f'<g class="{line.colour}"><path class="line" d="M{course}"/>{dots}</g>'


def _place(i: int, count: int) -> float:
    return 100 * (i + 0.5) / count
