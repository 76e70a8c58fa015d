"""A lock on a folder that a process holds as long as it lives; the system lets it go when the process dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from avloc.errors import OutputError


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Yields whether the lock is ours. The file holds the holder's process id, for a person to read; it stays.

    Raises:
        OutputError: the file cannot be made.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise OutputError(f"{path}: cannot be made ({error.strerror}); name a folder you may write to") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield True
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock."""
    if not path.is_file():
        return False
    with locked(path) as mine:
        return not mine
