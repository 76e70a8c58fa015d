"""`avloc extract`: videos > one safetensors file of features each, or the files of a released layout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from avloc.cli.batch import BatchFlags, EngineName, run_batch
from avloc.cli.console import error_console, screen_console
from avloc.cli.grammar import Paths
from avloc.cli.inputs import Video, find_videos, require_writable, with_left_out
from avloc.cli.progress import following
from avloc.errors import AvlocError
from avloc.features.extractors.base import Device, Precision, Resources
from avloc.features.extractors.build import BROUGHT, DEFAULT, build_extractor
from avloc.media.probe import probe
from avloc.scale.extract import Extract, Extracted, ExtractReleased
from avloc.scale.ray_engine import Size
from avloc.scale.work import Task, content_of
from avloc.timegrid import TimeGrid


def extract(
    videos: Paths,
    out: Path | None = None,
    features: str = DEFAULT,
    layout: Literal["avloc", "released"] = "avloc",
    stride_s: float | None = None,
    weights: Path | None = None,
    device: Device = "auto",
    precision: Precision = "auto",
    batch: int = 0,
    threads: int = 0,
    workers: int | None = None,
    time_limit: float | None = None,
    retry_failed: bool = False,
    engine: EngineName = "processes",
    ray_address: str | None = None,
    ray_gpus: float | None = None,
) -> int:
    """Write what encoders see and hear, step by step, to NAME.features.safetensors.

    The file holds `visual`, `audio`, `visual_scores`, `audio_scores` and `cues`, one row a step, in 16-bit floats. A
    folder of several also holds features.manifest.jsonl, what became of each video, and features.failed.csv, the
    videos without features and why; the same command goes on where a stopped run was. Exit status as of detect. The
    paper's features (i3d-vggish, onepeace) need weights of their publishers: avloc weights.

    examples:
      avloc extract my.mp4
      avloc extract videos/ --out features/
      avloc extract videos/ --out features/ --workers 2
      avloc extract videos/ --out features/ --features i3d-vggish
      avloc extract videos/ --out features/ --features onepeace --layout released --workers 2
      avloc extract videos/ --out features/ --features i3d-vggish --engine ray --ray-address auto

    Args:
        videos: Video files, or folders of videos.
        out: Folder for the feature files; without it each lies beside its video.
        features: What makes the features: avloc-embedded, which the default model needs; i3d-vggish, onepeace,
            onepeace-image, vggish, or the first and the last with -pca behind the name.
        layout: avloc, or the files and rows in which such features were released (NAME_rgb.npy and so on).
        stride_s: Seconds from step to step; without it the extractor's own, 0.32 for the default model.
        weights: Folder of the weights; without it the user's own.
        device: auto takes a GPU where there is one.
        precision: auto is half the width on a GPU.
        batch: Windows that go through a network at once; 0 for as many as suit the device.
        threads: CPU threads for the encoders; 0 takes all cores, or a worker's share of them.
        workers: Processes that work side by side on many videos, with --out; unless given, a core each, at most 4,
            and one where the weights are large; of Ray as many as have room.
        time_limit: Seconds after which a video is given up, with --out.
        retry_failed: Try again what failed in an earlier run into --out.
        engine: What runs the workers: processes on this machine, or ray, on this machine or on a cluster.
        ray_address: Of a cluster that runs, auto for the one of this machine; without it Ray is started here.
        ray_gpus: GPUs of a worker of Ray, such as 0.5; unless given, one for large networks where there are any.
    """
    if batch < 0:
        raise AvlocError(f"--batch is {batch}; a number of windows is needed, or 0 for as many as suit the device")
    flags = BatchFlags(out, threads, workers, time_limit, retry_failed, engine, ray_address, ray_gpus)
    make = Extract if layout == "avloc" else ExtractReleased
    work = make(_grid(features, stride_s), features, Resources(threads, weights, device, precision, batch))
    work.load()
    closed: list[str] = []
    found = find_videos(videos, closed.append)
    if out is not None:
        require_writable(out)
    return with_left_out(_extract(found, flags, work), closed)


def _extract(found: Sequence[Video], flags: BatchFlags, work: Extract) -> int:
    folder = flags.folder(len(found), work.manifest)
    if folder is None:
        return _one_by_one(found, flags.out, work)
    brought = work.extractor in BROUGHT
    flags = flags.sparing() if brought else flags
    work = replace(work, resources=replace(work.resources, threads=flags.share if brought else flags.threads or 1))
    size = Size(work.resources.threads, None if brought and work.resources.device != "cpu" else 0.0)
    return run_batch(found, folder, work, flags, size=size, said=lambda done: _said(done, work.grid))


def _grid(extractor: str, stride_s: float | None) -> TimeGrid:
    own = build_extractor(extractor).grid
    try:
        if stride_s is None:
            return own
        # Windows of features that others released begin at 0 s; ours lie in the middle of their steps.
        begins = own.offset_s == 0
        return TimeGrid(stride_s, own.window_s) if begins else TimeGrid.centred(stride_s, own.window_s)
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
        screen.print(f"{task.result}: {_said(done, work.grid)}", markup=False, soft_wrap=True)
    for problem in problems:
        print(f"avloc: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _said(done: Extracted, grid: TimeGrid) -> str:
    return "; ".join([f"{done.steps} steps of {grid.stride_s:g} s", *done.notes])
