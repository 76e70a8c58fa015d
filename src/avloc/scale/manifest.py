"""The manifest of a results folder: which video is done, failed or skipped (and why) or pending.

`manifest.jsonl` (of detection; other work has one of another name) holds a JSON object a line. Each change of state
is appended; the last line of a result wins. A line that a crash cut off is no line, so at worst one state is
forgotten, and what it told is found out again from the result itself. Every run begins by writing the file anew with
a line for each result.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from io import FileIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal, get_args

from avloc.errors import OutputError
from avloc.files import replace_file

MANIFEST = "manifest.jsonl"
_SYNC_S = 1.0
State = Literal["pending", "done", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Entry:
    """State of one video.

    result is the place of its JSON file below the folder without ending, video its own as seen from the folder; both
    in POSIX form. size and mtime_ns are the video's when the state came about; settings and key are of what is
    computed, not of what is shown of it. page is the latest page, as seen from the folder.
    """

    result: str
    video: str
    state: State = "pending"
    reason: str = ""
    key: str = ""
    settings: str = ""
    size: int = -1
    mtime_ns: int = -1
    page: str = ""

    def path(self, folder: Path) -> Path:
        """Where the video lies."""
        return Path(os.path.normpath(folder.resolve() / self.video))


def read_manifest(folder: Path, name: str = MANIFEST) -> dict[str, Entry]:
    """Entries by result, in the order of the file; {} where there is no manifest.

    Raises:
        OutputError: the file cannot be read, or a result would lie outside of the folder.
    """
    path = folder / name
    try:
        lines = path.read_bytes().split(b"\n") if path.exists() else []
    except OSError as error:
        raise OutputError(f"{path}: cannot be read ({(error.strerror or str(error)).lower()})") from None
    entries: dict[str, Entry] = {}
    for number, line in enumerate(lines, 1):
        entry = _entry(line)
        if entry is None:
            continue
        if not is_inside(entry.result):
            raise OutputError(
                f"{path}, line {number}: the result {entry.result!r} would lie outside of the folder; "
                "this manifest is not from avloc: delete it, or give another folder"
            )
        entries[entry.result] = entry
    return entries


def without_outcome(folder: Path, entries: Iterable[Entry]) -> list[Entry]:
    """Those that failed or were skipped and whose videos are still there, by name."""
    lacking = (entry for entry in entries if entry.state in ("failed", "skipped"))
    return sorted((e for e in lacking if e.path(folder).exists()), key=lambda entry: entry.result)


def is_inside(result: str) -> bool:
    """Whether a place in POSIX form stays below the folder that it is joined to, on any system."""
    windows = PureWindowsPath(result)
    parts = PurePosixPath(result).parts
    outside = "\0" in result or result.startswith("/") or windows.drive or windows.root
    return bool(parts) and not outside and ".." not in parts and ".." not in windows.parts


class Manifest:
    """The manifest of a folder during a run; one process writes it."""

    def __init__(self, folder: Path, name: str = MANIFEST) -> None:
        self.folder = folder
        self.path = folder / name
        self.entries = read_manifest(folder, name)
        self._file: FileIO | None = None
        self._synced = 0.0

    def begin(self, entries: Iterable[Entry]) -> None:
        """Add or replace entries and write the file anew.

        Raises:
            OutputError: it cannot be written.
        """
        self.close()
        self.entries |= {entry.result: entry for entry in entries}
        ordered = sorted(self.entries.values(), key=lambda entry: entry.result)
        replace_file(self.path, b"".join(map(_line, ordered)))

    def put(self, result: str, state: State, **changes: str | int) -> None:
        """Append a change of state. A kill loses none; a power cut may lose the latest, for not every line waits for
        the disk, which takes some hundred a second.

        Raises:
            OutputError: it cannot be written.
        """
        entry = replace(self.entries[result], state=state, **changes)  # type: ignore[arg-type]
        try:
            if self._file is None:
                self._file = self.path.open("ab", buffering=0)
            line = _line(entry)
            if self._file.write(line) != len(line):
                raise OSError("no space left on device")
            if time.monotonic() - self._synced > _SYNC_S:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise OutputError(
                f"{self.path}: cannot be written ({reason}); make room, then run the same again"
            ) from None
        self.entries[result] = entry

    def close(self) -> None:
        """Let the file go, all of it on the disk."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


def _line(entry: Entry) -> bytes:
    known = {name: value for name, value in asdict(entry).items() if value not in ("", -1)}
    return json.dumps(known).encode() + b"\n"


_KINDS: Mapping[str, type] = {f.name: int if f.type == "int" else str for f in fields(Entry)}


def _entry(line: bytes) -> Entry | None:
    try:
        known = json.loads(line)
        if not isinstance(known, dict) or known.get("state") not in get_args(State):
            return None
        if any(type(value) is not _KINDS.get(name) for name, value in known.items()):
            return None
        return Entry(**known)
    except (ValueError, TypeError, RecursionError):
        return None
