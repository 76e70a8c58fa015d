"""Paths on the command line > videos to work on, and where the results of each go."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import AvlocError, MediaError, OutputError, one_line
from avloc.files import files_in
from avloc.formats.media_names import PROXY_ENDING, VIDEO_ENDINGS

MEDIA = VIDEO_ENDINGS


@dataclass(frozen=True, slots=True)
class Video:
    """A file to work on, and the path of its results without an ending, relative to the results' folder."""

    path: Path
    stem: Path


def find_videos(paths: Sequence[Path], on_problem: Callable[[str], None] | None = None) -> list[Video]:
    """Files as given; of folders, the media files by ending, at any depth, in order, but for "._" files of macOS
    and copies that pages play.

    Links to folders are followed, each folder is looked into once. Of a file and links to it, the file is taken.

    on_problem: is told of each folder that may not be read, which is then left out; without it that is an error.

    Raises:
        MediaError: a path does not exist, a folder may not be read, or holds no media file that can be reached.
    """
    if not paths:
        raise MediaError("no video was given; name a video file or a folder of videos, or see --help")
    found: list[Video] = []
    for path in paths:
        if path.is_dir():
            problems: list[str] = []
            inside = media_below(path, problems.append)
            if problems and (on_problem is None or not inside):
                raise MediaError(problems[0])
            for problem in problems:
                assert on_problem is not None
                on_problem(problem)
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


def with_left_out(status: int, folders: Sequence[str]) -> int:
    """Tell of the folders that could not be looked into, after all else; the exit status, which they make 1."""
    for line in folders:
        print(f"avloc: {one_line(line)}", file=sys.stderr)
    return status or int(bool(folders))


def media_below(folder: Path, on_problem: Callable[[str], None]) -> list[Path]:
    """The media files of a folder and of all below it, in order."""
    return [path for path in files_in(folder, on_problem) if is_media(path)]


def is_media(path: Path) -> bool:
    """Whether a file may be a video, by its name."""
    own = path.name.startswith("._") or path.name.endswith(PROXY_ENDING)
    return path.suffix.lower() in MEDIA and not own


def _stem(path: Path) -> str:
    """Name without ending; the whole name where only dots would be left, which are no name of a file."""
    return path.stem if path.stem.strip(".") else path.name


def _told_apart(videos: list[Video]) -> list[Video]:
    """Each file once, and no two results of one name: those that would share one get the ending, then the folder."""
    files: dict[Path, Video] = {}
    for video in videos:
        whole = video.path.resolve()
        if whole not in files or (files[whole].path.is_symlink() and not video.path.is_symlink()):
            files[whole] = video
    once = list(files.values())
    for rename, name in (
        (_with_ending, _folded),
        (_with_folder, _exact),
        (_with_all_folders, _exact),
        (_with_digits, _folded),
    ):
        count = Counter(map(name, once))
        once = [video if count[name(video)] == 1 else rename(video) for video in once]
    return once


def _exact(video: Video) -> str:
    return str(video.stem)


def _folded(video: Video) -> str:
    """What a file system may hold for the same name: case and composed letters do not count."""
    return unicodedata.normalize("NFC", str(video.stem)).casefold()


def _with_ending(video: Video) -> Video:
    return Video(video.path, video.stem.with_name(video.path.name))


def _with_folder(video: Video) -> Video:
    return Video(video.path, Path(video.path.resolve().parent.name) / video.stem)


def _with_all_folders(video: Video) -> Video:
    whole = video.path.resolve()
    return Video(video.path, whole.relative_to(whole.anchor))


def _with_digits(video: Video) -> Video:
    digits = hashlib.sha256(os.fsencode(video.path.resolve())).hexdigest()[:8]
    return Video(video.path, video.stem.with_name(f"{video.stem.name}~{digits}"))


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
