"""Where videos lie: a folder to look into, and the folders of what speaks of them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path, PurePosixPath

from avloc.cli.inputs import MEDIA, media_below
from avloc.errors import FormatError


class Shelf:
    """A folder of videos to look into; it is walked through once, when first asked.

    Raises:
        FormatError: it is no folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FormatError(f"{folder}: is no folder; give --videos the folder of the videos")
        self.folder = folder

    @cached_property
    def _by_place(self) -> dict[str, Path]:
        # A video in a folder that may not be read is told as missing, by who asks for it.
        inside = media_below(self.folder, lambda problem: None)
        return {p.relative_to(self.folder).as_posix(): p for p in inside}

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        names: dict[str, list[Path]] = {}
        for place, path in self._by_place.items():
            for key in {path.name, path.stem, str(PurePosixPath(place).with_suffix(""))}:
                names.setdefault(key, []).append(path)
        return names

    def find(self, recorded: str, stem: str) -> Path | None:
        """The video of a result: in the same place below the folder, else the one file of its name.

        recorded: where it was, or "". stem: its name, with folders.
        """
        name = PurePosixPath(recorded.replace("\\", "/")).name
        beside = (PurePosixPath(stem).parent / name).as_posix()
        if beside in self._by_place:
            return self._by_place[beside]
        for key in (stem, name, PurePosixPath(name).stem, PurePosixPath(stem).name):
            if len(self._by_name.get(key, ())) == 1:
                return self._by_name[key][0]
        return None


def video_at(path: str) -> Path | None:
    """The file, if it is there and its ending is that of a video: nothing else may be opened for one."""
    there = Path(path)
    return there if there.suffix.lower() in MEDIA and is_file(path) else None


class Beside:
    """The videos in the folders of files that speak of them; each folder is looked into once."""

    def __init__(self) -> None:
        self._by_name: dict[Path, dict[str, list[Path]]] = {}

    def find(self, file: Path, name: str) -> Path | None:
        """The one video of a name, with or without its ending, in the folder of a file."""
        if file.parent not in self._by_name:
            names = self._by_name[file.parent] = {}
            for path in sorted(file.parent.iterdir()):
                if path.suffix.lower() in MEDIA and path.is_file():
                    for key in (path.name, path.stem):
                        names.setdefault(key, []).append(path)
        found = self._by_name[file.parent].get(name, ())
        return found[0] if len(found) == 1 else None


def is_file(path: str) -> bool:
    """Whether a path that was read somewhere leads to a file."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # too long for the system, or with a zero byte
        return False
