"""`avloc clips`: results and their videos > a short video of each event, and a table of them."""

from __future__ import annotations

import csv
import io
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import tyro

from avloc.cli.choosing import Choosing
from avloc.cli.console import error_console, screen_console
from avloc.cli.grammar import Annotator, Fps, Tiers, chosen
from avloc.cli.inputs import require_writable
from avloc.cli.names import slug, told_apart
from avloc.cli.predictions import counted
from avloc.cli.progress import counting
from avloc.cli.reel import Clip, check_reel, make_reel
from avloc.cli.results import Result, find_results, missing_line
from avloc.errors import AvlocError
from avloc.events import Event
from avloc.events.filter import ALL_EVENTS, EventFilter
from avloc.files import replace_file
from avloc.media.clips import LEAST_S, cut_clip
from avloc.media.probe import MediaInfo, probe

INDEX = "clips.csv"
COLUMNS = ("video", "start_s", "end_s", "label", "score", "file")
_HALF = re.compile(r"\..+_\d{4,}\.\d\d-\d{4,}\.\d\d_.+\.\d+\.mp4")  # names while `write_video` writes
_STALE_S = 600.0


def clips(
    results: Annotated[Path, tyro.conf.Positional],
    out: Path | None = None,
    reel: Path | None = None,
    choosing: Annotated[Choosing, tyro.conf.arg(name="")] = Choosing(),  # noqa: B008
    margin: float = 0.0,
    limit: int | None = None,
    videos: Path | None = None,
    force: bool = False,
    tier: Tiers = (),
    annotator: Annotator = None,
    fps: Fps = None,
) -> int:
    """Cut events out of their videos, sound in step: a file NAME_START-END_LABEL.mp4 each, and a table clips.csv.

    Clips that are there already are kept, so that the same command again goes on where it stopped. With --reel they
    come one after the other in one video, each under a line that tells class, video and time, and as chapters.

    examples:
      avloc clips results/ --label "dog barking" --out clips/
      avloc clips results/ --label "dog barking" --label "cat meowing" --out clips/ --min-score 0.5 --margin 0.5
      avloc clips results/ --label "people laughing" --reel laughs.mp4
      avloc clips results/ --out clips/ --limit 20 --videos /mnt/archive
      avloc clips audacity_labels/ --out clips/ --videos videos/

    Args:
        results: Folder of results of `avloc detect` or of files of labels, or one file of any format of
            docs/formats.md.
        out: Folder for the clips.
        reel: One video of all of them, .mp4 or .mkv, in place of the folder or beside it.
        choosing: What of the events is wanted.
        margin: Seconds to keep before and behind each event.
        limit: At most so many clips, those with the highest scores.
        videos: Folder to look for videos that are neither where they were when they were searched, nor beside the
            file.
        force: Write over a reel that is there.
        tier: Tiers of ELAN and Praat files to read; without it all that have times.
        annotator: Whose answers to read of Label Studio files of several annotators: number, address or name.
        fps: Frame rate of the videos, for files that count frames (timecodes, EDL, Label Studio, FiftyOne).
    """
    _check(out, reel, force, margin, limit)
    wanted = choosing.wanted()
    problems: list[str] = []
    least = max(0.0, wanted.min_score)
    found = find_results(results, videos, problems.append, choices=chosen(fps, tier, annotator), least_score=least)
    choosing.require_classes(wanted, {label for result in found for label in result.events.labels})
    cuts = surest(plan(found, margin, wanted), limit)
    if not cuts:
        count = counted(sum(len(result.events) for result in found), "event")
        raise AvlocError(f"{results}: of {count} none is left to cut out; choose less strictly")
    if out is not None:
        _cut_all(cuts, out, videos, problems)
    if reel is not None:
        make_reel(reel, cuts, videos, problems)
    for problem in dict.fromkeys(problems):
        print(f"avloc: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _cut_all(cuts: Sequence[Clip], out: Path, videos: Path | None, problems: list[str]) -> None:
    require_writable(out)
    clear_unfinished(out)
    screen, work = screen_console(), _Work(out, videos, problems)
    try:
        with counting(error_console(), "clips") as on_progress:
            for number, clip in enumerate(cuts, 1):
                work.cut(clip)
                on_progress(number, len(cuts))
    finally:
        write_index(out / INDEX, work.done)
    kept = f" ({work.kept} were there already)" if work.kept else ""
    screen.print(f"{len(work.done)} of {len(cuts)} clips{kept}", markup=False)
    screen.print(f"clips: {out}\ntable: {out / INDEX}", markup=False, soft_wrap=True)


def plan(results: Sequence[Result], margin_s: float, wanted: EventFilter = ALL_EVENTS) -> list[Clip]:
    """A clip for each event that is wanted. Names tell the stretch cut out; none depends on what is wanted."""
    rows: dict[str, tuple[Result, Event, float, float, str]] = {}
    chosen: set[str] = set()
    for result, video in zip(results, _video_slugs(results), strict=True):
        mine = wanted(result.events)
        for number, event in enumerate((*mine, *result.events)):
            start_s = max(0.0, event.start_s - margin_s)
            end_s = event.end_s + margin_s
            if result.duration_s is not None and start_s < result.duration_s:
                end_s = min(end_s, result.duration_s)
            end_s = max(end_s, start_s + LEAST_S)
            name = f"{video}_{start_s:07.2f}-{end_s:07.2f}_{slug(event.label, 'event')}"
            key = f"{result.name}\n{event.start_s!r}\n{event.end_s!r}\n{event.label}"
            rows.setdefault(key, (result, event, start_s, end_s, name))  # the same event twice is one clip
            chosen |= {key} if number < len(mine) else set()
    names = told_apart([row[4] for row in rows.values()], list(rows))
    return [
        Clip(*row[:4], f"{name}.mp4") for (key, row), name in zip(rows.items(), names, strict=True) if key in chosen
    ]


def _video_slugs(results: Sequence[Result]) -> list[str]:
    """Each video's name as a part of file names, with its folders where another one has the same."""
    names = [slug(Path(result.name).name, "video") for result in results]
    count = Counter(name.casefold() for name in names)
    return [
        name if count[name.casefold()] == 1 else slug(result.name.replace("/", "-"), "video")
        for result, name in zip(results, names, strict=True)
    ]


def surest(clips: Sequence[Clip], limit: int | None) -> list[Clip]:
    """At most so many of the highest scores, in the order of all."""
    if limit is None or len(clips) <= limit:
        return list(clips)
    best = sorted(range(len(clips)), key=lambda i: (-clips[i].event.score, i))[:limit]
    return [clips[i] for i in sorted(best)]


class _Work:
    """Cuts clips one by one and remembers what was done and what went wrong; a video is opened for them once."""

    def __init__(self, out: Path, videos: Path | None, problems: list[str]) -> None:
        self.out, self.videos, self.problems = out, videos, problems
        self.done: list[Clip] = []
        self.kept = 0
        self._useless: set[str] = set()  # names of results whose video is missing or unreadable: said once
        self._last: tuple[Path, MediaInfo] | None = None

    def cut(self, clip: Clip) -> None:
        target = self.out / clip.file
        if target.is_file():
            self.kept += 1
            self.done.append(clip)
        elif clip.result.name not in self._useless and (info := self._probed(clip.result)) is not None:
            try:
                cut_clip(info.path, target, clip.start_s, clip.end_s, info=info)
                self.done.append(clip)
            except AvlocError as error:
                self.problems.append(f"{clip.file}: {error}")

    def _probed(self, result: Result) -> MediaInfo | None:
        if self._last is not None and self._last[0] == result.video:
            return self._last[1]
        try:
            if result.video is None:
                raise AvlocError(missing_line(result, self.videos))
            self._last = result.video, probe(result.video)
            return self._last[1]
        except AvlocError as error:
            self._useless.add(result.name)
            self.problems.append(str(error))
            return None


def write_index(path: Path, done: Iterable[Clip]) -> None:
    """Write the table of clips; lines of clips that an earlier run cut, and that are still there, stay.

    Raises:
        OutputError: the file cannot be written.
    """
    rows: dict[str, tuple[str, ...]] = {row[-1]: row for row in _earlier(path)}
    rows |= {clip.file: clip.row for clip in done}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    ordered = sorted(rows.values(), key=lambda row: (row[0], float(row[1]), row[-1]))
    writer.writerows(ordered)
    replace_file(path, text.getvalue().encode("utf-8", "backslashreplace"))


def _earlier(path: Path) -> list[tuple[str, ...]]:
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, csv.Error):
        return []
    if not lines or tuple(lines[0]) != COLUMNS:
        return []
    return [tuple(line) for line in lines[1:] if _is_row(line) and (path.parent / line[-1]).is_file()]


def _is_row(line: Sequence[str]) -> bool:
    return len(line) == len(COLUMNS) and line[1].replace(".", "", 1).isdigit() and Path(line[-1]).name == line[-1]


def clear_unfinished(out: Path) -> None:
    """Remove what a killed run left half written; not what another run may be writing now."""
    for path in out.glob(".*.mp4"):
        if _HALF.fullmatch(path.name):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_S:
                    path.unlink()


def _check(out: Path | None, reel: Path | None, force: bool, margin_s: float, limit: int | None) -> None:
    if out is None and reel is None:
        raise AvlocError(
            "nothing is asked for; give --out, a folder for the clips, or --reel, a video of all of them"
        )
    if reel is not None:
        check_reel(reel, force)
    elif force:
        raise AvlocError("--force is of --reel; clips that are there are kept")
    if not 0 <= margin_s <= 3600:
        raise AvlocError(f"--margin is {margin_s}; seconds from 0 to 3600 are needed")
    if limit is not None and limit < 1:
        raise AvlocError(f"--limit is {limit}; a number of clips from 1 on is needed")
