"""`avloc extract`: videos > one safetensors file of features each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from avloc.cli.batch import BatchFlags, run_batch
from avloc.cli.console import error_console, screen_console
from avloc.cli.grammar import Paths
from avloc.cli.inputs import Video, find_videos, require_writable
from avloc.cli.progress import following
from avloc.errors import AvlocError
from avloc.features.extractors.build import DEFAULT, build_extractor
from avloc.media.probe import probe
from avloc.scale.extract import Extract
from avloc.scale.work import Task, content_of
from avloc.timegrid import TimeGrid


def extract(
    videos: Paths,
    out: Path | None = None,
    extractor: str = DEFAULT,
    stride_s: float | None = None,
    threads: int = 0,
    workers: int | None = None,
    time_limit: float | None = None,
    retry_failed: bool = False,
) -> int:
    """Write what the encoders see and hear, step by step, to NAME.features.safetensors.

    The file holds `visual`, `audio`, `visual_scores`, `audio_scores` and `cues`, one row a step, in 16-bit floats. A
    folder of several also holds features.manifest.jsonl, what became of each video, and features.failed.csv, the
    videos without features and why; the same command goes on where a stopped run was. Exit status as of detect.

    examples:
      avloc extract my.mp4
      avloc extract videos/ --out features/
      avloc extract videos/ --out features/ --workers 2

    Args:
        videos: Video files, or folders of videos.
        out: Folder for the feature files; without it each lies beside its video.
        extractor: Name of what makes the features.
        stride_s: Seconds from step to step; without it the extractor's own (0.32), which the default model needs.
        threads: CPU threads for the encoders; 0 takes all cores, or one for each worker.
        workers: Processes that work side by side on many videos, with --out; unless given, a core each, at most 4.
        time_limit: Seconds after which a video is given up, with --out.
        retry_failed: Try again what failed in an earlier run into --out.
    """
    flags = BatchFlags(out, threads, workers, time_limit, retry_failed)
    work = Extract(_grid(extractor, stride_s), extractor, threads)
    work.load()
    found = find_videos(videos)
    if out is not None:
        require_writable(out)
    folder = flags.folder(len(found), work.manifest)
    if folder is None:
        return _one_by_one(found, out, work)
    work = replace(work, threads=threads or 1)
    return run_batch(found, folder, work, flags, said=lambda done: _steps(done.steps, work.grid))


def _grid(extractor: str, stride_s: float | None) -> TimeGrid:
    own = build_extractor(extractor).grid
    try:
        return own if stride_s is None else TimeGrid.centred(stride_s, own.window_s)
    except ValueError as error:
        raise AvlocError(f"--stride-s: {error}") from None


def _one_by_one(found: Sequence[Video], out: Path | None, work: Extract) -> int:
    """Videos in this process, each made anew."""
    screen, errors = screen_console(), error_console()
    problems: list[str] = []
    for number, video in enumerate(found, 1):
        folder = video.path.parent if out is None else (out / video.stem).parent
        task = Task(video.path, folder / f"{video.stem.name}{work.ending}")
        try:
            require_writable(folder)
            info = probe(video.path)
            with following(errors, number, len(found), info) as on_seconds:
                done = work.make(task, info, content_of(video.path), lambda seconds, of: on_seconds(seconds))
        except AvlocError as error:
            problems.append(str(error))
            continue
        screen.print(f"{task.result}: {_steps(done.steps, work.grid)}", markup=False, soft_wrap=True)
    for problem in problems:
        print(f"avloc: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _steps(count: int, grid: TimeGrid) -> str:
    return f"{count} steps of {grid.stride_s:g} s"
