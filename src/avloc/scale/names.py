"""Names of results: no two videos share one, and a video keeps the one it has."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from avloc.scale.manifest import Entry

_LONGEST_BYTES = 200  # of a file name without ending; systems take 255 with it


def settle(videos: Sequence[tuple[Path, str]], entries: Mapping[str, Entry], folder: Path) -> list[str]:
    """The name of each video's result below `folder`, in POSIX form.

    videos: path of the video, and the name that it would like. One that the manifest knows keeps its name; another
    gets the name it would like, or a longer one where that is taken.
    """
    known = {entry.path(folder): name for name, entry in entries.items()}
    taken = {_folded(name) for name in entries}
    names: list[str] = [known.get(_whole(path), "") for path, _ in videos]
    for number, (path, wish) in enumerate(videos):
        if not names[number]:
            free = (
                name
                for name in _wishes(path, wish)
                if _folded(name) not in taken or (name not in names and _moved(path, entries.get(name), folder))
            )
            names[number] = next(free)
            taken.add(_folded(names[number]))
    return names


def _wishes(path: Path, wish: str) -> Iterator[str]:
    whole = _whole(path)
    inside = PurePosixPath(wish)
    yield _fitting(wish)
    yield _fitting(str(inside.with_name(path.name)))
    yield _fitting(str(PurePosixPath(whole.parent.name, inside.parent, path.name)))
    yield _fitting(whole.relative_to(whole.anchor).as_posix())
    yield _fitting(f"{inside}~{_digits(str(whole))}")


def _moved(path: Path, entry: Entry | None, folder: Path) -> bool:
    """Whether the video of an entry is this very file, moved here."""
    try:
        now = path.stat()
        gone = entry is not None and not entry.path(folder).exists()
    except OSError:
        return False
    return gone and entry is not None and (entry.size, entry.mtime_ns) == (now.st_size, now.st_mtime_ns)


def _fitting(name: str) -> str:
    """The name with a last part that is short enough for a file name."""
    place = PurePosixPath(name)
    if len(os.fsencode(place.name)) <= _LONGEST_BYTES:
        return name
    short = os.fsencode(place.name)[: _LONGEST_BYTES - 9].decode("utf-8", "ignore")
    return str(place.with_name(f"{short}~{_digits(place.name)}"))


def _whole(path: Path) -> Path:
    return path.parent.resolve() / path.name


def _folded(name: str) -> str:
    """What a file system may hold for the same name: case and composed letters do not count."""
    return unicodedata.normalize("NFC", name).casefold()


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
