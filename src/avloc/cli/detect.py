"""`avloc detect`: videos > events on the terminal, in a JSON file, and on a page."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console

from avloc import __version__, zoo
from avloc.cli.batch import BatchFlags, run_batch
from avloc.cli.console import error_console, screen_console
from avloc.cli.grammar import Paths
from avloc.cli.inputs import Video, find_videos, require_least_score, require_writable
from avloc.cli.pages import DetectionPage
from avloc.cli.progress import following
from avloc.errors import AvlocError, one_line
from avloc.events import Events
from avloc.features.extractors.build import is_brought
from avloc.media.probe import probe
from avloc.report.page import summary
from avloc.report.terminal import EventsTimeline, events_table
from avloc.scale.detect import Detect, Detected
from avloc.scale.work import Task, content_of

_MOST_SHOWN = 100


def detect(
    videos: Paths,
    model: str = "default",
    out: Path | None = None,
    report: Path | None = None,
    inline: bool = False,
    min_score: float | None = None,
    all: bool = False,
    weights: Path | None = None,
    threads: int = 0,
    workers: int | None = None,
    time_limit: float | None = None,
    retry_failed: bool = False,
) -> int:
    """Find the events of videos that are seen and heard at once.

    Each video's events go to NAME.events.json (seconds, label, score) beside the video, or into --out. A folder of
    results also holds events.csv, all events in one table, and manifest.jsonl, what became of each video; the same
    command goes on where a stopped run was.

    examples:
      avloc detect my.mp4
      avloc detect my.mp4 --report out/
      avloc detect videos/ --out results/ --min-score 0.5
      avloc detect videos/ --out results/ --workers 2 --time-limit 3600

    Args:
        videos: Video files, or folders of videos.
        model: Name of a shipped model, or a model folder.
        out: Folder for the JSON files; without it each lies beside its video.
        report: Folder for a page per video: NAME.html, which works offline.
        inline: Put the video inside its page instead of a link to it.
        min_score: Least score of an event; without it the model's own threshold.
        all: Write all candidates to the JSON file, as evaluation wants them.
        weights: Folder of the encoders' weights, for models that read i3d-vggish or onepeace; see avloc weights.
        threads: CPU threads for the networks; 0 takes all cores, or one for each worker.
        workers: Processes that work side by side on many videos, with --out; unless given, a core each, at most 4.
        time_limit: Seconds after which a video is given up, with --out.
        retry_failed: Try again what failed in an earlier run into --out.
    """
    require_least_score(min_score)
    flags = BatchFlags(out, threads, workers, time_limit, retry_failed)
    found = find_videos(videos)
    for folder in (out, report):
        if folder is not None:
            require_writable(folder)
    made_by = f"avloc {__version__}"
    pages = partial(DetectionPage, inline=inline, made_by=made_by)
    work = Detect(zoo.find_model(model), min_score, all, made_by, threads, pages, weights)
    folder = flags.folder(len(found), work.manifest)
    if folder is None:
        return _one_by_one(found, out, report, work)
    # One thread unless asked for: sums in another order differ in the last digit, and the files would too.
    large = is_brought(work.config.features.read)
    flags = flags.sparing() if large else flags
    work = replace(work, threads=flags.share if large else threads or 1)
    return run_batch(found, folder, work, flags, said=_said, report=report)


def _said(done: Detected) -> str:
    return "; ".join([summary(done.events, done.duration_s), *done.notes])


def _one_by_one(found: Sequence[Video], out: Path | None, report: Path | None, work: Detect) -> int:
    """Videos in this process, each made anew, its events on the screen."""
    work.load()
    screen, errors = screen_console(), error_console()
    problems: list[str] = []
    for number, video in enumerate(found, 1):
        stem = video.stem
        folder = video.path.parent if out is None else (out / stem).parent
        page = None if report is None else (report / stem).with_name(f"{stem.name}.html")
        task = Task(video.path, folder / f"{stem.name}{work.ending}", page)
        try:
            _run(task, work, screen, errors, number, len(found))
        except AvlocError as error:
            problems.append(str(error))
            if len(found) > 1:
                screen.print(f"{one_line(video.path.name)}: no result", style="yellow", markup=False)
    if len(found) > 1:
        done = len(found) - len(problems)
        screen.print(f"{done} of {len(found)} videos done" + (f", {len(problems)} not:" if problems else "."))
    for problem in problems:
        print(f"avloc: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _run(task: Task, work: Detect, screen: Console, errors: Console, number: int, count: int) -> None:
    began = time.perf_counter()
    info = probe(task.video)
    with following(errors, number, count, info) as on_seconds:
        found = work.find(task, info, content_of(task.video), lambda seconds, of: on_seconds(seconds))
    took_s = time.perf_counter() - began
    # A full disk does not keep the events from the screen, nor a closed pipe keep them from the disk.
    try:
        _show(screen, task.video.name, found.shown, found.detection.duration_s, took_s)
        for note in found.detection.notes:
            screen.print(f"note:   {note}", markup=False, soft_wrap=True)
    finally:
        work.write(found)
    screen.print(f"events: {one_line(str(task.result))}", markup=False, soft_wrap=True)
    if task.page is not None:
        screen.print(f"page:   {one_line(str(task.page))}", markup=False, soft_wrap=True)


def _show(screen: Console, name: str, events: Events, duration_s: float, took_s: float) -> None:
    speed = f"{duration_s / took_s:.0f}x real time" if took_s > 0 else ""
    head = f"{one_line(name)}: {summary(events, duration_s)} ({took_s:.1f} s, {speed})"
    screen.print(head, style="bold", markup=False, soft_wrap=True)
    if len(events):
        screen.print(events_table(events, most=_MOST_SHOWN))
        screen.print(EventsTimeline(events, duration_s))
