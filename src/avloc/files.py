"""Files as they lie on a disk: replaced whole or not at all, told by their content, found below a folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from avloc.errors import OutputError


def replace_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`, whole or not at all.

    Raises:
        OutputError: as `replacing`.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary name in the same folder to write to; what lies there at the end is renamed to `path`.

    A reader sees the old file or the new one, never half of it; a stopped run leaves `path` as it was.

    Raises:
        OutputError: the folder is missing, the place is not writable, or the disk is full.
    """
    target = Path(path)
    temporary = target.parent / f".avloc-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        try:
            yield temporary
            temporary.replace(target)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise OutputError(f"{target}: cannot be written ({_reason(target, error)}); {_remedy(error)}") from error


def make_folder(folder: Path) -> None:
    """Make a folder for results.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{folder}: cannot be made ({reason}); give a folder that is writable") from None


def file_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of the file's content, as hex digits. Raises OSError where it cannot be read."""
    with Path(path).open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def files_in(folder: Path, on_problem: Callable[[str], None]) -> list[Path]:
    """The files of a folder and of all below it, in order of their paths.

    Links to folders are followed, and each folder is looked into once: what can be reached both ways is found by its
    own path. on_problem: is told of each folder that may not be read.
    """
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    waiting, links = [folder], list[Path]()
    while waiting or links:
        here = waiting.pop() if waiting else links.pop(0)
        try:
            status = here.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(here.iterdir())
            folders = [entry for entry in entries if entry.is_dir()]
            found += [entry for entry in entries if entry.is_file()]
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            on_problem(f"{here}: cannot be looked into ({reason}); make it readable, or leave it out")
            continue
        waiting += [entry for entry in reversed(folders) if not entry.is_symlink()]
        links += [entry for entry in folders if entry.is_symlink()]
    return sorted(found)


def _remedy(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "make room, or name a place on another disk"
    return "name a file in a folder you may write to"


def _reason(target: Path, error: Exception) -> str:
    # The system speaks of the temporary file, which nobody has heard of: say what is true of the target.
    if isinstance(error, FileNotFoundError):
        return f"there is no folder {target.parent}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)
