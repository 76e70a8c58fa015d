"""Videos that events are of > what editors' files and the time of day take from them; and videos with chapters."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from avloc.cli.shelf import Beside, Shelf, video_at
from avloc.errors import AvlocError, FormatError
from avloc.formats.chapters import Chapter, chapters_of, events_of
from avloc.formats.files import Format
from avloc.formats.footage import Footage
from avloc.formats.text import PathLike, only_video, video_name
from avloc.formats.timecode import Timecode, can_drop, exact_rate, is_drop
from avloc.formats.truth import Choices, Truth
from avloc.media import remux
from avloc.media.recording import Recording, recording

_DIRECTIVES = {
    **{f"%{sign}": r"\d{2}" for sign in "ymdHIMS"},
    **{f"%{sign}": r"[^\W\d_]+" for sign in "bBp"},
    "%Y": r"\d{4}",
    "%j": r"\d{3}",
    "%f": r"\d{1,6}",
    "%z": r"(?:Z|[+-]\d{2}:?\d{2})",
    "%%": "%",
}


class Videos:
    """Where the videos of some files of events lie, and what is known of each.

    shelf: a folder to look into. sources: the files and folders of events, beside which videos may lie. fps,
    timecode: what a person says in place of the videos.

    Raises:
        AvlocError: the timecode is none.
    """

    def __init__(self, shelf: Shelf | None, sources: list[Path], fps: float | None, timecode: str | None) -> None:
        self.shelf, self.sources, self.beside = shelf, sources, Beside()
        self.rate = None if fps is None else exact_rate(fps)
        self.timecode = timecode
        self._seen: dict[Path, Recording] = {}

    def find(self, video: str, media: str = "") -> Path | None:
        """The file of a video: where it is said to be, else on the shelf, else beside what speaks of it."""
        if media and (there := video_at(media)) is not None:
            return there
        if self.shelf is not None and (on_shelf := self.shelf.find(media, video)) is not None:
            return on_shelf
        for source in self.sources:
            place = source / video if source.is_dir() else source.parent / PurePosixPath(video).name
            if place.parent.is_dir() and (found := self.beside.find(place, place.name)) is not None:
                return found
        return None

    def footage(self, video: str, media: str = "") -> Footage | None:
        """How the frames of a video are counted; None where neither it nor a person tells the rate."""
        path = self.find(video, media)
        seen = None if path is None else self._recording(path)
        rate = self.rate or (seen.rate if seen else None)
        if rate is None:
            return None
        told = self.timecode or (seen.timecode if seen else "")
        code = Timecode(rate, is_drop(told) and (self.timecode is not None or can_drop(rate)))
        start = _start(code, self.timecode, seen)
        if seen is None or seen.rate is None:
            return Footage(code, start)
        length_s = math.inf if seen.length_s is None else seen.length_s
        return Footage(code, start, seen.first_s, length_s, seen.width, seen.height, seen.sound)

    def began(self, video: str, media: str, time_from: str) -> datetime.datetime:
        """Time of day at the beginning of a video.

        time_from: "metadata", or "name:" and how a time stands in the file's name, in the signs of strftime.

        Raises:
            AvlocError: nothing tells it.
        """
        path = self.find(video, media)
        way, _, pattern = time_from.partition(":")
        if way == "name" and pattern:
            name = path.name if path else PurePosixPath(media or video).name
            return _in_name(name, pattern)
        if time_from != "metadata":
            raise AvlocError(f"--time-from is {time_from!r}; metadata, or name:%Y%m%d-%H%M%S and the like, is needed")
        if path is None:
            raise FormatError(f"{video}: its video is not there to tell when it began; name its folder with --videos")
        told = self._recording(path).began
        if told is None:
            raise AvlocError(
                f"{path}: its metadata do not say when it began; where the name does, "
                "--time-from name:%Y%m%d-%H%M%S and the like take it from there"
            )
        return told

    def _recording(self, path: Path) -> Recording:
        if path not in self._seen:
            self._seen[path] = recording(path)
        return self._seen[path]


def _start(code: Timecode, said: str | None, seen: Recording | None) -> int | None:
    if said is not None:
        return code.frame(said, "--timecode")
    if seen is None or not seen.timecode:
        return None
    try:
        return code.frame(seen.timecode, "")
    except FormatError:  # recorders write odd ones; the video then begins at zero
        return None


def _in_name(name: str, pattern: str) -> datetime.datetime:
    parts = re.split(r"(%.)", pattern)
    odd = next((part for part in parts if part.startswith("%") and part not in _DIRECTIVES), None)
    if odd is not None:
        raise AvlocError(f"--time-from: {odd} is none of {' '.join(_DIRECTIVES)}")
    form = "".join(_DIRECTIVES.get(part, re.escape(part)) for part in parts)
    found = re.search(rf"(?<!\d){form}(?!\d)", name)
    try:
        if found:
            return datetime.datetime.strptime(found[0], pattern)
    except ValueError:
        pass
    raise AvlocError(f"{name}: holds no time of the form {pattern}; give --time-from name: and the form that it has")


def _read_media(path: PathLike, _: Choices) -> dict[str, Truth]:
    chapters = [Chapter(*span) for span in remux.read_chapters(Path(path))]
    if not chapters:
        raise FormatError(f"{path}: has no chapters to read; avloc detect finds its events")
    return {video_name(path): Truth.of(events_of(chapters), chapters[-1].end_ms / 1000, str(path))}


def _write_media(path: PathLike, videos: Mapping[str, Truth]) -> None:
    truth = only_video(videos, path, "chapters")
    source = video_at(truth.media) if truth.media else None
    if source is None:
        name = next(iter(videos))
        raise FormatError(f"{path}: the video {name!r} is not there to be copied; name its folder with --videos")
    if source.resolve() == Path(path).resolve():
        raise FormatError(f"{path}: is the video itself; give another file to write")
    length_s = recording(source).length_s
    if length_s is not None and math.isinf(truth.duration_s):
        truth = replace(truth, duration_s=length_s)
    spans = [(c.start_ms, c.end_ms, c.title) for c in chapters_of(truth, path, "chapters")]
    remux.copy_with_chapters(source, Path(path), spans)


MEDIA: Mapping[str, Format] = {
    "chapters": Format("chapters of a video", remux.ENDINGS, False, False, _read_media, _write_media)
}
"""What is written into a copy of the video itself."""
