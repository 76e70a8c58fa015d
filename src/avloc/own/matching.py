"""Names in a file of labels > the videos of a folder that they mean."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class VideoFile:
    """A video, and its path below the folder of videos without an ending, by which its features are kept."""

    path: Path
    stem: Path

    @property
    def place(self) -> PurePosixPath:
        """Path below the folder, with the ending."""
        return PurePosixPath(self.stem.parent.as_posix()) / self.path.name


@dataclass(frozen=True, slots=True)
class Matched:
    """What names mean: `files` by name; names of no file, of several; names that share a file; files of no name."""

    files: dict[str, VideoFile]
    missing: tuple[str, ...]
    ambiguous: dict[str, tuple[VideoFile, ...]]
    shared: dict[str, tuple[str, ...]]
    unlabelled: tuple[VideoFile, ...]


def match_names(names: Iterable[str], videos: Sequence[VideoFile]) -> Matched:
    """Each name's video: by its path below the folder, else by its file name, each with the ending, else without.

    Capital letters count only where it takes them to decide. Folders that a name begins with and that are not there
    are left out, so that labels made on another computer find their videos.
    """
    tables = [_table(videos, key) for key in _KEYS]
    found: dict[str, VideoFile] = {}
    missing: list[str] = []
    ambiguous: dict[str, tuple[VideoFile, ...]] = {}
    for name in names:
        candidates = _candidates(_clean(name), tables)
        if not candidates:
            missing.append(name)
        elif len(candidates) > 1:
            ambiguous[name] = tuple(candidates)
        else:
            found[name] = candidates[0]
    by_file: dict[Path, list[str]] = defaultdict(list)
    for name, video in found.items():
        by_file[video.path].append(name)
    shared = {str(path): tuple(several) for path, several in by_file.items() if len(several) > 1}
    named = {video.path for several in (found.values(), *ambiguous.values()) for video in several}
    return Matched(found, tuple(missing), ambiguous, shared, tuple(v for v in videos if v.path not in named))


_Table = dict[str, list[VideoFile]]
_KEYS: tuple[Callable[[PurePosixPath], str], ...] = (
    str,
    lambda place: str(place.with_suffix("")),
    lambda place: place.name,
    lambda place: place.stem,
)


def _table(videos: Sequence[VideoFile], key: Callable[[PurePosixPath], str]) -> _Table:
    table: _Table = defaultdict(list)
    for video in videos:
        table[_clean(key(video.place))].append(video)
    return table


def _candidates(name: str, tables: Sequence[_Table]) -> list[VideoFile]:
    for spoken in (name, name.rsplit("/", 1)[-1]):
        for table in tables:
            if table.get(spoken):
                return table[spoken]
    folded = name.rsplit("/", 1)[-1].casefold()
    for table in tables[2:]:
        alike = [video for key, several in table.items() if key.casefold() == folded for video in several]
        if alike:
            return alike
    return []


def _clean(name: str) -> str:
    """One way to write a path: composed letters, forward strokes, no `./` before it."""
    return unicodedata.normalize("NFC", name).replace("\\", "/").removeprefix("./")
