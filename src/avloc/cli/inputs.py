"""Paths on the command line > videos to work on, and where the results of each go."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import AvlocError, MediaError, OutputError

_ENDINGS = "3gp asf avi divx f4v flv m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogm ogv ts vob webm wmv"
MEDIA = frozenset("." + ending for ending in _ENDINGS.split())


@dataclass(frozen=True, slots=True)
class Video:
    """A file to work on, and the path of its results without an ending, relative to the results' folder."""

    path: Path
    stem: Path


def find_videos(paths: Sequence[Path]) -> list[Video]:
    """Files as given; of folders, the media files by ending, at any depth, in order, but for "._" files of macOS.

    Raises:
        MediaError: a path does not exist, or a folder holds no media file.
    """
    if not paths:
        raise MediaError("no video was given; name a video file or a folder of videos, or see --help")
    found: list[Video] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if _is_media(p))
            if not inside:
                raise MediaError(
                    f"{path}: holds no video (looked for {', '.join(sorted(MEDIA))}); give a folder with some"
                )
            found += [Video(p, p.relative_to(path).with_name(_stem(p))) for p in inside]
        elif path.exists():
            found.append(Video(path, Path(_stem(path))))
        else:
            raise MediaError(f"{path}: does not exist; give a video file or a folder of videos")
    return _told_apart(found)


def _is_media(path: Path) -> bool:
    return path.suffix.lower() in MEDIA and not path.name.startswith("._") and path.is_file()


def _stem(path: Path) -> str:
    """Name without ending; the whole name where only dots would be left, which are no name of a file."""
    return path.stem if path.stem.strip(".") else path.name


def _told_apart(videos: list[Video]) -> list[Video]:
    """Each file once, and no two results of one name: those that would share one get the ending, then the folder."""
    once = list({video.path.resolve(): video for video in videos}.values())
    for rename in (_with_ending, _with_folder, _with_all_folders):
        count = Counter(video.stem for video in once)
        once = [video if count[video.stem] == 1 else rename(video) for video in once]
    return once


def _with_ending(video: Video) -> Video:
    return Video(video.path, video.stem.with_name(video.path.name))


def _with_folder(video: Video) -> Video:
    return Video(video.path, Path(video.path.resolve().parent.name) / video.stem)


def _with_all_folders(video: Video) -> Video:
    whole = video.path.resolve()
    return Video(video.path, whole.relative_to(whole.anchor))


def require_least_score(score: float | None) -> None:
    """Raise AvlocError where --min-score is no score of a detection."""
    if score is not None and not 0 <= score <= 1:
        raise AvlocError(f"--min-score is {score}; a number from 0 to 1 is needed")


def require_writable(folder: Path) -> None:
    """Make `folder` and try to write there, before long work is done for nothing.

    Raises:
        OutputError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{folder}: cannot be written to ({reason}); give a folder that is writable") from None
