"""Result folders of `avloc detect`, or labels of any format > events, video by video, and where each video lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from avloc.cli.shelf import Beside, Shelf, video_at
from avloc.errors import AvlocError, FormatError
from avloc.events import Events
from avloc.formats.activitynet import read_external
from avloc.formats.files import ENDING, below, files_below, named, sniff
from avloc.formats.media_names import seen_from
from avloc.formats.truth import Choices
from avloc.scale.manifest import Entry, read_manifest, without_outcome
from avloc.scale.shown import require_one_setting


@dataclass(frozen=True, slots=True)
class Result:
    """The events of one video.

    name is unique: the place of the file below the folder, without ending, or, where one file holds many videos,
    that of the video. recorded says where the video was, as written in the file; "" where it does not say. key is of
    what was computed by `avloc detect`, notes tell what it chose in reading the video.
    """

    name: str
    file: Path
    events: Events
    duration_s: float | None
    recorded: str
    video: Path | None
    model: str
    min_score: float | None
    key: str = ""
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name of the video's file."""
        told = PurePosixPath(self.recorded.replace("\\", "/")).name
        return told or (self.video.name if self.video else PurePosixPath(self.name).name)


def find_results(
    path: Path,
    videos: Path | None = None,
    on_problem: Callable[[str], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    choices: Choices | None = None,
    least_score: float = 0.0,
) -> list[Result]:
    """All NAME.events.json below a folder, or else its files of labels, in order; or one file of any format.

    videos: where to look for videos that are not where they were, by their place below it or by their file name.
    on_problem: is told of a file that cannot be read, which is then left out; without it that is an error.
    choices: what to read of labels that hold more than one thing.
    least_score: the least score of events that will be used; it decides whether results of several fit together.

    Raises:
        FormatError: the folder holds no result, none that can be read, or results of different settings; `videos` is
            no folder.
    """
    places = _Places(path if path.is_dir() else path.parent, None if videos is None else Shelf(videos))
    if not path.exists():
        raise FormatError(f"{path}: does not exist; give results of `avloc detect`, or labels")
    files = files_below(path) if path.is_dir() else [path]
    require_one_setting(path, files, least_score)
    found: dict[Path, dict[str, Result]] = {}
    problems: list[str] = []
    for number, file in enumerate(files, 1):
        try:
            found[file] = _read(file, places, choices or Choices())
        except AvlocError as error:
            if on_problem is None:
                raise
            problems.append(str(error))
            on_problem(str(error))
        if on_progress is not None:
            on_progress(number, len(files))
    if problems and not found:
        raise FormatError(f"{path}: none of {len(files)} results can be read; the first: {problems[0]}")
    if path.is_dir():
        return [replace(result, name=name) for name, result in below(path, found).items()]
    alone = path.name.endswith(ENDING) and len(found[path]) == 1
    stem = path.name.removesuffix(ENDING)
    return [replace(result, name=stem) if alone else result for result in found[path].values()]


def _read(file: Path, places: _Places, choices: Choices) -> dict[str, Result]:
    """The results of a file, by the name that it gives to each video."""
    form = sniff(file)
    own = form == "activitynet"
    about = read_external(file) if own else {}
    recorded = _text(about, "video") or _text(about, "source")
    videos = named(form).read(file, choices)
    return {
        video: Result(
            name=video,
            file=file,
            events=truth.events,
            duration_s=truth.duration_s if math.isfinite(truth.duration_s) else None,
            recorded=(recorded if len(videos) == 1 else video) if own else seen_from(truth.media, file),
            video=places.find(file, video, truth.media),
            model=_text(about, "model"),
            min_score=_number(about, "min_score"),
            key=_text(about, "key"),
            notes=_texts(about, "notes"),
        )
        for video, truth in videos.items()
    }


def without_result(path: Path) -> list[Entry]:
    """What a run of `avloc detect` into a folder could not search, or did not for want of picture or sound.

    Raises:
        OutputError: the folder's manifest cannot be read.
    """
    return without_outcome(path, read_manifest(path).values()) if path.is_dir() else []


class _Places:
    """Where videos are: as the file says, else in a folder that was named, else beside the file."""

    def __init__(self, root: Path, shelf: Shelf | None) -> None:
        self.root, self.shelf, self.beside = root, shelf, Beside()

    def find(self, file: Path, video: str, media: str) -> Path | None:
        if media and (there := video_at(media)) is not None:
            return there
        inside = PurePosixPath(file.parent.relative_to(self.root).as_posix()) / video
        found = None if self.shelf is None else self.shelf.find(media, inside.as_posix())
        return found or self.beside.find(file, PurePosixPath(video).name)


def missing_line(result: Result, videos: Path | None) -> str:
    """What to say of a video that is nowhere."""
    where = f"{result.recorded!r} beside {result.file}" if result.recorded else f"{result.file} does not say where"
    looked = f" nor in {videos}" if videos else "; name its folder with --videos"
    return f"{result.name}: its video is missing ({where}){looked}"


def _text(about: Mapping[str, object], key: str) -> str:
    value = about.get(key)
    return value if isinstance(value, str) else ""


def _texts(about: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = about.get(key)
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _number(about: Mapping[str, object], key: str) -> float | None:
    value = about.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return None
    return float(value)
