"""What was found and what of it was told, in one file that outlives kills and power cuts (SQLite).

A file's outcome and its events are written in one transaction, each event as `pending`. Before one is told it becomes
`telling`, afterwards `told`. What is found as `telling` at a start was cut off amid being told: whether it arrived is
not known, so it becomes `uncertain` and is not told again. So no event is told twice, and at most the one that was
being told at a kill may be missing, which is said.

Events belong to a recording, which is known by its first packets, whatever its name: a file that is renamed, goes on
growing or is cut short holds the same recording, and an event of it that was told is known by class and overlap.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import OutputError
from avloc.events import Event, Events
from avloc.live.settled import Stamp

STATE = "watch.sqlite"
_VERSION = 1
_SAME = 0.5
_TABLES = """
create table if not exists files (
  path text primary key, size integer, mtime_ns integer, inode integer, recording text, state text, reason text);
create table if not exists events (
  number integer primary key, id text, recording text, path text, label text, start_s real, end_s real, score real,
  began text, state text, tries integer default 0);
create index if not exists of_recording on events (recording);
create index if not exists by_state on events (state);
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording: its id by its first packets, and when it began, in ISO 8601 with a time zone, or ""."""

    id: str
    began: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """An event of a file, as it is to be told. number: in the order of being found; id: the same whenever;
    began: when its recording did, in ISO 8601, or "". tries: how often it was told in vain."""

    number: int
    id: str
    path: Path
    event: Event
    recording: str = ""
    began: str = ""
    tries: int = 0


class Told:
    """The state of one watched folder. Raises OutputError where the file cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._instructing():
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("pragma synchronous = full")
            version = self._db.execute("pragma user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise OutputError(f"{path}: another version of avloc wrote it; give another --out")
            self._db.executescript(_TABLES)
            self._db.execute(f"pragma user_version = {_VERSION}")

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def is_known(self, path: Path, stamp: Stamp) -> bool:
        """Whether a file had its outcome as it is now; which file the name stands for does not count."""
        with self._instructing():
            found = self._db.execute("select size, mtime_ns from files where path = ?", (_text(path),)).fetchone()
        return bool(found == (stamp.size, stamp.mtime_ns))

    def is_new(self) -> bool:
        """Whether no watch ever began here."""
        with self._instructing():
            return self._db.execute("select 1 from files limit 1").fetchone() is None

    def put_failed(self, path: Path, stamp: Stamp, state: str, reason: str) -> None:
        """A file has no events, and why."""
        with self._transaction():
            self._put_file(path, stamp, "", state, reason)

    def put_begun(self, files: Mapping[Path, Stamp]) -> None:
        """A watch began; files that are passed over until they change. All of it or nothing."""
        with self._transaction():
            self._put_file(Path(), Stamp(0, 0, 0), "", "begun", "")  # no file has this path
            for path, stamp in files.items():
                self._put_file(path, stamp, "", "present", "was there at the start")

    def put_found(self, path: Path, stamp: Stamp, recording: Recorded, events: Events) -> int:
        """A file's events, of which those that are new wait to be told; how many these are."""
        new = 0
        with self._transaction():
            known = [
                Event(start_s, end_s, label, score)
                for start_s, end_s, label, score in self._db.execute(
                    "select start_s, end_s, label, score from events where recording = ?", (recording.id,)
                )
            ]
            for event in events.by_time():
                if not any(_same(event, other) for other in known):
                    new += 1
                    self._put_event(path, recording, event)
            self._put_file(path, stamp, recording.id, "done", "")
        return new

    def cut_off(self) -> list[Noted]:
        """Events that were being told when an earlier run was killed; from now on they count as uncertain."""
        found = self._events("telling")
        with self._transaction():
            self._db.execute("update events set state = 'uncertain' where state = 'telling'")
        return found

    def pending(self) -> list[Noted]:
        """Events that wait to be told, in the order of being found; those that were told in vain come later."""
        return self._events("pending")

    def set_state(self, noted: Noted, state: str) -> None:
        """An event is `telling`, `told` or `pending` again."""
        with self._transaction():
            row = (state, noted.tries, noted.number)
            self._db.execute("update events set state = ?, tries = ? where number = ?", row)

    def counts(self) -> dict[str, int]:
        """Events by state."""
        with self._instructing():
            return dict(self._db.execute("select state, count(*) from events group by state"))

    def _events(self, state: str) -> list[Noted]:
        with self._instructing():
            rows = self._db.execute(
                "select number, id, path, start_s, end_s, label, score, recording, began, tries from events "
                "where state = ? order by tries, number",
                (state,),
            ).fetchall()
        return [
            Noted(number, key, _path(path), Event(start_s, end_s, label, score), recording, began, tries)
            for number, key, path, start_s, end_s, label, score, recording, began, tries in rows
        ]

    def _put_file(self, path: Path, stamp: Stamp, recording: str, state: str, reason: str) -> None:
        row = (_text(path), stamp.size, stamp.mtime_ns, stamp.inode, recording, state, reason)
        self._db.execute("insert or replace into files values (?, ?, ?, ?, ?, ?, ?)", row)

    def _put_event(self, path: Path, recording: Recorded, event: Event) -> None:
        told = f"{recording.id} {event.label} {round(1000 * event.start_s)} {round(1000 * event.end_s)}"
        row = (
            hashlib.sha256(told.encode()).hexdigest()[:16],
            recording.id,
            _text(path),
            event.label,
            event.start_s,
            event.end_s,
            event.score,
            recording.began,
        )
        self._db.execute(
            "insert into events (id, recording, path, label, start_s, end_s, score, began, state) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
            row,
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._instructing():
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    @contextmanager
    def _instructing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutputError(f"{self._path}: cannot be used ({error}); make room, or give another --out") from None


def _same(a: Event, b: Event) -> bool:
    """Whether two findings of one recording are one event: they share half of the shorter, which may be cut short."""
    shared_s = min(a.end_s, b.end_s) - max(a.start_s, b.start_s)
    return a.label == b.label and shared_s >= _SAME * min(a.duration_s, b.duration_s)


def _text(path: Path) -> bytes:
    """Names need not be text."""
    return bytes(path)


def _path(name: bytes) -> Path:
    return Path(os.fsdecode(name))
