"""Result folders of `avloc detect` > detections, video by video, and where each video lies."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from avloc.cli.inputs import MEDIA
from avloc.cli.predictions import ENDING
from avloc.errors import AvlocError, FormatError
from avloc.events import Events
from avloc.formats.activitynet import read_external, read_results


@dataclass(frozen=True, slots=True)
class Result:
    """The detections of one video.

    name is unique: the place of the file below the folder, without ending, or, where one file holds many videos,
    that of the video. recorded says where the video was, as written in the file; "" where it does not say.
    """

    name: str
    file: Path
    events: Events
    duration_s: float | None
    recorded: str
    video: Path | None
    model: str
    min_score: float | None

    @property
    def title(self) -> str:
        """Name of the video's file."""
        return PurePosixPath(self.recorded.replace("\\", "/")).name or PurePosixPath(self.name).name


def find_results(
    path: Path,
    videos: Path | None = None,
    on_problem: Callable[[str], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """All NAME.events.json below a folder, in order, or one file of detections.

    videos: where to look for videos that are not where they were, by their place below it or by their file name.
    on_problem: is told of a file that cannot be read, which is then left out; without it that is an error.

    Raises:
        FormatError: the folder holds no result, or none that can be read; `videos` is no folder.
    """
    if videos is not None and not videos.is_dir():
        raise FormatError(f"{videos}: is no folder; give --videos the folder of the videos")
    if not path.exists():
        raise FormatError(f"{path}: does not exist; give a folder of results, as `avloc detect --out` makes it")
    files = sorted(path.rglob(f"*{ENDING}")) if path.is_dir() else [path]
    if not files:
        raise FormatError(f"{path}: holds no file that ends in {ENDING}; give what `avloc detect --out` wrote to")
    root = path if path.is_dir() else path.parent
    shelf = None if videos is None else Shelf(videos)
    found: list[Result] = []
    problems: list[str] = []
    for number, file in enumerate(files, 1):
        try:
            found += _read(file, root, shelf)
        except AvlocError as error:
            if on_problem is None:
                raise
            problems.append(str(error))
            on_problem(str(error))
        if on_progress is not None:
            on_progress(number, len(files))
    if problems and not found:
        raise FormatError(f"{path}: none of {len(files)} results can be read; the first: {problems[0]}")
    return found


def _read(file: Path, root: Path, shelf: Shelf | None) -> list[Result]:
    results, about = read_results(file), read_external(file)
    stem = file.relative_to(root).as_posix().removesuffix(ENDING).removesuffix(".json")
    recorded = _text(about, "video") or _text(about, "source")
    alone = len(results) == 1
    return [
        Result(
            name=stem if alone else f"{stem}/{video}",
            file=file,
            events=events,
            duration_s=_number(about, "duration") if alone else None,
            recorded=recorded if alone else video,
            video=_place(file, recorded if alone else video, stem if alone else video, shelf),
            model=_text(about, "model"),
            min_score=_number(about, "min_score"),
        )
        for video, events in results.items()
    ]


def _place(file: Path, recorded: str, stem: str, shelf: Shelf | None) -> Path | None:
    """Where the video is: as recorded, seen from the result's folder, else on the shelf."""
    if recorded and "\0" not in recorded:
        there = Path(os.path.normpath(file.parent / recorded))
        with suppress(OSError):  # a name that the system finds too long
            if there.suffix.lower() in MEDIA and there.is_file():
                return there
    return None if shelf is None else shelf.find(recorded, stem)


class Shelf:
    """A folder of videos to look into; it is walked through once, when first asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _by_place(self) -> dict[str, Path]:
        inside = sorted(p for p in self.folder.rglob("*") if p.suffix.lower() in MEDIA and p.is_file())
        return {p.relative_to(self.folder).as_posix(): p for p in inside}

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        names: dict[str, list[Path]] = {}
        for place, path in self._by_place.items():
            for key in {path.name, path.stem, str(PurePosixPath(place).with_suffix(""))}:
                names.setdefault(key, []).append(path)
        return names

    def find(self, recorded: str, stem: str) -> Path | None:
        """The video of a result: in the same place below the folder, else the one file of its name."""
        name = PurePosixPath(recorded.replace("\\", "/")).name
        beside = (PurePosixPath(stem).parent / name).as_posix()
        if beside in self._by_place:
            return self._by_place[beside]
        for key in (stem, name, PurePosixPath(stem).name):
            if len(self._by_name.get(key, ())) == 1:
                return self._by_name[key][0]
        return None


def missing_line(result: Result, videos: Path | None) -> str:
    """What to say of a video that is nowhere."""
    where = f"{result.recorded!r} beside {result.file}" if result.recorded else f"{result.file} does not say where"
    looked = f" nor in {videos}" if videos else "; name its folder with --videos"
    return f"{result.name}: its video is missing ({where}){looked}"


def _text(about: Mapping[str, object], key: str) -> str:
    value = about.get(key)
    return value if isinstance(value, str) else ""


def _number(about: Mapping[str, object], key: str) -> float | None:
    value = about.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return None
    return float(value)
