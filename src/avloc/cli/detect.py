"""`avloc detect`: videos > events on the terminal, in a JSON file, and on a page."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from avloc import __version__, zoo
from avloc.cli.batch import BatchFlags, run_batch
from avloc.cli.console import error_console, screen_console
from avloc.cli.detect_flags import DetectFlags, Flags
from avloc.cli.grammar import Paths
from avloc.cli.inputs import Video, find_videos, require_writable, with_left_out
from avloc.cli.page_media import PageVideo, proxy_of
from avloc.cli.pages import DetectionPage, Paged, classes_of, name_of_page, page_of, write_index_of
from avloc.cli.progress import following
from avloc.errors import AvlocError, ModelError, NothingToDoError, one_line, without_path
from avloc.features.extractors.build import is_brought
from avloc.media.playable import unplayable
from avloc.media.probe import probe
from avloc.report.index import Missing
from avloc.report.page import summary
from avloc.report.terminal import EventsTimeline, events_table
from avloc.scale.detect import Detect, Detected
from avloc.scale.found import Found
from avloc.scale.manifest import Entry, without_outcome
from avloc.scale.perceived import evidence_file
from avloc.scale.ray_engine import Size
from avloc.scale.work import Task, content_of

_MOST_SHOWN = 100


def detect(
    videos: Paths,
    settings: Flags = DetectFlags(),  # noqa: B008
    config: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
) -> int:
    """Find the events of videos that are seen and heard at once.

    Each video's events go to NAME.events.json (seconds, label, score) beside the video, or into --out. Some
    kilobytes of candidates go to NAME.candidates.safetensors: with them another --min-score, --all or --report
    takes a moment, without the video but for pictures of new events on the pages. A folder of results also holds
    events.csv, all events in one table, failed.csv, the videos without a result and why, and manifest.jsonl, what
    became of each video; the same command goes on where a stopped run was.

    Exit status: 0 where every video has a result or, of several, was skipped for want of picture or sound; 1 where
    one failed; 130 where the run was stopped.

    examples:
      avloc detect my.mp4
      avloc detect my.mp4 --report out/
      avloc detect old.avi --report out/ --proxy --inline
      avloc detect videos/ --out results/
      avloc detect videos/ --out results/ --min-score 0.4 --report site/     (the same results, shown otherwise)
      avloc detect videos/ --out results/ --workers 2 --time-limit 3600
      avloc detect videos/ --out results/ --label "dog barking" --label "bird chirping"
      avloc detect my.mp4 --min-score 0.5 --min-score "people clapping=0.8" --min-length 0.5 --merge-gap 1.0
      avloc detect my.mp4 --start 10:00 --end 12:30     (nothing else of it is read)
      avloc detect videos/ --out results/ --config house.yaml
      avloc detect my.mp4 --evidence
      avloc detect videos/ --out results/ --engine ray --ray-address auto

    Args:
        videos: Video files, or folders of videos.
        settings: What is searched for and what is shown.
        config: YAML or JSON file of the settings below, by the names of their flags; flags win over the file.
    """
    flags = BatchFlags(
        settings.out, settings.threads, settings.workers, settings.time_limit, settings.retry_failed,
        settings.engine, settings.ray_address, settings.ray_gpus,
    )  # fmt: skip
    report = settings.report
    if report is None and (settings.inline or settings.proxy or settings.quick):
        raise AvlocError("--inline, --proxy and --quick are of pages; give --report as well, a folder for these")
    wanted = settings.wanted()
    folder = zoo.find_model(settings.model)
    settings.require_classes(wanted, zoo.read_config(folder).labels, all_of_them=True)
    closed: list[str] = []
    found = find_videos(videos, closed.append)
    for made in (settings.out, report):
        if made is not None:
            require_writable(made)
    made_by = f"avloc {__version__}"
    how = PageVideo(settings.inline, settings.proxy, pictures=not settings.quick)
    classes = classes_of(settings.model)
    name_of = partial(name_of_page, report or Path())
    pages = partial(DetectionPage, how=how, made_by=made_by, name_of=name_of, classes=classes)
    work = Detect(folder, wanted, settings.all, made_by, settings.threads, pages, settings.weights, settings.evidence)
    return with_left_out(_detect(found, flags, report, work), closed)


def _detect(found: Sequence[Video], flags: BatchFlags, report: Path | None, work: Detect) -> int:
    folder = flags.folder(len(found), work.manifest)
    if folder is None:
        return _one_by_one(found, flags.out, report, work)
    # One thread unless asked for: sums in another order differ in the last digit, and the files would too.
    large = is_brought(work.config.features.read)
    flags = flags.sparing() if large else flags
    work = replace(work, threads=flags.share if large else flags.threads or 1)
    said = partial(_said, work)
    size = Size(work.threads, None if large else 0.0)
    if report is None:
        return run_batch(found, folder, work, flags, size=size, said=said)
    index, pages = partial(_index, report, folder, work), partial(page_of, report)
    return run_batch(found, folder, work, flags, size=size, said=said, page_of=pages, on_end=index)


def _index(report: Path, out: Path, work: Detect, states: Iterable[Entry]) -> Path:
    """Over the pages in `report` of all that is done in the folder `out`."""
    pages, known = [], list(states)
    for state in known:
        page = Path(os.path.normpath(out.resolve() / state.page))
        if state.state == "done" and state.page and page.is_relative_to(report.resolve()) and page.is_file():
            done = work.read(out / f"{state.result}{work.ending}")
            if done is not None:
                pages.append(Paged(state.path(out), state.result, page, done.events, done.duration_s))
    lacking = [Missing(entry.result, entry.state, entry.reason) for entry in without_outcome(out, known)]
    return write_index_of(report.resolve(), pages, work.made_by, lacking)


def _said(work: Detect, done: Detected) -> str:
    return "; ".join([f"{summary(done.events, done.duration_s)}{_besides(work)}", *done.notes])


def _besides(work: Detect) -> str:
    """What is written beside the events that are told of."""
    return f" from {work.show.least_score:g} on, all candidates are written" if work.all else ""


def _one_by_one(found: Sequence[Video], out: Path | None, report: Path | None, work: Detect) -> int:
    """Videos in this process, their events on the screen."""
    screen, errors = screen_console(), error_console()
    problems: list[str] = []
    pages: list[Paged] = []
    skipped = 0
    for number, video in enumerate(found, 1):
        stem = video.stem
        folder = video.path.parent if out is None else (out / stem).parent
        page = None if report is None else page_of(report, stem.as_posix())
        task = Task(video.path, folder / f"{stem.name}{work.ending}", page)
        try:
            require_writable(task.result.parent)
            made = _run(task, work, screen, errors, number, len(found))
            if page is not None:
                pages.append(Paged(video.path, stem.as_posix(), page, made.shown, made.kept.duration_s))
        except ModelError:
            raise
        except AvlocError as error:
            # A video that was named alone and gives nothing is an answer to the question; one of many is none.
            passed = isinstance(error, NothingToDoError) and len(found) > 1
            skipped += passed
            problems += [] if passed else [str(error)]
            if len(found) > 1:
                why = f"skipped ({without_path(str(error), video.path)})" if passed else "no result"
                style = None if passed else "yellow"
                screen.print(f"{one_line(video.path.name)}: {why}", style=style, markup=False, soft_wrap=True)
    if report is not None and len(pages) > 1:
        index = write_index_of(report, pages, work.made_by)
        screen.print(f"index:  {one_line(str(index))}", markup=False, soft_wrap=True)
    if len(found) > 1:
        done = f"{len(found) - len(problems) - skipped} of {len(found)} videos done"
        done += f", {skipped} skipped" if skipped else ""
        screen.print(done + (f", {len(problems)} not:" if problems else "."))
    for problem in problems:
        print(f"avloc: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _run(task: Task, work: Detect, screen: Console, errors: Console, number: int, count: int) -> Found:
    began = time.perf_counter()
    info, content = probe(task.video), content_of(task.video)
    found = work.find_again(task, work.key(content))
    if found is None:
        work.load()
        with following(errors, number, count, info) as on_seconds:
            found = work.find(task, info, content, lambda seconds, of: on_seconds(seconds))
    took_s = time.perf_counter() - began
    # A full disk does not keep the events from the screen, nor a closed pipe keep them from the disk.
    try:
        _show(screen, work, found, took_s)
        for note in found.kept.notes:
            screen.print(f"note:   {note}", markup=False, soft_wrap=True)
    finally:
        work.write(found)
    screen.print(f"events: {one_line(str(task.result))}", markup=False, soft_wrap=True)
    if found.evidence is not None:
        screen.print(f"evidence: {one_line(str(evidence_file(task.result)))}", markup=False, soft_wrap=True)
    if task.page is not None:
        screen.print(f"page:   {one_line(str(task.page))}", markup=False, soft_wrap=True)
        if (why := unplayable(info)) and not proxy_of(task.page).is_file():
            screen.print(f"note:   browsers do not all play {why}; --proxy makes a copy that they do", markup=False)
    return found


def _show(screen: Console, work: Detect, found: Found, took_s: float) -> None:
    events, looked_at_s = found.shown, found.looked_at_s
    speed = f"{looked_at_s / took_s:.0f}x real time" if took_s > 0 else ""
    how = "from what was kept" if found.again else f"{took_s:.1f} s, {speed}"
    head = f"{one_line(found.task.video.name)}: {summary(events, looked_at_s)}{_besides(work)} ({how})"
    screen.print(head, style="bold", markup=False, soft_wrap=True)
    if len(events):
        screen.print(events_table(events, most=_MOST_SHOWN))
        screen.print(EventsTimeline(events, found.kept.duration_s))
