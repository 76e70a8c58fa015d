"""Features of videos, made once and kept: a video whose content changed is done again, one that is done is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from avloc.datasets.check import Problem
from avloc.errors import AvlocError, FeatureError, OutputError
from avloc.features.extractors.base import Extractor
from avloc.features.store import ENDING, StoreHeader, read_store_header, save_features
from avloc.files import file_hash
from avloc.own.matching import VideoFile
from avloc.streams import Streams
from avloc.timegrid import TimeGrid


@dataclass(frozen=True, slots=True)
class Done:
    """How far the extraction has come: the name at hand, videos and seconds of video done and in all."""

    video: str
    number: int
    count: int
    seconds: float
    of_seconds: float


@dataclass(frozen=True, slots=True)
class Kept:
    """Features by video, how many were made now, and the videos that could not be read."""

    headers: Mapping[str, StoreHeader]
    paths: Mapping[str, Path]
    made: int
    problems: tuple[Problem, ...]


def keep_features(
    files: Mapping[str, VideoFile],
    durations_s: Mapping[str, float],
    folder: Path,
    grid: TimeGrid,
    extractor: Extractor,
    *,
    read: Streams | None = None,
    skip_bad: bool = False,
    on_progress: Callable[[Done], None] = lambda done: None,
) -> Kept:
    """Features of each video at its place below `folder`, as `avloc extract --out` lays them.

    read: the streams that will be read; a file where those are right is not made anew. Without it all must be.

    Raises:
        MediaError: a video cannot be read, and `skip_bad` is not asked for.
        OutputError: the folder cannot be written to.
    """
    headers, paths, problems = {}, {}, []
    wanted = extractor.streams if read is None else read
    made, before_s, total_s = 0, 0.0, sum(durations_s[name] for name in files)
    for number, (name, video) in enumerate(files.items(), 1):

        def tell(seconds: float, name: str = name, number: int = number, before_s: float = before_s) -> None:
            on_progress(Done(name, number, len(files), before_s + seconds, total_s))

        path = folder / video.stem.parent / f"{video.stem.name}{ENDING}"
        tell(0.0)
        try:
            if not _stands(path, video.path, grid, wanted):
                path.parent.mkdir(parents=True, exist_ok=True)
                save_features(extractor.extract(video.path, grid, on_seconds=tell), path)
                made += 1
            headers[name], paths[name] = read_store_header(path), path
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"{path.parent}: cannot be written to ({error.strerror}); name another folder"
            ) from None
        except AvlocError as error:
            if not skip_bad:
                raise type(error)(f"{error}; --skip-bad leaves such videos out") from None
            problems.append(Problem("files", name, str(error)))
        before_s += durations_s[name]
        tell(0.0, before_s=before_s)
    return Kept(headers, paths, made, tuple(problems))


def _stands(path: Path, video: Path, grid: TimeGrid, wanted: Streams) -> bool:
    try:
        header = read_store_header(path)
    except FeatureError:
        return False
    return header.grid == grid and not wanted.unlike(header.streams) and header.source_hash == file_hash(video)
