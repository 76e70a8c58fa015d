"""`avloc compare`: two files of detections and truth > which is better, by how much, and whether it may be chance."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from avloc import __version__
from avloc.cli.against import Against, hold_against, read_goal
from avloc.cli.console import screen_console
from avloc.cli.grammar import Annotator, Fps, Tiers, chosen
from avloc.cli.inputs import require_writable
from avloc.cli.predictions import counted
from avloc.cli.score_tables import fitting, percent, print_json, score_table, tiou_name
from avloc.errors import AvlocError
from avloc.evaluation.comparison import Comparison, Paired
from avloc.evaluation.comparison import compare as compared
from avloc.evaluation.matching import THRESHOLDS, match
from avloc.report.comparison_figure import comparison_figure, most_changed
from avloc.report.paper_figures import require_matplotlib, save

_MOST_CLASSES = 20
_MOST_DRAWS = 100_000
_SURE = 0.05


def compare(
    first: Annotated[Path, tyro.conf.Positional],
    second: Annotated[Path, tyro.conf.Positional],
    truth: Path,
    split: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    figure: Path | None = None,
    json: bool = False,
    per_class: bool = False,
    draws: int = 1000,
    seed: int = 0,
    thresholds: Annotated[tuple[float, ...] | None, tyro.conf.arg(metavar="TIOU [TIOU ...]")] = None,
    split_only: bool = False,
    strict: bool = False,
    tier: Tiers = (),
    annotator: Annotator = None,
    fps: Fps = None,
) -> int:
    """Compare two detectors on the same videos: paired bootstrap of mAP, of each threshold and of each class.

    Videos are drawn with replacement, and both are scored on the same draws. The interval says how far the difference
    moves with other videos of the kind; p is the share of draws that stray as far as the difference lies from zero.
    Both are read as `avloc evaluate` reads predictions, in any of its forms.

    examples:
      avloc compare loco.json unav.json --truth unav100_annotations.json --split test
      avloc compare old/test.predictions.json new/test.predictions.json --truth truth.json --figure change.svg
      avloc compare a.json b.json --truth truth.json --per-class
      avloc compare a.json b.json --truth truth.json --json > change.json

    Args:
        first: File or folder of detections: A.
        second: File or folder of detections: B.
        truth: Annotations, as for `avloc evaluate`.
        split: Subset of the truth; without it all of it.
        figure: Draw the comparison into this file, or into compare.svg of this folder; PNG and SVG (or, by the
            ending .pdf, PDF) are written.
        json: Print JSON alone; shares of one instead of percent.
        per_class: Print every class, not only those that change most.
        draws: Draws of videos.
        seed: Seed of the draws.
        thresholds: tIoU thresholds; the average is over all of them. Without it 0.1, 0.2, ... 0.9.
        split_only: Leave predictions for videos outside the split out, instead of counting them as false.
        strict: Refuse odd entries, missing and unknown videos and unknown labels, instead of telling them.
        tier: Tiers of ELAN and Praat files to read; without it all that have times.
        annotator: Whose answers to read of Label Studio files of several annotators: number, address or name.
        fps: Frame rate of the videos, for files that count frames (timecodes, EDL, Label Studio, FiftyOne).
    """
    if not 1 <= draws <= _MOST_DRAWS:
        raise AvlocError(f"--draws is {draws}; a number from 1 to {_MOST_DRAWS} is needed, such as 1000")
    if seed < 0:
        raise AvlocError(f"--seed is {seed}; a number of 0 or more is needed")
    if figure is not None:
        require_matplotlib()
        figure = figure / "compare.svg" if figure.is_dir() else figure
        require_writable(figure.parent)
    choices = chosen(fps, tier, annotator)
    goal = read_goal(truth, split, choices)
    held = [
        hold_against(path, goal, strict=strict, split_only=split_only, choices=choices) for path in (first, second)
    ]
    try:
        matches = [match(one.detections, one.truth, thresholds or THRESHOLDS) for one in held]
    except ValueError as error:
        raise AvlocError(f"--thresholds: {error}") from None
    result = _Result((first, second), (held[0], held[1]), compared(matches[0], matches[1], draws, seed))
    for note in result.notes():
        print(f"avloc: {note}", file=sys.stderr)
    written = () if figure is None else _draw(figure, result, split)
    if json:
        print_json(result.plain() | {"split": split, "seed": seed, "made_by": f"avloc {__version__}"})
        return 0
    screen = screen_console()
    result.show(screen, split, per_class)
    for path in written:
        screen.print(f"figure: {path}", markup=False, soft_wrap=True)
    return 0


def _draw(path: Path, result: _Result, split: str | None) -> tuple[Path, Path]:
    known = path.suffix.lower() in (".svg", ".png", ".pdf")
    title = f"{counted(len(result.held[0].truth), 'video')}{f' of {split}' if split else ''}: {result.verdict()}"
    drawn = comparison_figure(
        result.comparison, ("A", "B"), f"A: {result.names()[0]}, B: {result.names()[1]}\n{title}"
    )
    return save(drawn, path.with_suffix("") if known else path, "pdf" if path.suffix.lower() == ".pdf" else "svg")


@dataclass(frozen=True, slots=True)
class _Result:
    paths: tuple[Path, Path]
    held: tuple[Against, Against]
    comparison: Comparison

    def names(self) -> tuple[str, str]:
        """The ends of both paths from where they differ."""
        parts = [path.resolve().parts for path in self.paths]
        for n in range(1, min(map(len, parts)) + 1):
            if parts[0][-n:] != parts[1][-n:]:
                return "/".join(parts[0][-n:]), "/".join(parts[1][-n:])
        return self.paths[0].name, self.paths[1].name

    def notes(self) -> list[str]:
        """What is to be said of both once, and of either with its letter."""
        first, second = (one.notes for one in self.held)
        both = [note for note in first if note in second]
        alone = [(name, note) for name, notes in zip("AB", (first, second), strict=True) for note in notes]
        return both + [f"{name}: {note}" for name, note in alone if note not in both]

    def verdict(self) -> str:
        """One sentence on the average."""
        of = self.comparison.average
        change = float(of.difference[0])
        span = f"95 % {100 * of.low[0]:+.2f} to {100 * of.high[0]:+.2f}, p {_p(of.p[0])}"
        if of.p[0] < _SURE:
            better, worse = ("B", "A") if change > 0 else ("A", "B")
            said = "" if better == "B" else "B less A "
            return f"{better} is better than {worse} by {100 * abs(change):.2f} points of average mAP ({said}{span})"
        return f"no sure difference: B less A {100 * change:+.2f} points of average mAP ({span})"

    def plain(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        of = self.comparison
        limits = map(tiou_name, of.thresholds)
        classes = {
            label: _plain(of.by_label, k) | {"events": int(of.truth_count[k])} for k, label in enumerate(of.labels)
        }
        return {
            "first": str(self.paths[0]),
            "second": str(self.paths[1]),
            "difference": "second less first",
            "average_mAP": _plain(of.average, 0),
            "mAP": {name: _plain(of.by_threshold, t) for t, name in enumerate(limits)},
            "per_class": classes,
            "videos": len(self.held[0].truth),
            "events": int(of.truth_count.sum()),
            "classes": len(of.labels),
            "draws": of.draws,
            "notes": self.notes(),
        }

    def show(self, screen: Console, split: str | None, per_class: bool) -> None:
        """Tables in percent."""
        of = self.comparison
        for letter, path in zip("AB", self.paths, strict=True):
            screen.print(Text(f"{letter}: {path}"), soft_wrap=True)
        videos = counted(len(self.held[0].truth), "video") + (f" of {split}" if split else "")
        events = f"{counted(int(of.truth_count.sum()), 'event')} of {counted(len(of.labels), 'class', 'classes')}"
        screen.print(Text(f"{videos}, {events}; {counted(of.draws, 'draw')} of videos"), soft_wrap=True)
        screen.print(Text(self.verdict(), style="bold"), soft_wrap=True)
        table = score_table("mAP, %", "tIoU", *_COLUMNS)
        for t, limit in enumerate(of.thresholds):
            table.add_row(tiou_name(limit), *_row(of.by_threshold, t))
        table.add_row("average", *_row(of.average, 0), style="bold")
        screen.print(table)
        rows = most_changed(of.by_label, len(of.labels) if per_class else _MOST_CLASSES)
        screen.print(fitting(screen, [self._classes(rows, shown) for shown in (_CLASS_COLUMNS, _COLUMNS, _FEW)]))
        sure = int((of.by_label.p < _SURE).sum())
        by_chance = f"{_SURE * len(of.labels):.2g}"
        screen.print(
            f"p: two-sided. Of {counted(len(of.labels), 'class', 'classes')} {sure} "
            f"{'has' if sure == 1 else 'have'} p below {_SURE:g}; {by_chance} would by chance alone.",
            soft_wrap=True,
        )

    def _classes(self, rows: list[int], shown: tuple[str, ...]) -> Table:
        of = self.comparison
        some = "" if len(rows) == len(of.labels) else f": the {len(rows)} of {len(of.labels)} that change most"
        longest = max((len(of.labels[k]) for k in rows), default=0)
        table = score_table(f"average precision by class, %{some}", "class", *shown, least=min(longest, 18))
        for i, k in enumerate(rows):
            if some and i == len(rows) // 2:
                table.add_row("...")
            cells = dict(zip(_CLASS_COLUMNS, (str(of.truth_count[k]), *_row(of.by_label, k)), strict=True))
            table.add_row(Text(of.labels[k]), *(cells[name] for name in shown))
        return table


_COLUMNS = ("A", "B", "B - A", "95 %", "p")
_CLASS_COLUMNS = ("events", *_COLUMNS)
_FEW = ("B - A", "95 %", "p")


def _row(of: Paired, k: int) -> tuple[str, ...]:
    """The cells of one number."""
    change = f"{100 * of.difference[k]:+.2f}"
    span = "" if math.isnan(of.low[k]) else f"{100 * of.low[k]:+.2f} to {100 * of.high[k]:+.2f}"
    return percent(of.first[k]), percent(of.second[k]), change, span, _p(of.p[k])


def _p(p: float) -> str:
    if math.isnan(p):
        return ""
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def _plain(of: Paired, k: int) -> dict[str, Any]:
    """One number as JSON has it; null where no draw told."""
    known = not math.isnan(of.p[k])
    return {
        "first": float(of.first[k]),
        "second": float(of.second[k]),
        "difference": float(of.difference[k]),
        "interval_95": [float(of.low[k]), float(of.high[k])] if known else None,
        "p": float(of.p[k]) if known else None,
    }
