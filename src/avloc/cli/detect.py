"""`avloc detect`: videos > events on the terminal, in a JSON file, and on a page."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console

from avloc import __version__, zoo
from avloc.cli.batch import BatchFlags, run_batch
from avloc.cli.console import error_console, screen_console
from avloc.cli.grammar import Paths
from avloc.cli.inputs import Video, find_videos, require_least_score, require_writable, with_left_out
from avloc.cli.page_media import PageVideo, proxy_of
from avloc.cli.pages import DetectionPage, Paged, classes_of, page_of, write_index_of
from avloc.cli.progress import following
from avloc.errors import AvlocError, ModelError, NothingToDoError, one_line, without_path
from avloc.features.extractors.build import is_brought
from avloc.media.playable import unplayable
from avloc.media.probe import probe
from avloc.report.index import Missing
from avloc.report.page import summary
from avloc.report.terminal import EventsTimeline, events_table
from avloc.scale.detect import Detect, Detected, Found
from avloc.scale.manifest import Entry, without_outcome
from avloc.scale.work import Task, content_of

_MOST_SHOWN = 100


def detect(
    videos: Paths,
    model: str = "default",
    out: Path | None = None,
    report: Path | None = None,
    inline: bool = False,
    proxy: bool = False,
    quick: bool = False,
    min_score: float | None = None,
    all: bool = False,
    weights: Path | None = None,
    threads: int = 0,
    workers: int | None = None,
    time_limit: float | None = None,
    retry_failed: bool = False,
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

    Args:
        videos: Video files, or folders of videos.
        model: Name of a shipped model, or a model folder.
        out: Folder for the JSON files; without it each lies beside its video.
        report: Folder for a page per video, NAME.html, and of several an index, index.html; they work offline.
        inline: Put the video inside its page instead of a link to it.
        proxy: Where browsers do not play a video (HEVC, ProRes, MPEG-2, AVI, MPEG-TS and others), make a small copy
            beside its page that they do: H.264, at most 360 lines. Also of one that is too large for --inline.
        quick: Leave the pictures of events out of the pages; they take some decoding of the video.
        min_score: Threshold: events with a lower score are left out; without it the model's own threshold.
        all: Write all candidates to the JSON file, as evaluation wants them.
        weights: Folder of the encoders' weights, for models that read i3d-vggish or onepeace; see avloc weights.
        threads: CPU threads for the networks; 0 takes all cores, or one for each worker.
        workers: Processes that work side by side on many videos, with --out; unless given, a core each, at most 4.
        time_limit: Seconds after which a video is given up, with --out.
        retry_failed: Try again what failed in an earlier run into --out.
    """
    require_least_score(min_score)
    flags = BatchFlags(out, threads, workers, time_limit, retry_failed)
    if report is None and (inline or proxy or quick):
        raise AvlocError("--inline, --proxy and --quick are of pages; give --report as well, a folder for these")
    closed: list[str] = []
    found = find_videos(videos, closed.append)
    for folder in (out, report):
        if folder is not None:
            require_writable(folder)
    made_by = f"avloc {__version__}"
    how = PageVideo(inline, proxy, pictures=not quick)
    pages = partial(DetectionPage, how=how, made_by=made_by, report=report or Path(), classes=classes_of(str(model)))
    work = Detect(zoo.find_model(model), min_score, all, made_by, threads, pages, weights)
    return with_left_out(_detect(found, flags, report, work), closed)


def _detect(found: Sequence[Video], flags: BatchFlags, report: Path | None, work: Detect) -> int:
    folder = flags.folder(len(found), work.manifest)
    if folder is None:
        return _one_by_one(found, flags.out, report, work)
    # One thread unless asked for: sums in another order differ in the last digit, and the files would too.
    large = is_brought(work.config.features.read)
    flags = flags.sparing() if large else flags
    work = replace(work, threads=flags.share if large else flags.threads or 1)
    if report is None:
        return run_batch(found, folder, work, flags, said=_said)
    index = partial(_index, report, folder, work)
    return run_batch(found, folder, work, flags, said=_said, page_of=partial(page_of, report), on_end=index)


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


def _said(done: Detected) -> str:
    return "; ".join([summary(done.events, done.duration_s), *done.notes])


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
        _show(screen, found, took_s)
        for note in found.kept.notes:
            screen.print(f"note:   {note}", markup=False, soft_wrap=True)
    finally:
        work.write(found)
    screen.print(f"events: {one_line(str(task.result))}", markup=False, soft_wrap=True)
    if task.page is not None:
        screen.print(f"page:   {one_line(str(task.page))}", markup=False, soft_wrap=True)
        if (why := unplayable(info)) and not proxy_of(task.page).is_file():
            screen.print(f"note:   browsers do not all play {why}; --proxy makes a copy that they do", markup=False)
    return found


def _show(screen: Console, found: Found, took_s: float) -> None:
    events, duration_s = found.shown, found.kept.duration_s
    speed = f"{duration_s / took_s:.0f}x real time" if took_s > 0 else ""
    how = "from what was kept" if found.again else f"{took_s:.1f} s, {speed}"
    head = f"{one_line(found.task.video.name)}: {summary(events, duration_s)} ({how})"
    screen.print(head, style="bold", markup=False, soft_wrap=True)
    if len(events):
        screen.print(events_table(events, most=_MOST_SHOWN))
        screen.print(EventsTimeline(events, duration_s))
