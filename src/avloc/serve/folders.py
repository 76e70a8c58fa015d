"""Which videos of this machine a server may read: those below its folders, links followed first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import AvlocError
from avloc.serve.refused import RefusedError


@dataclass(frozen=True, slots=True)
class Folders:
    """Whole paths of folders."""

    roots: tuple[Path, ...] = ()

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Folders:
        """Raises AvlocError where a path is no folder."""
        for path in paths:
            if not path.is_dir():
                raise AvlocError(f"{path}: is no folder; name one whose videos may be read")
        return cls(tuple(path.resolve() for path in paths))

    def video(self, asked: str) -> Path:
        """The video at a path, whole or as seen from one of the folders.

        Raises:
            RefusedError: it lies outside of them, or there is none. Of what lies outside, nothing else is told.
        """
        if not self.roots:
            raise RefusedError(
                403, "this server reads no paths, only uploads; it is started with --folder to read some"
            )
        if not asked or "\0" in asked or len(asked) > 4096:
            raise RefusedError(422, "the path is empty, too long or holds a zero byte; give the path of a video")
        inside: list[Path] = []
        for root in self.roots:
            try:
                whole = (root / asked).resolve()  # a whole path stands for itself
            except (OSError, RuntimeError, ValueError):
                continue
            if any(whole.is_relative_to(other) for other in self.roots):
                inside.append(whole)
        if not inside:
            raise RefusedError(403, "the path lies outside of the folders that this server may read")
        found = next((path for path in inside if _is_file(path)), None)
        if found is None:
            raise RefusedError(404, "there is no such video below the folders that this server may read")
        return found

    def holds(self, path: Path) -> bool:
        """Whether a path, links followed, still lies below one of them."""
        try:
            whole = path.resolve()
        except (OSError, RuntimeError):
            return False
        return any(whole.is_relative_to(root) for root in self.roots)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
