"""`avloc check-data`: a data set looked over before training."""

from __future__ import annotations

import json as json_text
import math
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.table import Table

from avloc.cli.console import error_console, is_unicode, screen_console
from avloc.cli.own import own_videos, show_own_report
from avloc.cli.predictions import counted
from avloc.cli.progress import counting
from avloc.datasets.annotations import Annotations, read_annotations
from avloc.datasets.check import Problem, Report, Spread, check_dataset
from avloc.datasets.levels import LevelCount
from avloc.datasets.released import RELEASED
from avloc.errors import AvlocError
from avloc.features.layout import open_layout
from avloc.own.check import OwnReport, look_over

_MOST_SHOWN = 20
_EXTREMES = 3
_MOST_LEVELS = 10


def check_data(
    data: Annotated[
        Literal["unav100", "activitynet", "thumos14", "desed", "ave", "llp", "epic-sounds", "ov-ave", "own"],
        tyro.conf.Positional,
    ],
    annotations: Path,
    features: Path | None = None,
    videos: Path | None = None,
    layout: Literal["onepeace", "i3d-vggish", "onepeace-activitynet", "i3d-thumos14", "avloc"] | None = None,
    split: tuple[str, ...] = (),
    levels: int = 6,
    first_reach: float = 4.0,
    quick: bool = False,
    json: bool = False,
) -> int:
    """Look over annotations and features, or labels and videos, and list all that is wrong.

    Videos, events, classes, durations; how events fall on the levels of the pyramid, and which settings of it would
    suit them; missing and odd files, wrong
    widths, values that are not finite, lengths that contradict stride and duration (the stride that would fit is
    named), unknown labels, events past the end. With --videos: names without a video, videos that cannot be read,
    classes with few events. The exit status is 1 if anything is wrong.

    examples:
      avloc check-data own --annotations my_labels.csv --videos videos/
      avloc check-data unav100 --features onepeace/ --annotations unav100_annotations.json
      avloc check-data activitynet --features av_features/ --annotations activity_net.v1-3.min.json
      avloc check-data ave --features onepeace/ --annotations AVE_Dataset/
      avloc check-data desed --features av_features/ --annotations DESED/metadata/
      avloc check-data own --features features/ --annotations mine.csv --layout avloc

    Args:
        data: Which subsets are needed, and the usual layout; own data need training alone.
        annotations: JSON in the form of ActivityNet, CSV with the columns video, start, end, label and perhaps
            duration and subset, or the files of a data set as published (docs/data.md); with --videos a file of any
            format, or a folder with a file for each video.
        features: Folder of the feature files.
        videos: Folder of the videos, instead of features.
        layout: Names, widths and grid of the feature files; without it as they were released with the data.
        split: Only these splits.
        levels: Levels of the pyramid that the table is of.
        first_reach: Largest distance to an event's ends, in steps, that its finest level answers for.
        quick: Read headers alone: seconds instead of minutes, and values that are not finite stay unseen.
        json: Print the report as JSON.
    """
    if (features is None) == (videos is None):
        raise AvlocError("check-data needs one of --features and --videos; see avloc check-data --help")
    if features is None:
        return _check_videos(annotations, str(videos), json)
    if not 1 <= levels <= _MOST_LEVELS or not 0 < first_reach < math.inf:
        raise AvlocError(
            f"--levels is {levels} and --first-reach {first_reach:g}; 1 to {_MOST_LEVELS} levels and steps above 0 "
            "are needed"
        )
    released = RELEASED[data]
    truth = read_annotations(annotations, strict=False)
    with counting(error_console(), "videos") as on_progress:
        report = check_dataset(
            truth,
            features,
            open_layout(features, layout or released.layout),
            splits=split or None,
            needed=split or released.subsets,
            levels=levels,
            first_reach=first_reach,
            quick=quick,
            forgiving=released.forgiving,
            on_progress=on_progress,
        )
    if json:
        _print_json(report)
    else:
        _show(screen_console(), report, truth)
    return 0 if report.ok else 1


def _check_videos(labels: Path, folder: str, json: bool) -> int:
    with counting(error_console(), "videos") as on_progress:
        report = look_over(labels, folder, own_videos(folder), on_progress).report
    if json:
        _print_json(report)
    else:
        how = "the heads of the videos were read"
        show_own_report(screen_console(), report, lambda screen: _show_problems(screen, report.problems, how))
    return 0 if report.ok else 1


def _print_json(report: Report | OwnReport) -> None:
    json_text.dump(report.to_dict(), sys.stdout, indent=1, ensure_ascii=not is_unicode())
    print()


def _show(screen: Console, report: Report, truth: Annotations) -> None:
    screen.print(f"{report.annotations} with {report.folder}", style="bold", markup=False, soft_wrap=True)
    screen.print(
        f"layout {report.layout}: width {report.widths[0]} seen, {report.widths[1]} heard; {_grid(report)}",
        soft_wrap=True,
    )
    screen.print(_splits(report))
    screen.print(_spreads(report))
    screen.print(_levels(report))
    lost = report.unreachable / max(report.events, 1)
    screen.print(f"{report.unreachable} events ({lost:.2%}) have no positive moment on any level.")
    if report.suggestion is not None:
        screen.print(f"Settings that suit these lengths: {report.suggestion.flags}", markup=False, soft_wrap=True)
    ranked = [f"{label} {count}" for label, count in report.events_by_class.items()]
    screen.print(
        f"{len(truth.labels)} classes; most events: {', '.join(ranked[:_EXTREMES])}; "
        f"fewest: {', '.join(ranked[-_EXTREMES:])}",
        markup=False,
    )
    if report.unannotated:
        screen.print(f"{report.unannotated} videos have features and no annotation: they are left out.")
    if report.remarks:
        screen.print(
            f"{counted(len(report.remarks), 'event')} past the end of a video, or of no length: left as released."
        )
    how = "every value is finite" if report.values_read else "headers alone were read"
    _show_problems(screen, report.problems, how)


def _show_problems(screen: Console, problems: tuple[Problem, ...], how: str) -> None:
    if not problems:
        screen.print(f"Nothing is wrong ({how}).", style="green")
        return
    screen.print(f"{counted(len(problems), 'problem')}:", style="red")
    for kind in dict.fromkeys(problem.kind for problem in problems):
        mine = [problem for problem in problems if problem.kind == kind]
        screen.print(f"{kind}: {len(mine)}", style="bold")
        for problem in mine[:_MOST_SHOWN]:
            screen.print(f"  {problem}", markup=False, soft_wrap=True)
        if len(mine) > _MOST_SHOWN:
            screen.print(f"  ... and {len(mine) - _MOST_SHOWN} more (all with --json)")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for i, name in enumerate(columns):
        table.add_column(name, justify="left" if i == 0 else "right")
    return table


def _grid(report: Report) -> str:
    stride_s = report.grid.stride_s
    if report.rescaled_steps is None:
        return f"a step every {stride_s:g} s, windows of {report.grid.window_s:g} s"
    return f"{report.rescaled_steps} steps a video, of {stride_s:.3g} s in one of median length, as below"


def _splits(report: Report) -> Table:
    table = _table("Splits", "split", "videos", "without event", "events", "classes", "hours")
    for s in report.splits:
        row = (s.videos, s.without_event, s.events, s.classes)
        table.add_row(s.subset, *(f"{n:,}" for n in row), f"{s.seconds / 3600:.1f}")
    return table


def _spreads(report: Report) -> Table:
    table = _table("Lengths", "", "least", "median", "mean", "most")

    def add(name: str, spread: Spread) -> None:
        table.add_row(name, *(f"{v:,.1f}" for v in (spread.least, spread.median, spread.mean, spread.most)))

    add("video, s", report.video_s)
    add("event, s", report.event_s)
    add("features, steps", report.steps)
    return table


def _levels(report: Report) -> Table:
    table = _table("Levels of the pyramid", "level", "stride, s", "farther end within, s", "events", "moments")
    for level in report.levels:
        table.add_row(
            str(level.level), f"{level.stride_s:.4g}", _reach(level), f"{level.events:,}", f"{level.moments:,}"
        )
    return table


def _reach(level: LevelCount) -> str:
    low, high = level.reach_s
    return f"{low:.4g} to {high:.4g}" if math.isfinite(high) else f"from {low:.4g}"
