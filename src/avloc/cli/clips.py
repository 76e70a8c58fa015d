"""`avloc clips`: results and their videos > a short video of each event, and a table of them."""

from __future__ import annotations

import csv
import difflib
import io
import re
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from avloc.cli.console import error_console, screen_console
from avloc.cli.grammar import Annotator, Fps, Tiers, chosen
from avloc.cli.inputs import require_least_score, require_writable
from avloc.cli.names import slug, told_apart
from avloc.cli.progress import counting
from avloc.cli.results import Result, find_results, missing_line
from avloc.errors import AvlocError
from avloc.events import Event
from avloc.files import replace_file
from avloc.media.clips import LEAST_S, cut_clip
from avloc.media.probe import MediaInfo, probe

INDEX = "clips.csv"
COLUMNS = ("video", "start_s", "end_s", "label", "score", "file")
_MOST_LABELS = 60
_HALF = re.compile(r"\..+_\d{4,}\.\d\d-\d{4,}\.\d\d_.+\.\d+\.mp4")  # names while `write_video` writes
_STALE_S = 600.0


def clips(
    results: Annotated[Path, tyro.conf.Positional],
    out: Path,
    label: tuple[str, ...] = (),
    min_score: float = 0.0,
    margin: float = 0.0,
    limit: int | None = None,
    videos: Path | None = None,
    tier: Tiers = (),
    annotator: Annotator = None,
    fps: Fps = None,
) -> int:
    """Cut events out of their videos, sound in step: a file NAME_START-END_LABEL.mp4 each, and a table clips.csv.

    Clips that are there already are kept, so that the same command again goes on where it stopped.

    examples:
      avloc clips results/ --label "dog barking" --out clips/
      avloc clips results/ --label "dog barking" "cat meowing" --out clips/ --min-score 0.5 --margin 0.5
      avloc clips results/ --out clips/ --limit 20 --videos /mnt/archive
      avloc clips audacity_labels/ --out clips/ --videos videos/

    Args:
        results: Folder of results of `avloc detect` or of files of labels, or one file of any format of
            docs/formats.md.
        out: Folder for the clips.
        label: Classes to cut out; without it all.
        min_score: Threshold: events with a lower score are left out.
        margin: Seconds to keep before and behind each event.
        limit: At most so many clips, those with the highest scores.
        videos: Folder to look for videos that are neither where they were when they were searched, nor beside the
            file.
        tier: Tiers of ELAN and Praat files to read; without it all that have times.
        annotator: Whose answers to read of Label Studio files of several annotators: number, address or name.
        fps: Frame rate of the videos, for files that count frames (timecodes, EDL, Label Studio, FiftyOne).
    """
    _check(min_score, margin, limit)
    choices = chosen(fps, tier, annotator)
    screen = screen_console()
    problems: list[str] = []
    found = find_results(results, videos, problems.append, choices=choices, least_score=min_score)
    every = plan(found, margin)
    wanted = choose(every, label, min_score, limit)
    if not wanted:
        raise AvlocError(f"{results}: no event has a score of {min_score:g} or more; give a lower --min-score")
    require_writable(out)
    sweep(out)
    work = _Work(out, videos, problems)
    try:
        with counting(error_console(), "clips") as on_progress:
            for number, clip in enumerate(wanted, 1):
                work.cut(clip)
                on_progress(number, len(wanted))
    finally:
        write_index(out / INDEX, work.done)
    kept = f" ({work.kept} were there already)" if work.kept else ""
    screen.print(f"{len(work.done)} of {len(wanted)} clips{kept}", markup=False)
    screen.print(f"clips: {out}\ntable: {out / INDEX}", markup=False, soft_wrap=True)
    for problem in problems:
        print(f"avloc: {problem}", file=sys.stderr)
    return 1 if problems else 0


@dataclass(frozen=True, slots=True)
class Clip:
    """An event, the stretch of its video to cut out, and the name of the file."""

    result: Result
    event: Event
    start_s: float
    end_s: float
    file: str

    @property
    def row(self) -> tuple[str, ...]:
        e = self.event
        return (self.result.name, f"{e.start_s:.3f}", f"{e.end_s:.3f}", e.label, f"{e.score:.6g}", self.file)


def plan(results: Iterable[Result], margin_s: float) -> list[Clip]:
    """A clip for each event. Names tell the stretch that is cut out; none depends on which clips are wanted."""
    rows: dict[str, tuple[Result, Event, float, float, str]] = {}
    for result in results:
        video = slug(Path(result.name).name, "video")
        for event in result.events:
            start_s = max(0.0, event.start_s - margin_s)
            end_s = max(event.end_s + margin_s, start_s + LEAST_S)
            name = f"{video}_{start_s:07.2f}-{end_s:07.2f}_{slug(event.label, 'event')}"
            key = f"{result.name}\n{event.start_s!r}\n{event.end_s!r}\n{event.label}"
            rows.setdefault(key, (result, event, start_s, end_s, name))  # the same event twice is one clip
    names = told_apart([row[4] for row in rows.values()], list(rows))
    return [Clip(*row[:4], f"{name}.mp4") for row, name in zip(rows.values(), names, strict=True)]


def choose(every: Sequence[Clip], labels: Sequence[str], min_score: float, limit: int | None) -> list[Clip]:
    """Those of some classes (none named: of all) and a least score; of these the surest, in the order of `every`.

    Raises:
        AvlocError: a class does not occur.
    """
    known = sorted({clip.event.label for clip in every})
    for label in labels:
        if label not in known:
            raise AvlocError(_unknown(label, known))
    chosen = [c for c in every if c.event.score >= min_score and (not labels or c.event.label in labels)]
    if limit is not None and len(chosen) > limit:
        surest = sorted(range(len(chosen)), key=lambda i: (-chosen[i].event.score, i))[:limit]
        chosen = [chosen[i] for i in sorted(surest)]
    return chosen


def _unknown(label: str, known: Sequence[str]) -> str:
    if not known:
        return f"no event of class {label!r}: the results hold no event at all"
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(label.casefold(), folded, 1, 0.6)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ";"
    more = f" and {len(known) - _MOST_LABELS} more" if len(known) > _MOST_LABELS else ""
    return f"no event of class {label!r}{hint} there are: {', '.join(known[:_MOST_LABELS])}{more}"


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


def sweep(out: Path) -> None:
    """Remove what a killed run left half written; not what another run may be writing now."""
    for path in out.glob(".*.mp4"):
        if _HALF.fullmatch(path.name):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_S:
                    path.unlink()


def _check(min_score: float, margin_s: float, limit: int | None) -> None:
    require_least_score(min_score)
    if not 0 <= margin_s <= 3600:
        raise AvlocError(f"--margin is {margin_s}; seconds from 0 to 3600 are needed")
    if limit is not None and limit < 1:
        raise AvlocError(f"--limit is {limit}; a number of clips from 1 on is needed")
