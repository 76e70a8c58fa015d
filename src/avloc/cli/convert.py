"""`avloc convert`: labels or detections of one format > another."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro

from avloc.cli import editing
from avloc.cli.choosing import Choosing
from avloc.cli.console import screen_console
from avloc.cli.grammar import Annotator, Fps, Paths, Tiers, chosen
from avloc.cli.inputs import is_media, require_writable
from avloc.cli.predictions import counted
from avloc.cli.shelf import Shelf, is_file
from avloc.errors import AvlocError, FormatError, OutputError
from avloc.events.filter import EventFilter
from avloc.formats import youtube
from avloc.formats.files import (
    FORMATS,
    Format,
    Videos,
    files_below,
    format_to_write,
    merged,
    named,
    read_truth,
    sniff,
)
from avloc.formats.truth import Choices
from avloc.scale.manifest import is_inside
from avloc.scale.shown import require_one_setting

_TARGETS = {**FORMATS, **editing.MEDIA}


def convert(
    paths: Paths,
    from_: Annotated[str | None, tyro.conf.arg(name="from", metavar="FORMAT")] = None,
    to: Annotated[str | None, tyro.conf.arg(metavar="FORMAT")] = None,
    fps: Fps = None,
    tier: Tiers = (),
    annotator: Annotator = None,
    videos: Path | None = None,
    timecode: Annotated[str | None, tyro.conf.arg(metavar="HH:MM:SS:FF")] = None,
    wall_clock: bool = False,
    time_from: Annotated[str, tyro.conf.arg(metavar="metadata|name:PATTERN")] = "metadata",
    choosing: Annotated[Choosing, tyro.conf.arg(name="")] = Choosing(),  # noqa: B008
    force: bool = False,
) -> int:
    """Turn labels or detections into the format that another program reads.

    The last path is what to write, the others are what to read: files of any format, or folders with the
    NAME.events.json of `avloc detect` or with label files of one video each. A file is written by its ending;
    with --to and a path without an ending, a folder is written, one file a video. docs/formats.md tells the
    ending of each format, and what it cannot hold. Files of editors take frame rate and start timecode of the video.

    examples:
      avloc convert results/a.events.json a.eaf
      avloc convert results/ all.csv --min-score 0.5
      avloc convert results/ labels/ --to audacity
      avloc convert labels/ truth.csv --to csv-truth
      avloc convert project.json labels.json --from label-studio --to fiftyone --fps 25
      avloc convert interview.eaf dogs.csv --tier dogs
      avloc convert my.events.json my.edl
      avloc convert my.events.json my.markers.edl --timecode 01:00:00:00
      avloc convert my.events.json my.chapters.mp4
      avloc convert results/ cuts/ --to fcpxml --label "dog barking" --min-score 0.5 --merge-gap 1
      avloc convert results/ all.csv --wall-clock --time-from name:%Y%m%d-%H%M%S

    Args:
        paths: Files or folders to read, and at the end the file or folder to write.
        from_: Format of what is read, where ending and content do not tell: activitynet, activitynet-truth, csv,
            csv-truth, dcase, audioset, audacity, raven, webvtt, srt, elan, praat, rttm, label-studio, via, fiftyone,
            edl, resolve, premiere, otio, fcpxml, ffmetadata.
        to: Format to write, where the ending does not tell, of the same names, or youtube, or chapters, which copies
            the video.
        fps: Frame rate of the videos, for files that count frames, in place of what the videos say; 29.97 is
            30000/1001.
        tier: Tiers of ELAN and Praat files to read; without it all that have times.
        annotator: Whose answers to read of Label Studio files of several annotators: number, address or name.
        videos: Folder of the videos, to link them and to take their frame rates, where what is read does not say
            where they lie.
        timecode: Timecode of the first picture, in place of what the videos say; with a semicolon before the frames
            it is drop-frame.
        wall_clock: Add the time of day of each event, to formats that can hold it.
        time_from: What tells when a video began: its metadata, or its name, such as name:%Y%m%d-%H%M%S.
        choosing: What of the events is wanted.
        force: Write over files that are there.
    """
    if len(paths) < 2:
        raise AvlocError("two paths are needed: what to read and what to write, such as a.events.json a.eaf")
    wanted = choosing.wanted(scores_of_anybody=True)
    *sources, out = paths
    if from_ is not None:
        named(from_)
    key = _format(out, to)
    form = _TARGETS[key]
    if wall_clock and not form.clock:
        able = ", ".join(name for name, one in FORMATS.items() if one.clock)
        raise AvlocError(f"--wall-clock: {form.title} has no place for the time of day; {able} have")
    if time_from != "metadata" and not wall_clock:
        raise AvlocError("--time-from is of --wall-clock; give that as well")
    if timecode is not None and not form.frames and not _count_frames(sources, from_):
        raise AvlocError(f"--timecode: neither {form.title} nor what is read counts frames; leave it out")
    for folder in (path for path in sources if path.is_dir()):
        require_one_setting(folder, files_below(folder, from_), max(0.0, wanted.min_score))
    shelf = None if videos is None else Shelf(videos)
    choices = chosen(fps, tier, annotator)
    known = editing.Videos(shelf, sources, fps, timecode)
    choices = replace(choices, footage=known.footage)
    read = merged({str(path): _read(path, from_, choices) for path in sources})
    choosing.require_classes(wanted, {name for truth in read.values() for name in truth.events.labels})
    read = _filtered(read if shelf is None else _placed(read, shelf), wanted)
    if form.frames or form is editing.MEDIA.get(key):
        read = _filmed(read, known)
    if wall_clock:
        read = {v: replace(t, began=known.began(v, t.media, time_from)) for v, t in read.items()}
    targets = _targets(out, key, to, read)
    _require_free(targets, sources, force)
    if list(targets) == [out]:
        require_writable(out.parent)
        form.write(out, targets[out])
    else:
        _write_all(out, targets, form)
    _tell(targets, out, form)
    return 0


def _count_frames(sources: list[Path], form: str | None) -> bool:
    """Whether one of the files that are read counts frames."""
    if form is not None:
        return named(form).frames
    files = (file for path in sources for file in (files_below(path) if path.is_dir() else [path]))
    return any(named(sniff(file)).frames for file in files if not is_media(file))


def _read(path: Path, form: str | None, choices: Choices) -> Videos:
    if form is None and path.is_file() and is_media(path):
        return editing.MEDIA["chapters"].read(path, choices)
    return read_truth(path, form, choices)


def _format(out: Path, to: str | None) -> str:
    if to is not None:
        if to not in editing.MEDIA:
            named(to)
        return to
    media = next((key for key, form in editing.MEDIA.items() if out.suffix.lower() in form.endings), None)
    if media is not None and not out.is_dir():
        return media
    if out.is_dir() or not out.suffix:
        raise AvlocError(f"{out}: is a folder; say with --to in which format its files are to be written")
    return format_to_write(out)


def _targets(out: Path, key: str, to: str | None, videos: Videos) -> dict[Path, Videos]:
    """What to write where."""
    endings = _TARGETS[key].endings
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


def _filtered(videos: Videos, wanted: EventFilter) -> Videos:
    return {video: replace(truth, events=wanted(truth.events)) for video, truth in videos.items()}


def _filmed(videos: Videos, known: editing.Videos) -> Videos:
    """With the frame rates and places of the videos, where they are known."""
    filmed = {}
    for video, truth in videos.items():
        there = known.find(video, truth.media)
        footage = known.footage(video, truth.media)
        filmed[video] = replace(truth, footage=footage, media=truth.media if there is None else str(there))
    return filmed


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


def _write_all(out: Path, targets: dict[Path, Videos], form: Format) -> None:
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
                form.write(drafts[path], targets[path])
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
    if form is FORMATS["youtube"] and any(map(youtube.too_few, targets.values())):
        said += f"; YouTube shows chapters where there are {youtube.LEAST_CHAPTERS}, 10 s apart, which is not so here"
    screen_console().print(f"{out}: {said}", markup=False, soft_wrap=True)
