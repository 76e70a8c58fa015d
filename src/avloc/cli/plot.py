"""`avloc plot`: runs and detections of several methods > figures of a paper's size, as PNG and as vectors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from avloc.cli.console import screen_console
from avloc.cli.grammar import Paths
from avloc.cli.inputs import require_writable
from avloc.cli.plotted import Method, Scored, gathered, scored
from avloc.errors import AvlocError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from avloc.report.method_figures import Columns

Kind = Literal["curves", "tiou", "classes", "sensitivity", "reliability", "timeline"]
_THRESHOLD = 0.5


def plot(
    runs: Paths,
    truth: Path | None = None,
    split: str | None = None,
    figures: Annotated[tuple[Kind, ...], tyro.conf.arg(metavar="FIGURE [FIGURE ...]")] = (),
    columns: tuple[Literal[1, 2], ...] = (1, 2),
    video: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    classes: int = 40,
    names: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")] = (),
    vector: Literal["pdf", "svg"] = "pdf",
    out: Path = Path("figures"),
) -> int:
    """Draw runs beside one another: curves of training, mAP over tIoU, classes, sensitivity, reliability, timelines.

    A run is a folder of `avloc train`, tested by `avloc test`, or a file of detections of any program. Runs of one
    row of a grid or a sweep are seeds of one method: means over them are drawn. Each figure is made one and two
    columns wide (3.5 and 7.16 inches), as PNG and as PDF or SVG.

    examples:
      avloc plot runs/*
      avloc plot grid/runs/* --figures curves tiou --out figures/
      avloc plot runs/loco runs/unav --figures classes sensitivity reliability --columns 2
      avloc plot a.json b.json --truth unav100_annotations.json --names UnAV ours --figures classes timeline

    Args:
        runs: Folders of runs, or files of detections.
        truth: Annotations; without it those of the first run, and runs on others are in the curves alone.
        split: Subset that detections are of; of a run its file SPLIT.predictions.json is read. Without it what the
            data set of the first run calls its test split.
        figures: curves, tiou, classes (of the first two methods), sensitivity, reliability, timeline; without it all
            that the runs have something for.
        columns: How many columns wide.
        video: Video of the timeline; without it one with many classes and few events, chosen by the truth alone.
        classes: Most classes to draw; of more those that change most.
        names: Names of the methods, in the order of the runs.
        vector: Form beside PNG.
        out: Folder of the figures.
    """
    from avloc.report.paper_figures import require_matplotlib, save

    require_matplotlib()
    screen = screen_console()
    methods = gathered(
        runs, split, names, lambda line: screen.print(f"left out: {line}", markup=False, soft_wrap=True)
    )
    require_writable(out)
    drawn = 0
    made = scored(methods, truth, split, _say) if set(figures) != {"curves"} else None
    for kind in figures or _ALL:
        reason = _lacking(kind, methods, made)
        if reason:
            if figures:
                raise AvlocError(f"--figures {kind}: {reason}")
            screen.print(f"no {kind}: {reason}", markup=False, soft_wrap=True)
            continue
        for width in dict.fromkeys(columns):
            for path in save(_draw(kind, methods, made, width, video, classes), out / f"{kind}-{width}col", vector):
                screen.print(f"figure: {path}", markup=False, soft_wrap=True)
                drawn += 1
    return 0 if drawn else 1


def _say(note: str) -> None:
    print(f"avloc: {note}", file=sys.stderr)


_ALL: tuple[Kind, ...] = ("curves", "tiou", "classes", "sensitivity", "reliability", "timeline")


def _lacking(kind: Kind, methods: list[Method], made: Scored | None) -> str:
    """Why a figure cannot be drawn; empty where it can."""
    if kind == "curves":
        return "" if any(method.curves for method in methods) else "no run has metrics of a training"
    if made is None or not made.found:
        return "no run has detections; make them with `avloc test RUN`"
    if kind == "classes" and len(made.found) < 2:
        return "two methods with detections are needed"
    return ""


def _draw(
    kind: Kind, methods: list[Method], made: Scored | None, columns: Columns, video: str | None, classes: int
) -> Figure:
    from avloc.report import method_figures as draw
    from avloc.report.paper_figures import timeline_figure

    if kind == "curves":
        return draw.curves_figure([draw.Curves(m.title, m.curves) for m in methods if m.curves], columns)
    assert made is not None
    if kind == "tiou":
        return draw.tiou_figure(made.by_threshold(), made.thresholds, columns)
    if kind == "classes":
        ap = made.by_label()
        (first, second), names = list(ap.values())[:2], list(ap)[:2]
        return draw.classes_figure(made.labels, first, second, (names[0], names[1]), columns, classes)
    if kind == "sensitivity":
        return draw.sensitivity_figure(made.sensitivity(), columns)
    if kind == "reliability":
        return draw.reliability_figure(made.reliability(_THRESHOLD), _THRESHOLD, columns)
    name, events, shown, duration_s = made.timeline(video)
    width_in = draw.WIDTH_IN[columns]
    return timeline_figure(events, shown, duration_s, f"{name}: the surest of each", width_in)
