"""One reel of many clips: what is cut, in which order, and what stands over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.cli.console import error_console, screen_console
from avloc.cli.inputs import require_writable
from avloc.cli.predictions import counted
from avloc.cli.progress import counting
from avloc.cli.results import Result, missing_line
from avloc.errors import AvlocError, one_line
from avloc.events import Event
from avloc.media.clips import looks_of
from avloc.media.probe import MediaInfo, probe
from avloc.media.reel import Cut, write_reel
from avloc.media.remux import ENDINGS
from avloc.report.timeline import clock


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


def check_reel(path: Path, force: bool) -> None:
    """Raise AvlocError where a reel cannot be written to a path."""
    if path.suffix.lower() not in ENDINGS:
        raise AvlocError(f"--reel is {path}; a video is needed whose name ends in {', '.join(ENDINGS)}")
    if path.is_dir() or (path.exists() and not force):
        raise AvlocError(f"{path}: is there already; give another name, or --force to write over it")
    require_writable(path.parent)


def make_reel(path: Path, clips: Sequence[Clip], videos: Path | None, problems: list[str]) -> None:
    """Write the clips one after the other; those whose video is missing or cannot be read are left out and told.

    Raises:
        AvlocError: none is left, or the reel cannot be written.
    """
    files = _Files(videos, problems)
    cuts = [cut for clip in clips if (cut := files.cut(clip)) is not None]
    if not cuts:
        raise AvlocError(f"{path}: no video of the events can be read; {problems[0]}")
    if any(cut.info.path.resolve() == path.resolve() for cut in cuts):
        raise AvlocError(f"{path}: is one of the videos; give another name")
    with counting(error_console(), "cuts") as on_progress:
        length_s = write_reel(path, cuts, on_progress)
    said = f"reel: {one_line(str(path))} ({counted(len(cuts), 'cut')}, {clock(length_s, 1)})"
    screen_console().print(said, markup=False, soft_wrap=True)


class _Files:
    """The videos of clips, each opened once; what is wrong with one is said once."""

    def __init__(self, videos: Path | None, problems: list[str]) -> None:
        self._videos, self._problems = videos, problems
        self._known: dict[str, MediaInfo | None] = {}

    def cut(self, clip: Clip) -> Cut | None:
        name = clip.result.name
        if name not in self._known:
            try:
                self._known[name] = self._opened(clip)
            except AvlocError as error:
                self._known[name] = None
                self._problems.append(str(error))
        info = self._known[name]
        if info is None:
            return None
        if clip.start_s >= info.duration_s:
            self._problems.append(f"{info.path}: ends at {info.duration_s:.2f} s, before {clip.start_s:.2f} s")
            return None
        event, title = clip.event, clip.result.title
        at = f"{clock(event.start_s, 1)} to {clock(event.end_s, 1)}"
        return Cut(
            info, clip.start_s, min(clip.end_s, info.duration_s),
            title=event.label, below=f"{title} \N{MIDDLE DOT} {at} \N{MIDDLE DOT} {event.score:.2f}",
            chapter=one_line(f"{event.label} - {title} {at}"),
        )  # fmt: skip

    def _opened(self, clip: Clip) -> MediaInfo:
        if clip.result.video is None:
            raise AvlocError(missing_line(clip.result, self._videos))
        info = probe(clip.result.video)
        if info.video is not None:
            looks_of(info.path, 0.0)  # one that cannot be decoded must not be found out in the middle of the reel
        return info
