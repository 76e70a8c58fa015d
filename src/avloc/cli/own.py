"""What `avloc train default` and `avloc check-data --videos` show: labels and videos on the way to a model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.table import Table

from avloc.cli.console import screen_console
from avloc.cli.inputs import find_videos
from avloc.cli.predictions import counted
from avloc.cli.stages import Stages
from avloc.errors import MediaError, OutputError, one_line
from avloc.lock import locked
from avloc.own.check import OwnReport
from avloc.own.config import OwnConfig, require_named
from avloc.own.extract import Done
from avloc.own.matching import VideoFile
from avloc.scale.batch import LOCK

if TYPE_CHECKING:
    from avloc.own.figures import Figures
    from avloc.own.train import OwnResult

_MOST_SHOWN = 20


def own_videos(folder: str) -> list[VideoFile]:
    """The videos of a folder, at any depth.

    Raises:
        MediaError: it is no folder, or holds no video.
    """
    if not Path(folder).is_dir():
        raise MediaError(f"{folder}: is no folder; name the folder of the labelled videos")
    return [VideoFile(video.path, video.stem) for video in find_videos([Path(folder)])]


def train_own_model(config: OwnConfig, out: Path, resume: bool, device: Literal["auto", "cpu", "cuda"]) -> int:
    """Labels and videos to a model folder; the exit status."""
    from avloc.own.train import OwnWatch, train_own

    require_named(config)
    config = _with_absolute_paths(config)
    screen = screen_console()
    with locked(out / LOCK) as mine, _Watch(screen).shown() as watch:
        if not mine:
            raise OutputError(f"{out}: another run works there; wait for its end, or give another folder")
        seen = OwnWatch(watch.on_check, watch.on_extract, watch.on_stage, watch.on_step, watch.on_note)
        try:
            videos = own_videos(config.data.videos)
            result = train_own(config, out, videos, resume=resume, device=device, watch=seen)
        except KeyboardInterrupt:
            watch.progress.stop()
            print(f"avloc: stopped; the same command with --resume goes on ({out})", file=sys.stderr)
            return 130
    _show_result(screen, result)
    return 0


def _with_absolute_paths(config: OwnConfig) -> OwnConfig:
    d = config.data
    paths = {name: getattr(d, name) for name in ("annotations", "videos", "features")}
    absolute = {name: str(Path(path).resolve()) if path else "" for name, path in paths.items()}
    start = str(Path(config.start).resolve()) if Path(config.start).is_dir() else config.start
    return replace(config, start=start, data=replace(d, **absolute))


def _show_result(screen: Console, result: OwnResult) -> None:
    for what, figures in ((result.how, result.figures), ("test videos", result.test)):
        if figures is not None:
            screen.print(_figures(what, figures), markup=False, soft_wrap=True)
    if result.figures is not None:
        weakest = sorted(result.figures.by_label.items(), key=lambda item: item[1])[:_MOST_SHOWN]
        by_label = ", ".join(f"{label} {100 * score:.0f}" for label, score in weakest)
        screen.print(f"by class, weakest first: {by_label}", markup=False, soft_wrap=True)
    screen.print(f"events are shown from score {result.show_score:g} on", markup=False, soft_wrap=True)
    screen.print(f"model: {result.folder} (its card: README.md)", markup=False, soft_wrap=True)


def _figures(what: str, f: Figures) -> str:
    folds = f", by fold {100 * f.fold_mean:.1f} ± {100 * f.fold_spread:.1f}" if f.folds else ""
    return (
        f"{what}: mAP {100 * f.average:.1f}{folds}; {100 * f.at_half:.1f} at tIoU 0.5 "
        f"({f.events} events in {f.videos} videos)"
    )


class _Watch(Stages):
    def on_check(self, done: int, count: int) -> None:
        self.update("looking over the videos", done, count, "")

    def on_extract(self, done: Done) -> None:
        left = self.going("features", done.seconds, done.of_seconds)
        place = f"[{done.number}/{done.count}] {done.video}"
        self.update(f"features {place}", done.seconds, done.of_seconds, left)
        self.line(f"features of video {done.number} of {done.count}{left and ', ' + left}")

    def on_stage(self, name: str, number: int, count: int) -> None:
        what = "all videos to train on" if number == count else f"{name}, to measure"
        self.training(name, number, count, what)


def show_own_report(screen: Console, report: OwnReport, show_problems: Callable[[Console], None]) -> None:
    """Print what `look_over` found."""
    screen.print(f"{report.labels} with {report.folder}", style="bold", markup=False, soft_wrap=True)
    parts = ", ".join(f"{count} {name or 'without a subset'}" for name, count in report.subsets.items())
    screen.print(
        f"{counted(report.videos, 'video')}{parts and f' ({parts})'}, {report.seconds / 3600:.2f} hours; "
        f"{counted(report.events, 'event')}; {counted(report.without_event, 'video')} without one",
        markup=False,
        soft_wrap=True,
    )
    v, e = report.video_s, report.event_s
    screen.print(f"videos are {v.least:.1f} to {v.most:.1f} s long, {v.median:.1f} s in the median", soft_wrap=True)
    screen.print(f"events are {e.least:.1f} to {e.most:.1f} s long, {e.median:.1f} s in the median", soft_wrap=True)
    table = Table(title=counted(len(report.classes), "class", "classes"), title_justify="left", title_style="bold")
    for i, column in enumerate(("class", "events", "videos", "shortest, s", "median, s", "longest, s")):
        table.add_column(column, justify="right" if i else "left", overflow="fold")
    for label, count in report.classes.items():
        s = count.event_s
        lengths = (f"{x:.1f}" for x in (s.least, s.median, s.most))
        table.add_row(one_line(label).replace("[", r"\["), str(count.events), str(count.videos), *lengths)
    screen.print(table)
    if report.few:
        named = one_line(", ".join(report.few))
        screen.print(f"fewer than 3 events, too few to learn: {named}", style="yellow", markup=False, soft_wrap=True)
    if report.unlabelled:
        named = one_line(", ".join(report.unlabelled[:_MOST_SHOWN]))
        more = f" and {len(report.unlabelled) - _MOST_SHOWN} more" if len(report.unlabelled) > _MOST_SHOWN else ""
        screen.print(
            f"without a label and left out: {counted(len(report.unlabelled), 'video')}: {named}{more}",
            markup=False,
            soft_wrap=True,
        )
    show_problems(screen)
