"""Events on a terminal: a table, and a timeline of one line per class. Both fit the width they are given.

Where the terminal's encoding has no block characters, plain ASCII takes their place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from avloc.events import Events
from avloc.report.timeline import class_order, clock

BLOCKS = "▁▂▃▄▅▆▇█"
COLOURS = ("blue", "yellow", "green", "magenta", "cyan", "red", "bright_blue", "bright_yellow")
SCORE_CELLS = 8
NARROWEST_LINE = 10
WIDEST_NAME = 16  # or a third of the line, where that is more


def events_table(events: Events, *, title: str | None = None, most: int | None = None) -> Table:
    """The events in the order of time: start, end, length, class, score with a bar; a rich renderable.

    most: how many are shown; the surest are, and a line under the table counts the others.
    """
    table = Table(
        title=None if title is None else Text(clean(title)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    longest = max((len(clock(e.end_s, 2)) for e in events), default=0)
    for name, width in (("start", longest), ("end", longest), ("length", 6)):
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    table.add_column("class", overflow="fold", min_width=8)
    table.add_column("score", no_wrap=True, min_width=4)
    shown = events
    if most is not None and len(events) > most:
        shown = events.take(np.argsort(-events.score, kind="stable")[:most])
        table.caption = f"and {len(events) - most} more, less sure than these"
        table.caption_justify = "left"
    colours = _colours(events)
    for e in shown.by_time():
        table.add_row(
            clock(e.start_s, 2),
            clock(e.end_s, 2),
            f"{e.duration_s:.2f} s",
            _Name(e.label),
            _Score(e.score, colours[e.label]),
        )
    return table


@dataclass(frozen=True, slots=True)
class EventsTimeline:
    """A line per class over the video's duration; the height of a block is the score of the surest event there."""

    events: Events
    duration_s: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        labels = class_order(self.events)
        if not labels or not self.duration_s > 0:
            return
        names = [_fit_for(options, label) for label in labels]
        wide = min(max(cell_len(name) for name in names), max(WIDEST_NAME, options.max_width // 3))
        wide = max(0, min(wide, options.max_width - NARROWEST_LINE - 1))
        cells = max(1, options.max_width - wide - 1)
        colours = _colours(self.events)
        for label, name in zip(labels, names, strict=True):
            line = block_line(self.events, label, self.duration_s, cells, ascii_only=options.ascii_only)
            yield Segment(set_cell_size(name, wide) + " ")
            yield Segment(line, Style(color=colours[label]))
            yield Segment.line()
        end = clock(self.duration_s, 0 if self.duration_s >= 60 else 1)
        yield Segment(" " * (wide + 1) + f"0:00{end:>{max(0, cells - 4)}}"[:cells], Style(dim=True))
        yield Segment.line()


def block_line(events: Events, label: str, duration_s: float, cells: int, *, ascii_only: bool = False) -> str:
    """`cells` characters over [0, duration_s): the score of `label`'s surest event in each cell as a block.

    An event that covers no cell by half is shown in the cell of its middle. In ASCII: `#` sure (score of 0.5 or
    more), `=` less so, `.` nothing.
    """
    scores = np.zeros(cells)
    for e in events.take([name == label for name in events.labels]) if len(events) else ():
        first, end = (round(cells * min(max(t, 0.0), duration_s) / duration_s) for t in (e.start_s, e.end_s))
        if first == end:
            middle = (e.start_s + e.end_s) / 2
            first = min(max(int(cells * middle / duration_s), 0), cells - 1)
            end = first + 1
        scores[first:end] = np.maximum(scores[first:end], max(e.score, 1e-9))
    if ascii_only:
        return "".join("." if s == 0 else "#" if s >= 0.5 else "=" for s in scores)
    return "".join("·" if s == 0 else BLOCKS[min(int(s * len(BLOCKS)), len(BLOCKS) - 1)] for s in scores)


def clean(text: str) -> str:
    """`text` without what would steer a terminal: each control or other unprintable character becomes "?"."""
    return "".join(c if c.isprintable() else "?" for c in text)


@dataclass(frozen=True, slots=True)
class _Name:
    label: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(_fit_for(options, self.label), overflow="fold")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, Text(_fit_for(options, self.label)))


@dataclass(frozen=True, slots=True)
class _Score:
    score: float
    colour: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        full, empty = ("#", ".") if options.ascii_only else ("━", "╌")
        number = f"{self.score:.2f}"
        cells = max(0, min(SCORE_CELLS, options.max_width - len(number) - 1))
        n = round(cells * min(max(self.score, 0.0), 1.0))
        yield Text.assemble(
            number, " " * bool(cells), (full * n, self.colour), (empty * (cells - n), "dim"), no_wrap=True, end=""
        )

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = len(f"{self.score:.2f}")
        return Measurement(width, width + 1 + SCORE_CELLS)


def _fit_for(options: ConsoleOptions, label: str) -> str:
    name = clean(label)
    return name.encode("ascii", "replace").decode() if options.ascii_only else name


def _colours(events: Events) -> dict[str, str]:
    return {label: COLOURS[k % len(COLOURS)] for k, label in enumerate(class_order(events))}
