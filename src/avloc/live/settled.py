"""Which files of a folder have stopped growing: those whose size and date stayed for a while."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from avloc.files import files_in


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes whenever a file does: size in bytes, date in nanoseconds, and which file a name stands for."""

    size: int
    mtime_ns: int
    inode: int


def stamp_of(path: Path) -> Stamp | None:
    """Of a file now; None where there is none."""
    with contextlib.suppress(OSError):
        now = path.stat()
        return Stamp(now.st_size, now.st_mtime_ns, now.st_ino)
    return None


@dataclass
class Settling:
    """The files of a folder, looked at again and again. wanted: whether a name is of interest.

    A file counts as whole when its stamp has been the same for settle_s; the system's clock and that of another
    machine, which may write the dates, need not agree. An empty file is never whole. `vanished` tells whether the
    folder was there at the last look, `growing` how many files in it were not whole.
    """

    folder: Path
    settle_s: float
    wanted: Callable[[Path], bool]
    vanished: bool = False
    growing: int = 0
    _since: dict[Path, tuple[Stamp, float]] = field(default_factory=dict)

    def look(self) -> dict[Path, Stamp]:
        """Files that have stopped growing, with their stamps, in the order of their dates."""
        self.vanished = not self.folder.is_dir()
        if self.vanished:
            return {}
        now, seen = time.monotonic(), dict[Path, tuple[Stamp, float]]()
        for path in files_in(self.folder, lambda problem: None):
            stamp = stamp_of(path) if self.wanted(path) else None
            if stamp is None or not stamp.size:
                continue
            before = self._since.get(path)
            seen[path] = before if before is not None and before[0] == stamp else (stamp, now)
        self._since = seen
        whole = {path: stamp for path, (stamp, since) in seen.items() if now - since >= self.settle_s}
        self.growing = len(seen) - len(whole)
        return dict(sorted(whole.items(), key=lambda item: (item[1].mtime_ns, item[0])))

    @property
    def present(self) -> dict[Path, Stamp]:
        """All files of the last look, whole or not."""
        return {path: stamp for path, (stamp, _) in self._since.items()}
