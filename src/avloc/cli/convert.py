"""`avloc convert`: labels or detections of one format > another."""

from __future__ import annotations

import math
import os
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro

from avloc.cli.console import screen_console
from avloc.cli.grammar import Annotator, Fps, Paths, Tiers, chosen
from avloc.cli.inputs import require_writable
from avloc.cli.predictions import counted
from avloc.cli.shelf import Shelf, is_file
from avloc.errors import AvlocError, FormatError, OutputError
from avloc.formats.files import (
    FORMATS,
    Format,
    Videos,
    files_below,
    format_to_write,
    merged,
    named,
    read_truth,
    write_events,
)
from avloc.scale.manifest import is_inside
from avloc.scale.shown import require_one_setting


def convert(
    paths: Paths,
    from_: Annotated[str | None, tyro.conf.arg(name="from", metavar="FORMAT")] = None,
    to: Annotated[str | None, tyro.conf.arg(metavar="FORMAT")] = None,
    fps: Fps = None,
    tier: Tiers = (),
    annotator: Annotator = None,
    videos: Path | None = None,
    min_score: Annotated[float | None, tyro.conf.arg(metavar="SCORE")] = None,
    force: bool = False,
) -> int:
    """Turn labels or detections into the format that another program reads.

    The last path is what to write, the others are what to read: files of any format, or folders with the
    NAME.events.json of `avloc detect` or with label files of one video each. A file is written by its ending;
    with --to and a path without an ending, a folder is written, one file a video. docs/formats.md tells the
    ending of each format, and what it cannot hold.

    examples:
      avloc convert results/a.events.json a.eaf
      avloc convert results/ all.csv --min-score 0.5
      avloc convert results/ labels/ --to audacity
      avloc convert labels/ truth.csv --to csv-truth
      avloc convert project.json labels.json --from label-studio --to fiftyone --fps 25
      avloc convert interview.eaf dogs.csv --tier dogs

    Args:
        paths: Files or folders to read, and at the end the file or folder to write.
        from_: Format of what is read, where ending and content do not tell: activitynet, activitynet-truth, csv,
            csv-truth, dcase, audioset, audacity, raven, webvtt, srt, elan, praat, rttm, label-studio, via, fiftyone.
        to: Format to write, where the ending does not tell, of the same names.
        fps: Frame rate of the videos, for files that count frames (timecodes, Label Studio, FiftyOne).
        tier: Tiers of ELAN and Praat files to read; without it all that have times.
        annotator: Whose answers to read of Label Studio files of several annotators: number, address or name.
        videos: Folder of the videos, to link them in ELAN files and tables where what is read does not say where
            they lie.
        min_score: Threshold: events with a lower score are left out.
        force: Write over files that are there.
    """
    if len(paths) < 2:
        raise AvlocError("two paths are needed: what to read and what to write, such as a.events.json a.eaf")
    choices = chosen(fps, tier, annotator)
    if min_score is not None and not math.isfinite(min_score):
        raise AvlocError(f"--min-score is {min_score}; a number is needed")
    *sources, out = paths
    if from_ is not None:
        named(from_)
    key = _format(out, to)
    for folder in (path for path in sources if path.is_dir()):
        require_one_setting(folder, files_below(folder, from_), min_score or 0.0)
    read = merged({str(path): read_truth(path, from_, choices) for path in sources})
    targets = _targets(out, key, to, read if videos is None else _placed(read, Shelf(videos)))
    if min_score is not None:
        targets = {path: _above(videos, min_score) for path, videos in targets.items()}
    _require_free(targets, sources, force)
    if list(targets) == [out]:
        require_writable(out.parent)
        write_events(out, targets[out], key)
    else:
        _write_all(out, targets, key)
    _tell(targets, out, FORMATS[key])
    return 0


def _format(out: Path, to: str | None) -> str:
    if to is not None:
        named(to)
        return to
    if out.is_dir() or not out.suffix:
        raise AvlocError(f"{out}: is a folder; say with --to in which format its files are to be written")
    return format_to_write(out)


def _targets(out: Path, key: str, to: str | None, videos: Videos) -> dict[Path, Videos]:
    """What to write where."""
    endings = FORMATS[key].endings
    if not out.is_dir() and (to is None or out.name.lower().endswith((*endings, ".json", ".txt", ".csv", ".tsv"))):
        return {out: videos}
    targets = {}
    for video, truth in videos.items():
        if not is_inside(video) or "\\" in video:
            raise FormatError(
                f"{out}: video {video!r} cannot name a file in it; write one file for all, such as all.csv"
            )
        targets[out / f"{video}{endings[0]}"] = {video: truth}
    if not targets:
        raise FormatError(f"{out}: there is no video to write; write one file, such as all.csv")
    return targets


def _above(videos: Videos, score: float) -> Videos:
    return {video: replace(truth, events=truth.events.above(score)) for video, truth in videos.items()}


def _placed(videos: Videos, shelf: Shelf) -> Videos:
    """With the places of the videos that lie in a folder, where those that are told do not exist."""
    placed = {}
    for video, truth in videos.items():
        there = None if truth.media and is_file(truth.media) else shelf.find(truth.media, video)
        placed[video] = replace(truth, media=str(there)) if there is not None else truth
    return placed


def _require_free(targets: dict[Path, Videos], sources: list[Path], force: bool) -> None:
    read = {source.resolve() for source in sources}
    for path in targets:
        if path.resolve() in read:
            raise FormatError(f"{path}: is what was read; give another file to write")
        if path.exists() and not force:
            raise FormatError(f"{path}: is there already; give another name, or --force to write over it")


def _write_all(out: Path, targets: dict[Path, Videos], key: str) -> None:
    """All files of a folder, or none where the format cannot hold one of them."""
    require_writable(out)
    token = f".avloc-{os.getpid()}-{secrets.token_hex(4)}"
    drafts: dict[Path, Path] = {}
    made: list[Path] = []
    try:
        for number, path in enumerate(targets):
            made += _make_folders(path.parent)
            # Beside its target, so that places of videos are seen from the same folder.
            drafts[path] = path.with_name(f"{token}-{number}{path.suffix}")
            try:
                write_events(drafts[path], targets[path], key)
            except AvlocError as error:
                raise type(error)(error.args[0].replace(str(drafts[path]), str(path))) from None
        there = {path for path in drafts if path.exists()}
        for path, draft in drafts.items():
            if path not in there and path.exists():
                raise FormatError(f"{path}: two videos have names that this system does not tell apart; rename one")
            draft.replace(path)
        made.clear()
    except OSError as error:
        raise OutputError(f"{out}: cannot be written to ({(error.strerror or str(error)).lower()})") from None
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()


def _make_folders(folder: Path) -> list[Path]:
    """Those that were not there, outermost first."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _tell(targets: dict[Path, Videos], out: Path, form: Format) -> None:
    videos = [truth for written in targets.values() for truth in written.values()]
    said = f"{counted(sum(len(truth.events) for truth in videos), 'event')} of {counted(len(videos), 'video')}"
    if len(targets) > 1:
        said += f" in {len(targets)} files"
    if not form.scores and any((truth.events.score != 1).any() for truth in videos):
        said += f"; scores are not kept in {form.title}"
    screen_console().print(f"{out}: {said}", markup=False, soft_wrap=True)
